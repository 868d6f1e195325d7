#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "curvecast/v1/query.pb.h"

// Numbers as people read them.
namespace curvecast {

// Four digits that matter: 3.216, 0.01234, 12346, 1.2e+07; "NaN", "inf", "-inf".
std::string NumberText(double value);
// "2.810 [2.752, 2.866]", with as many decimals as the width of the interval deserves; "-" without an answer.
std::string IntervalText(const v1::Forecast& forecast);
// The median and the interval apart, with those decimals; "-" without an answer.
std::string MedianText(const v1::Forecast& forecast);
std::string BoundsText(const v1::Forecast& forecast);
// 0.123 is "12 %"; 0.998 is "99 %", since only the end is "100 %".
std::string PercentText(double ratio);
// "7s", "5m", "3h", "12d".
std::string AgeText(int64_t seconds);

// A quantile of the forecast by its name; nothing if there is no answer.
std::optional<double> Quantile(const v1::Forecast& forecast, const char* level);

}  // namespace curvecast
