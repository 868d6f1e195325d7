#pragma once

#include <istream>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "absl/status/statusor.h"

namespace curvecast::peers {

// What one method said of one run's end.
struct Told {
  std::optional<double> end;                       // Nothing: no answer.
  std::optional<std::pair<double, double>> range;  // The 90 % interval, if the method gives one.
};

// Curvecast's answers by project, run id and fraction in ten-thousandths.
using ToldByCurvecast = std::map<std::tuple<std::string, std::string, int>, Told>;
int FractionKey(double fraction);

// Reads the JSON lines of `curvecast backtest -o json`. An error "name:line: ..." for what is none.
absl::StatusOr<ToldByCurvecast> ReadForecasts(std::istream& in, const std::string& name);

}  // namespace curvecast::peers
