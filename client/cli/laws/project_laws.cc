#include "client/cli/laws/project_laws.h"

#include <utility>

namespace curvecast {

absl::StatusOr<ProjectLaws> FitProjectLaws(const ProjectRuns& runs, bool check) {
  ProjectLaws laws;
  const ProjectRuns::Usable usable = runs.Choose();
  laws.project = runs.project();
  laws.objective = usable.objective;
  laws.runs = usable.runs;
  laws.sized = usable.curves.size();
  laws.paced = usable.ends.size();
  laws.left_out = runs.LeftOut();
  absl::StatusOr<ScalingFit> typical = FitScaling(usable.ends, CellLevel::kMedian);
  if (!typical.ok()) return typical.status();
  absl::StatusOr<ScalingFit> best = FitScaling(usable.ends, CellLevel::kBest);
  if (!best.ok()) return best.status();
  absl::StatusOr<StepFit> steps = FitStepLaw(usable.curves, StepCount::kAsGiven);
  if (!steps.ok()) return steps.status();
  absl::StatusOr<StepFit> minimum_steps = FitStepLaw(usable.curves, StepCount::kMinimum);
  if (!minimum_steps.ok()) return minimum_steps.status();
  laws.typical = *std::move(typical);
  laws.best = *std::move(best);
  laws.steps = *std::move(steps);
  laws.minimum_steps = *std::move(minimum_steps);
  if (!check) return laws;
  const absl::StatusOr<LevelCheck> without_cell = CheckLevel(usable.ends, LeaveOut::kCell);
  if (!without_cell.ok()) return without_cell.status();
  const absl::StatusOr<LevelCheck> without_size = CheckLevel(usable.ends, LeaveOut::kSize);
  if (!without_size.ok()) return without_size.status();
  laws.without_cell = *without_cell;
  laws.without_size = *without_size;
  return laws;
}

}  // namespace curvecast
