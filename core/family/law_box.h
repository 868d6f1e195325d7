#pragma once

#include <string>

#include "core/family/estimate.h"

// The box that scaling laws are fitted in, as free numbers for FitHuber. A law's terms are logarithms over the middle
// loss of the runs, at the middle of the runs, so that terms and exponents hardly depend on each other.
namespace curvecast {

// Of log residuals; Hoffmann et al. 2022, section 3.3.
inline constexpr double kLawHuberDelta = 1e-3;

// Exponents lie in .005 to 3.
double ExponentOf(double free);
double FreeOfExponent(double exponent);

// Terms lie in log 1e-6 to log 10.
double TermOf(double free);
double FreeOfTerm(double term);
// False for a term below log 1e-4: it is none, and its exponent means nothing.
bool IsSeen(double term);

// Empty if an exponent is told: its 90 % interval, +- 1.645 sd, lies above 0, and it is not at a side of the box. Else
// why not, for a person.
std::string WhyNotTold(const char* name, const Estimate& exponent);

}  // namespace curvecast
