#include "core/family/step_law.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/family/family_curves.h"
#include "core/family/law_box.h"
#include "core/family/least_squares.h"
#include "core/family/scaling_cells.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

bool IsPositive(double value) { return std::isfinite(value) && value > 0; }

absl::Status NotPositive(size_t curve, const std::string& field, double value) {
  return absl::InvalidArgumentError(
      fmt::format("curves[{}].{}: is {}; give a finite number above 0, or leave it out", curve, field, value));
}

absl::Status Check(const std::vector<StepCurve>& curves) {
  for (size_t c = 0; c < curves.size(); ++c) {
    const StepCurve& curve = curves[c];
    if (!IsPositive(curve.parameters)) return NotPositive(c, "parameters", curve.parameters);
    if (curve.batch_tokens != 0 && !IsPositive(curve.batch_tokens)) {
      return NotPositive(c, "batch_tokens", curve.batch_tokens);
    }
    if (curve.steps.size() != curve.losses.size()) {
      return absl::InvalidArgumentError(fmt::format("curves[{}].losses: {} losses for {} steps; give one for each", c,
                                                    curve.losses.size(), curve.steps.size()));
    }
    for (size_t i = 0; i < curve.steps.size(); ++i) {
      if (!IsPositive(curve.steps[i])) return NotPositive(c, fmt::format("steps[{}]", i), curve.steps[i]);
      if (!IsPositive(curve.losses[i])) return NotPositive(c, fmt::format("losses[{}]", i), curve.losses[i]);
    }
  }
  return absl::OkStatus();
}

// The law about the middle of the points. Free parameters: alphaS, the step term there, then either alphaN and the size
// term there, or each size's floor; as law_box has them.
class Model {
 public:
  Model(const FamilyCurves& curves, bool floors) : curves_(curves), floors_(floors) {
    for (const FamilyPoint& p : curves.points) {
      const double share = 1 / static_cast<double>(curves.points.size());
      n_ += p.log_parameters * share;
      s_ += p.log_steps * share;
      loss_ += p.log_loss * share;
    }
  }

  VectorXd Residuals(const VectorXd& free) const {
    VectorXd residuals(static_cast<Index>(curves_.points.size()));
    for (size_t i = 0; i < curves_.points.size(); ++i) {
      const FamilyPoint& p = curves_.points[i];
      const double step = TermOf(free[1]) - ExponentOf(free[0]) * (p.log_steps - s_);
      const double size = floors_ ? TermOf(free[2 + static_cast<Index>(curves_.families[p.family].size)])
                                  : TermOf(free[3]) - ExponentOf(free[2]) * (p.log_parameters - n_);
      const double most = std::max(step, size);
      residuals[static_cast<Index>(i)] =
          most + std::log(std::exp(step - most) + std::exp(size - most)) - (p.log_loss - loss_);
    }
    return residuals;
  }

  std::vector<VectorXd> Starts() const {
    std::vector<VectorXd> starts;
    for (double alpha_s : {0.3, 0.8}) {
      for (double step : {0.1, 0.3}) {
        VectorXd start(floors_ ? 2 + static_cast<Index>(curves_.sizes) : 4);
        start.setConstant(FreeOfTerm(std::log(1 - step)));
        start[0] = FreeOfExponent(alpha_s);
        start[1] = FreeOfTerm(std::log(step));
        if (!floors_) start[2] = FreeOfExponent(0.08);
        starts.push_back(start);
      }
    }
    return starts;
  }

  // alphaS, log Sc; then alphaN, log Nc unless there are floors. A power law's constant goes with its exponent: (Sc /
  // S)^a is the term t at the middle, so log Sc = t / a + log of the middle's S.
  VectorXd Natural(const VectorXd& free) const {
    VectorXd natural(floors_ ? 2 : 4);
    natural[0] = ExponentOf(free[0]);
    natural[1] = (TermOf(free[1]) + loss_) / natural[0] + s_;
    if (floors_) return natural;
    natural[2] = ExponentOf(free[2]);
    natural[3] = (TermOf(free[3]) + loss_) / natural[2] + n_;
    return natural;
  }

  // Which term the points show nothing of: "steps", "size" or none.
  const char* Unseen(const VectorXd& free) const {
    if (!IsSeen(TermOf(free[1]))) return "steps";
    return !floors_ && !IsSeen(TermOf(free[3])) ? "size" : nullptr;
  }

  std::optional<VectorXd> Fit(double delta, const std::vector<double>& weights,
                              const std::vector<VectorXd>& starts) const {
    HuberProblem problem;
    problem.count = static_cast<Index>(curves_.points.size());
    problem.delta = delta;
    problem.weights = weights;
    problem.residuals = [this](const VectorXd& free, VectorXd& residuals) { residuals = Residuals(free); };
    const std::optional<HuberFit> fit = FitHuber(problem, starts);
    return fit.has_value() ? std::optional<VectorXd>(fit->free) : std::nullopt;
  }

 private:
  const FamilyCurves& curves_;
  const bool floors_;
  double n_ = 0, s_ = 0, loss_ = 0;
};

std::string Identifiable(const FamilyCurves& curves) {
  if (curves.families.size() < kFewestStepFamilies) {
    return fmt::format("the runs are of {} families and sizes; L(N, S) needs {}", curves.families.size(),
                       kFewestStepFamilies);
  }
  double span = 1;
  for (const FamilyCurves::Family& family : curves.families) span = std::max(span, family.span);
  if (span >= kLeastStepSpan) return "";
  return fmt::format("after warm-up the curves span a factor of {:.2g} in steps; L(N, S) needs {}", span,
                     kLeastStepSpan);
}

std::string SizesTell(const FamilyCurves& curves) {
  double low = curves.families[0].parameters, high = low;
  for (const FamilyCurves::Family& family : curves.families) {
    low = std::min(low, family.parameters);
    high = std::max(high, family.parameters);
  }
  if (curves.sizes >= kFewestStepSizes && high / low >= kLeastStepSizeSpread) return "";
  return fmt::format("{} distinct sizes over a factor of {:.2g}; alphaN needs {} over {}", curves.sizes, high / low,
                     kFewestStepSizes, kLeastStepSizeSpread);
}

void AddResiduals(const FamilyCurves& curves, const VectorXd& residuals, StepFit& fit) {
  std::vector<std::vector<double>> off(curves.families.size());
  for (size_t i = 0; i < curves.points.size(); ++i)
    off[curves.points[i].family].push_back(-residuals[static_cast<Index>(i)]);
  for (size_t f = 0; f < off.size(); ++f) {
    const FamilyCurves::Family& family = curves.families[f];
    FamilyResidual residual{.family = family.name, .parameters = family.parameters};
    residual.runs = family.runs;
    const auto count = static_cast<double>(off[f].size());
    for (double r : off[f]) residual.mean += r / count;
    for (double r : off[f]) residual.sd += std::pow(r - residual.mean, 2) / count;
    residual.sd = std::sqrt(residual.sd);
    fit.residuals.push_back(residual);
  }
}

// Fits with or without floors into `fit`; the reason if that is not to be.
std::string FitModel(const FamilyCurves& curves, bool floors, StepFit& fit) {
  const std::string failed = "the fit of L(N, S) found no minimum";
  const Model model(curves, floors);
  std::vector<double> weights;
  for (const FamilyPoint& p : curves.points) weights.push_back(p.weight);
  std::optional<VectorXd> free = model.Fit(kLawHuberDelta, weights, model.Starts());
  if (!free.has_value()) return failed;
  const double delta = HuberDelta(model.Residuals(*free), kLawHuberDelta);
  std::vector<VectorXd> starts = model.Starts();
  starts.push_back(*free);
  free = model.Fit(delta, weights, starts);
  if (!free.has_value()) return failed;
  if (const char* unseen = model.Unseen(*free)) return fmt::format("the loss does not fall with {}", unseen);
  const size_t groups = std::min(curves.families.size(), kMostJackknifeGroups);
  const auto covariance = JackknifeCovariance(groups, [&](size_t group) -> std::optional<VectorXd> {
    std::vector<double> left = weights;
    for (size_t i = 0; i < left.size(); ++i) {
      if (curves.points[i].family % groups == group) left[i] = 0;
    }
    const std::optional<VectorXd> without = model.Fit(delta, left, {*free});
    return without.has_value() ? std::optional<VectorXd>(model.Natural(*without)) : std::nullopt;
  });
  if (!covariance.has_value()) return failed;
  const VectorXd natural = model.Natural(*free);
  const auto estimate = [&](Index i) { return Estimate{natural[i], std::sqrt((*covariance)(i, i))}; };
  StepLaw law;
  law.alpha_s = estimate(0);
  law.log_sc = estimate(1);
  if (const std::string why = WhyNotTold("alphaS", law.alpha_s); !why.empty()) return why;
  if (!floors) {
    law.alpha_n = estimate(2);
    law.log_nc = estimate(3);
    if (const std::string why = WhyNotTold("alphaN", *law.alpha_n); !why.empty()) return why;
  }
  const VectorXd residuals = model.Residuals(*free);
  law.residual_sd =
      RobustSd({residuals.data(), residuals.data() + residuals.size()}, static_cast<size_t>(free->size()));
  if (law.residual_sd > kMostOff) {
    return fmt::format("L(N, S) misses the curves by {:.3g} % (sd), more than {} %", law.residual_sd * 100,
                       kMostOff * 100);
  }
  fit.law = law;
  AddResiduals(curves, residuals, fit);
  return "";
}

}  // namespace

StepLaw PublishedStepLaw() {
  StepLaw law;
  law.alpha_s = {0.76, 0};
  law.log_sc = {std::log(2.1e3), 0};
  law.alpha_n = Estimate{0.077, 0};
  law.log_nc = Estimate{std::log(6.5e13), 0};
  return law;
}

double MinimumSteps(double steps, double batch_tokens, double loss) {
  constexpr double kCriticalTokens = 2e8, kAlphaB = 0.21;
  // In logarithms, so that no double overflows on the way.
  const double log_ratio = std::log(kCriticalTokens) - std::log(loss) / kAlphaB - std::log(batch_tokens);
  const double log_divisor = log_ratio > 30 ? log_ratio : std::log1p(std::exp(log_ratio));
  return std::clamp(std::exp(std::log(steps) - log_divisor), std::numeric_limits<double>::min(),
                    std::numeric_limits<double>::max());
}

absl::StatusOr<StepFit> FitStepLaw(const std::vector<StepCurve>& curves, StepCount count) {
  if (absl::Status status = Check(curves); !status.ok()) return status;
  StepFit fit;
  const auto with_batch =
      std::count_if(curves.begin(), curves.end(), [](const StepCurve& c) { return c.batch_tokens > 0; });
  if (count == StepCount::kMinimum && static_cast<size_t>(with_batch) < curves.size()) {
    fit.why_no_law =
        fmt::format("{} of {} runs say how many tokens a step takes; S_min needs all", with_batch, curves.size());
    return fit;
  }
  const FamilyCurves families = MakeFamilyCurves(curves, count);
  for (const FamilyCurves::Family& family : families.families) fit.runs += family.runs;
  fit.families = families.families.size();
  fit.sizes = families.sizes;
  fit.why_no_law = Identifiable(families);
  if (!fit.why_no_law.empty()) return fit;
  fit.why_no_size = SizesTell(families);
  if (fit.why_no_size.empty()) fit.why_no_size = FitModel(families, false, fit);
  if (fit.why_no_size.empty()) return fit;
  if (families.sizes > kMostStepFloors) {
    fit.why_no_law = fmt::format("{}; and {} sizes are too many for a floor each (at most {})", fit.why_no_size,
                                 families.sizes, kMostStepFloors);
  } else {
    fit.why_no_law = FitModel(families, true, fit);
  }
  if (!fit.law.has_value()) fit.why_no_size.clear();
  return fit;
}

}  // namespace curvecast
