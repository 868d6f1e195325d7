#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/run_key.h"
#include "core/family/relative.h"
#include "core/law/law.h"
#include "core/schedule/lr_schedule.h"

namespace curvecast {

// What a job declared of a run. The meaning and range of each field stand in run.proto.
struct RunSpec {
  RunKey key;
  std::string family;     // Never empty once Normalize has run.
  std::string objective;  // Likewise.
  bool maximize = false;
  std::optional<Step> total_steps;
  std::optional<double> parameters;
  std::optional<double> tokens_per_step;
  std::optional<ScheduleSpec> schedule;
  std::vector<std::pair<std::string, std::string>> labels;  // By key.

  template <class Archive>
  void Fields(Archive& archive) {
    archive(key, family, objective, maximize, total_steps, parameters, tokens_per_step, schedule, labels);
  }

  friend bool operator==(const RunSpec&, const RunSpec&) = default;
};

// Fills in what may be left empty: family from the project, objective "train/loss".
void Normalize(RunSpec& spec);

// INVALID_ARGUMENT "field: what is wrong, the value, what to write" with the field named as in run.proto, or OK.
absl::Status CheckRunSpec(const RunSpec& spec);

// The form of a metric's name: 1 to 128 characters of [A-Za-z0-9._:/-].
bool IsMetricName(std::string_view name);

// What the law needs of it. The spec has passed CheckRunSpec.
Plan MakePlan(const RunSpec& spec);
// What makes it akin to other runs of its project.
Descent DescentOf(const RunSpec& spec);

}  // namespace curvecast
