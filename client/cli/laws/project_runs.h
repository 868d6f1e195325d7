#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/engine/run_spec.h"
#include "core/family/scaling_cells.h"
#include "core/family/step_law.h"

namespace curvecast {

// The objective of one run, as points or as the daemon's bins of points.
struct ObjectiveCurve {
  std::vector<double> steps, values;  // In order of step; any doubles.
  std::vector<double> counts;         // Points in each. Empty: one.
};

// The finished runs of one project, as its laws need them.
class ProjectRuns {
 public:
  explicit ProjectRuns(std::string project) : project_(std::move(project)) {}

  // Takes a run if it is complete: it reached 97 % of its plan, and its end, the mean over the last 1 % of the plan, is
  // a number above 0. (Of bins: of those whose mean step lies there, else the last bin.) Otherwise counts why not.
  void Add(const RunSpec& spec, const ObjectiveCurve& curve);

  // Of the objective that most complete runs have; a loss and an error rate follow no common law.
  struct Usable {
    std::string objective;
    size_t runs = 0;
    std::vector<ScalingPoint> ends;  // Runs that declare parameters and tokens per step.
    std::vector<StepCurve> curves;   // Runs that declare parameters: points after warm-up.
  };
  Usable Choose() const;

  const std::string& project() const { return project_; }
  // How many runs were left out, by reason, for a person: "not complete", ...
  std::map<std::string, size_t> LeftOut() const;

 private:
  std::string project_;
  std::map<std::string, Usable> by_objective_;
  std::map<std::string, size_t> left_out_;
};

}  // namespace curvecast
