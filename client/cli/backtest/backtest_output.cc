#include "client/cli/backtest/backtest_output.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace curvecast {
namespace {

// Names hold no character that JSON escapes but for what the file's own strings may bring.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// What the table says of one project at one fraction.
struct Score {
  size_t runs = 0;
  double covered = 0;
  std::vector<double> errors, half_widths;  // Per cent, of the answered.

  void Add(const Forecast& f, double actual) {
    ++runs;
    if (!f.answered() || actual == 0) return;
    errors.push_back(std::fabs(f.median() / actual - 1) * 100);
    half_widths.push_back(std::fabs((f.quantiles[4] - f.quantiles[0]) / 2 / actual) * 100);
    if (f.quantiles[0] <= actual && actual <= f.quantiles[4]) covered += 1;
  }
};

double At(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace

void PrintJson(const Backtested& run, std::ostream& out) {
  for (const Backtested::Line& line : run.lines) {
    const Forecast& f = line.forecast;
    std::string said = fmt::format("\"status\":\"NOT_YET\",\"reason\":{}", Quoted(Explain(f.reason)));
    if (f.answered()) {
      said = "\"status\":\"OK\",\"quantiles\":{";
      for (size_t i = 0; i < kQuantileLevels.size(); ++i) {
        said += fmt::format("{}\"{}\":{}", i > 0 ? "," : "", kQuantileLevels[i], f.quantiles[i]);
      }
      said += "}";
    }
    out << fmt::format(
        "{{\"project\":{},\"runId\":{},\"family\":{},\"fraction\":{},\"step\":{},\"forecast\":{{{}}},\"actual\":{}}}\n",
        Quoted(run.spec.key.project), Quoted(run.spec.key.run_id), Quoted(run.spec.family), line.fraction, f.step, said,
        run.actual);
  }
}

void PrintTable(const std::vector<Backtested>& runs, std::ostream& out) {
  std::map<std::pair<std::string, double>, Score> scores;
  for (const Backtested& r : runs) {
    for (const Backtested::Line& line : r.lines) {
      if (line.points >= kFewestPoints) scores[{r.spec.key.project, line.fraction}].Add(line.forecast, r.actual);
    }
  }
  out << fmt::format("{:<24}{:>6}{:>7}{:>10}{:>10}{:>8}{:>10}{:>13}\n", "project", "at", "runs", "answered", "median %",
                     "p90 %", "cover 90", "half-width %");
  for (const auto& [key, score] : scores) {
    const double answered = static_cast<double>(score.errors.size());
    out << fmt::format("{:<24}{:>6}{:>7}{:>10.2f}", key.first, key.second, score.runs,
                       answered / static_cast<double>(score.runs));
    if (score.errors.empty()) {
      out << "\n";
      continue;
    }
    out << fmt::format("{:>10.2f}{:>8.2f}{:>10.2f}{:>13.2f}\n", At(score.errors, 0.5), At(score.errors, 0.9),
                       score.covered / answered, At(score.half_widths, 0.5));
  }
}

}  // namespace curvecast
