#include "core/family/law_box.h"

#include <cmath>

#include "core/family/least_squares.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr double kLeastExponent = 0.005, kMostExponent = 3;
constexpr double kLeastTerm = 1e-6, kMostTerm = 10, kSeenTerm = 1e-4;
constexpr double kNinety = 1.645;

}  // namespace

double ExponentOf(double free) { return Within(kLeastExponent, kMostExponent, free); }

double FreeOfExponent(double exponent) { return FreeOf(kLeastExponent, kMostExponent, exponent); }

double TermOf(double free) { return Within(std::log(kLeastTerm), std::log(kMostTerm), free); }

double FreeOfTerm(double term) { return FreeOf(std::log(kLeastTerm), std::log(kMostTerm), term); }

bool IsSeen(double term) { return term >= std::log(kSeenTerm); }

std::string WhyNotTold(const char* name, const Estimate& exponent) {
  const bool inside = exponent.value > 2 * kLeastExponent && exponent.value < 0.95 * kMostExponent;
  if (inside && exponent.value - kNinety * exponent.sd > 0) return "";
  return fmt::format("the runs do not tell {}: {:.3g} with a standard error of {:.2g}", name, exponent.value,
                     exponent.sd);
}

}  // namespace curvecast
