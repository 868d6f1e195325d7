#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/bench/peers/told.h"

namespace curvecast::peers {

// Errors of several methods, by project, fraction and method; and the table of them.
class ScoreTable {
 public:
  explicit ScoreTable(std::vector<std::string> methods) : methods_(std::move(methods)) {}

  // `method` is an index into the methods; actual > 0.
  void Add(const std::string& project, double fraction, size_t method, const Told& told, double actual);

  // A row for each project, fraction and method: runs, share answered, median and 90th percentile of the relative error
  // in per cent (of the answered, linear between ranks), share of ends inside the 90 % interval; then the rows' means
  // over projects.
  std::string Text() const;

 private:
  struct Score {
    size_t runs = 0, ranged = 0, covered = 0;
    std::vector<double> errors;  // Per cent, of the answered.
  };
  struct Row {
    double runs = 0, answered = 0, median = 0, p90 = 0, cover = 0;  // NaN where there is none.
  };
  static Row Summarize(const Score& score);
  std::string Line(const std::string& project, double fraction, size_t method, const Row& row) const;

  const std::vector<std::string> methods_;
  std::map<std::tuple<std::string, double, size_t>, Score> scores_;
};

// Of sorted values, the share in [0, 1] of the way through them, linear between ranks. Not empty.
double Percentile(const std::vector<double>& sorted, double share);

}  // namespace curvecast::peers
