#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/laws/project_runs.h"
#include "core/family/level_check.h"
#include "core/family/scaling_law.h"
#include "core/family/step_law.h"
#include "google/protobuf/struct.pb.h"

namespace curvecast {

// All that `curvecast laws` says of one project.
struct ProjectLaws {
  std::string project, objective;
  size_t runs = 0;              // Complete, of that objective.
  size_t sized = 0, paced = 0;  // Of them: with parameters; with tokens per step too.
  std::map<std::string, size_t> left_out;
  ScalingFit typical, best;                              // L(N, D) of each cell's median, and of its best run.
  StepFit steps, minimum_steps;                          // L(N, S), with steps as given and corrected for the batch.
  std::optional<LevelCheck> without_cell, without_size;  // If asked for.
};

// INVALID_ARGUMENT if the runs hold numbers that no law takes, such as a product of tokens and steps that overflows.
absl::StatusOr<ProjectLaws> FitProjectLaws(const ProjectRuns& runs, bool check);

// For people. `ascii`: "+-" for the sign.
std::string LawsText(const ProjectLaws& laws, bool ascii);
// For programs: the same numbers; what is not identified is absent, with a reason beside it.
google::protobuf::Struct LawsJson(const ProjectLaws& laws);

}  // namespace curvecast
