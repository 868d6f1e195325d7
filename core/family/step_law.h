#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/family/estimate.h"

namespace curvecast {

// A run's curve as the law in steps sees it: points after warm-up, in any order.
struct StepCurve {
  std::string family;
  double parameters = 0;       // N, > 0.
  double batch_tokens = 0;     // Tokens a step; 0: not known.
  std::vector<double> steps;   // S, as counted by the job, > 0.
  std::vector<double> losses;  // As many, > 0.
};

// How steps are counted.
enum class StepCount {
  kAsGiven,  // As the job counts them.
  // S_min = S / (1 + Bcrit / B), what the run would have needed at a batch far above the critical one, Bcrit = 2e8
  // tokens / L^(1 / .21) (Kaplan et al. 2020, eq. 1.4 and 5.4). Their constants, hence for a loss in nats a token.
  kMinimum,
};
double MinimumSteps(double steps, double batch_tokens, double loss);

// L(N, S) = (Nc / N)^alphaN + (Sc / S)^alphaS: the loss of N parameters after S steps (Kaplan et al. 2020, eq. 1.6 and
// 5.6). An approximation: points of decaying rates count like others, as in their own fit, so that an annealing drop is
// taken for steps.
struct StepLaw {
  Estimate alpha_s, log_sc;  // log: natural.
  // Nothing where the runs do not tell alphaN: each size then has a floor of its own in place of (Nc / N)^alphaN.
  std::optional<Estimate> alpha_n, log_nc;
  double residual_sd = 0;  // Of log loss about the law, robust.
};

// Kaplan et al. 2020, table 3, in S_min: alphaN .077, Nc 6.5e13, alphaS .76, Sc 2.1e3 (a vocabulary of 50257, nats).
StepLaw PublishedStepLaw();

// A family's residuals: where its curve lies off the law.
struct FamilyResidual {
  std::string family;
  double parameters = 0;
  size_t runs = 0;
  double mean = 0;  // Of log loss minus the law's.
  double sd = 0;
};

struct StepFit {
  std::optional<StepLaw> law;
  std::string why_no_law;   // For a person; empty if there is one.
  std::string why_no_size;  // Why alphaN is missing; empty if it is not, or if there is no law.
  size_t runs = 0, families = 0, sizes = 0;
  std::vector<FamilyResidual> residuals;  // By family, then size. Empty without a law.
};

// What L(N, S) asks for.
inline constexpr size_t kFewestStepSizes = 3;      // Else the sizes get floors.
inline constexpr double kLeastStepSizeSpread = 4;  // Largest over smallest N. Else likewise.
inline constexpr size_t kFewestStepFamilies = 4;
inline constexpr double kLeastStepSpan = 5;   // Of steps, in some family.
inline constexpr size_t kMostStepFloors = 8;  // Sizes with floors of their own.

// Fits by Huber loss on log residuals (delta 1.345 robust sd, at least .001). What is fitted are families' curves, each
// the median over its runs of one size in at most 24 stretches of log S; families weigh alike. Errors are by the
// jackknife over families. Pure; INVALID_ARGUMENT "curves[3].losses[17]: ..." for what is not finite and above 0;
// numbers out are finite.
// A law that misses the curves by more than kMostOff (scaling_cells.h) is refused. With StepCount::kMinimum there is no
// law unless every curve says its batch_tokens.
absl::StatusOr<StepFit> FitStepLaw(const std::vector<StepCurve>& curves, StepCount count);

}  // namespace curvecast
