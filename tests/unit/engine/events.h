#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/engine/event.h"

// Short ways to say events.
namespace curvecast::testing {

inline RunKey Key(std::string run_id = "r1") { return {"p", std::move(run_id)}; }

inline RunSpec Spec(std::string run_id = "r1") {
  RunSpec spec;
  spec.key = Key(std::move(run_id));
  spec.total_steps = 1000;
  Normalize(spec);
  return spec;
}

inline Event Open(uint64_t incarnation = 1, std::string writer = "", std::string run_id = "r1",
                  std::optional<Step> resume_step = std::nullopt) {
  return {1'000'000, Key(run_id), RunOpened{Spec(run_id), std::move(writer), incarnation, resume_step}};
}

inline Column Losses(const std::vector<std::pair<Step, double>>& points, std::string metric = "train/loss") {
  Column column{std::move(metric), {}, {}};
  for (const auto& [step, value] : points) {
    column.steps.push_back(step);
    column.values.push_back(value);
  }
  return column;
}

inline Event Batch(uint64_t sequence, std::vector<Column> columns, uint64_t incarnation = 1, std::string writer = "",
                   std::string run_id = "r1", std::optional<RunState> end = std::nullopt) {
  return {2'000'000, Key(std::move(run_id)),
          BatchAppended{std::move(writer), incarnation, sequence, std::move(columns), end}};
}

}  // namespace curvecast::testing
