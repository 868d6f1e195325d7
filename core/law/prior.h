#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace curvecast {

// The bank of the law: every node is one exponent `a` of the power law and one shape of the annealing feature psi.
enum class Anneal {
  kNone,        // No feature: a constant or an unknown rate.
  kRatePower,   // e(t)^p, p the parameter.
  kMomentum,    // Drops of the rate that take effect exponentially, over `parameter` of the whole summed rate (Tissue
                // 2024).
  kMultiPower,  // Drops of the rate that take effect by a power law, with C the parameter (Luo 2025).
};

struct Node {
  double exponent = 0;  // a > 0.
  Anneal anneal = Anneal::kNone;
  double parameter = 0;
};

// What the law may know about a run's rate. Each kind has a bank, archetypes and calibration of its own.
enum class RateKind {
  kUnknown,   // No schedule: steps stand for summed rate.
  kConstant,  // The rate ends within a tenth of its peak.
  kDecaying,
};
inline constexpr size_t kRateKinds = 3;

const std::vector<Node>& Bank(RateKind kind);

// Gaussian prior of (c2, c3) at one node, and how far real curves stray from the node's law (relative, standard
// deviation).
struct NodePrior {
  double mean2 = 0, mean3 = 0;
  double var22 = 1, var23 = 0, var33 = 1;
  double stray = 0.01;
};

// What the finished runs of one source look like at every node of a bank.
struct Archetype {
  std::string name;
  int runs = 0;
  int families = 0;
  std::vector<NodePrior> nodes;  // As many as Bank(kind) has, in its order.
};

// What finished runs teach about the law's coefficients. Plain data: made by TrainPrior, kept as text, compiled in.
struct Prior {
  // Progress at which interval factors are learned; linear between.
  static constexpr std::array<double, 7> kProgress = {0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95};

  struct Kind {
    std::vector<Archetype> archetypes;                                   // At least one.
    std::array<double, kProgress.size()> widen = {1, 1, 1, 1, 1, 1, 1};  // Factor on the interval about its median.
  };

  std::array<Kind, kRateKinds> kinds;

  const Kind& Of(RateKind kind) const { return kinds[static_cast<size_t>(kind)]; }
  Kind& Of(RateKind kind) { return kinds[static_cast<size_t>(kind)]; }

  // The prior in this folder's prior_shipped.inc; says there what it was learned from.
  static const Prior& Shipped();
  // Reads the text form (README.md). INVALID_ARGUMENT "line 12: ..." if it is not one of this version.
  static absl::StatusOr<Prior> Parse(std::string_view text);
  std::string Format() const;
};

}  // namespace curvecast
