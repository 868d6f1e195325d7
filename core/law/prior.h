#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/law/belief.h"
#include "core/law/traits.h"

namespace curvecast {

// Standard deviation of the log final loss about the newest level, where nothing is known of the level.
inline constexpr double kLevelSd = 0.5;

// What the finished runs of one source look like: the Gaussian of their coefficients, which moves with their traits.
struct Archetype {
  std::string name;
  int runs = 0;
  int families = 0;
  Coefficients mean = Coefficients::Zero();  // At the center of the traits.
  // Where its runs' traits lie: mean and standard deviation, which is 0 for a trait that its runs lack.
  std::array<double, kTraits> center = {}, spread = {};
  // A run's traits are held to [low, high] before they move the mean by slopes' * (traits - center).
  std::array<double, kTraits> low = {}, high = {};
  Eigen::Matrix<double, kTraits, kCoefficients> slopes = Eigen::Matrix<double, kTraits, kCoefficients>::Zero();
  CoefficientMatrix covariance = CoefficientMatrix::Identity();
  double stray = 0.002;
  double noise = 0.003;
  bool apart = false;        // Of runs of another sort than the others: it is not in the pool, and has its own stray.
  bool knows_level = false;  // Its own final losses follow from size and tokens closely enough to be of use.

  Coefficients MeanOf(const Traits& traits) const;  // The level is absolute.
  // Log density of a run with these traits among its own, each trait alone, heavy-tailed; up to a constant.
  double LogDensity(const Traits& traits) const;

  // Set by Prior::Prepare. `loose` takes no level from the archetype: N(newest, kLevelSd^2).
  Belief tight, loose;
};

// How the coefficients of a project's runs resemble each other: a Gaussian process over runs, the same kernel for every
// coefficient after whitening by `within`. See core/family/kinship.h.
struct Kinship {
  std::array<double, kTraits> linear = {};                       // Weight of each trait's linear effect.
  std::array<double, kTraits> reach = {1, 1, 1, 1, 1, 1, 1, 1};  // Length scale of each trait, > 0.
  double smooth = 1;                                             // Weight of what changes smoothly with the traits.
  double family = 0.1, labels = 0.5;  // Of what runs of one family, or of equal labels, share.
  double own = 0.1;                   // Of what is a run's own, > 0.
  CoefficientMatrix within = CoefficientMatrix::Identity();
};

// What a forecast could lean on besides the shipped prior.
enum class Support { kNone, kKin };
inline constexpr size_t kSupports = 2;

// Progress at which interval factors are learned; linear between.
inline constexpr std::array<double, 7> kFactorProgress = {0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95};
using IntervalFactors = std::array<double, kFactorProgress.size()>;  // Of the interval about its median.
inline constexpr IntervalFactors kNoFactors = {1, 1, 1, 1, 1, 1, 1};
double FactorAt(const IntervalFactors& factors, double progress);

// What finished runs teach about the law's coefficients. Plain data: learned, kept as text, compiled in.
struct Prior {
  struct Kind {
    std::vector<Archetype> archetypes;  // At least one; the last is "any", the pool of those not apart.
    std::array<IntervalFactors, kSupports> factors = {kNoFactors, kNoFactors};
    Kinship kinship;

    const Archetype& any() const { return archetypes.back(); }
    Belief free;  // "any", many times as wide: for what is like none of them. Set by Prior::Prepare.
  };

  std::array<Kind, kRateKinds> kinds;

  const Kind& Of(RateKind kind) const { return kinds[static_cast<size_t>(kind)]; }
  Kind& Of(RateKind kind) { return kinds[static_cast<size_t>(kind)]; }

  // Sets what follows from the rest. False if a covariance is not positive definite.
  bool Prepare();

  // The prior in this folder's prior_shipped.inc, which says what it was learned from.
  static const Prior& Shipped();
  // Reads the text form (README.md). INVALID_ARGUMENT "line 12: ..." if it is not one of this version.
  static absl::StatusOr<Prior> Parse(std::string_view text);
  std::string Format() const;
};

}  // namespace curvecast
