#include "core/watch/metric_role.h"

#include <array>
#include <cstddef>
#include <string>

#include "core/schedule/rate_metric.h"

namespace curvecast {
namespace {

// Small letters, and one sign between words.
std::string Plain(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      plain += static_cast<char>(c - 'A' + 'a');
    } else {
      plain += c == '-' || c == '/' || c == '.' || c == ':' ? '_' : c;
    }
  }
  return "_" + plain + "_";
}

template <size_t kN>
bool HasWord(const std::string& name, const std::array<std::string_view, kN>& words) {
  for (const std::string_view word : words) {
    if (name.find("_" + std::string(word) + "_") != std::string::npos) return true;
  }
  return false;
}

constexpr std::array<std::string_view, 6> kHeldOut = {"eval", "val", "valid", "validation", "test", "dev"};
constexpr std::array<std::string_view, 5> kLosses = {"loss", "cross_entropy", "ce", "nll", "bpb"};
constexpr std::array<std::string_view, 6> kNorms = {"grad_norm",        "gradient_norm",    "gradnorm",
                                                    "grad_global_norm", "global_grad_norm", "grad_l2_norm"};

}  // namespace

MetricRole RoleOf(std::string_view metric) {
  if (RateMetricRank(metric)) return MetricRole::kRate;
  const std::string name = Plain(metric);
  if (HasWord(name, kNorms)) return MetricRole::kGradNorm;
  if (!HasWord(name, kLosses)) return MetricRole::kNone;
  if (HasWord(name, kHeldOut)) return MetricRole::kEvalLoss;
  constexpr std::array<std::string_view, 1> kTrain = {"train"};
  return HasWord(name, kTrain) || name == "_loss_" ? MetricRole::kTrainLoss : MetricRole::kNone;
}

}  // namespace curvecast
