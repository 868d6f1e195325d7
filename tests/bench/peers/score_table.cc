#include "tests/bench/peers/score_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fmt/format.h"

namespace curvecast::peers {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string Cell(double value, int width) {
  return std::isfinite(value) ? fmt::format("{:>{}.2f}", value, width) : fmt::format("{:>{}}", "-", width);
}

// Mean of the finite ones of a column.
class Mean {
 public:
  void Add(double value) {
    if (!std::isfinite(value)) return;
    sum_ += value;
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : kNaN; }

 private:
  double sum_ = 0;
  size_t count_ = 0;
};

}  // namespace

double Percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - static_cast<double>(low));
}

void ScoreTable::Add(const std::string& project, double fraction, size_t method, const Told& told, double actual) {
  Score& score = scores_[{project, fraction, method}];
  ++score.runs;
  if (!told.end.has_value()) return;
  score.errors.push_back(std::fabs(*told.end / actual - 1) * 100);
  if (!told.range.has_value()) return;
  ++score.ranged;
  if (told.range->first <= actual && actual <= told.range->second) ++score.covered;
}

ScoreTable::Row ScoreTable::Summarize(const Score& score) {
  std::vector<double> errors = score.errors;
  std::sort(errors.begin(), errors.end());
  const auto runs = static_cast<double>(score.runs);
  Row row{
      .runs = runs, .answered = static_cast<double>(errors.size()) / runs, .median = kNaN, .p90 = kNaN, .cover = kNaN};
  if (!errors.empty()) {
    row.median = Percentile(errors, 0.5);
    row.p90 = Percentile(errors, 0.9);
  }
  if (score.ranged > 0) row.cover = static_cast<double>(score.covered) / static_cast<double>(score.ranged);
  return row;
}

std::string ScoreTable::Line(const std::string& project, double fraction, size_t method, const Row& row) const {
  return fmt::format("{:<22}{:>5} {:<20}{:>6}{}{}{}{}\n", project, fraction, methods_[method], row.runs,
                     Cell(row.answered, 10), Cell(row.median, 10), Cell(row.p90, 9), Cell(row.cover, 10));
}

std::string ScoreTable::Text() const {
  const std::string head = fmt::format("{:<22}{:>5} {:<20}{:>6}{:>10}{:>10}{:>9}{:>10}\n", "project", "at", "method",
                                       "runs", "answered", "median %", "p90 %", "cover 90");
  struct Means {
    double runs = 0;
    Mean answered, median, p90, cover;
  };
  std::map<std::pair<double, size_t>, Means> means;
  std::string text = head;
  for (const auto& [key, score] : scores_) {
    const auto& [project, fraction, method] = key;
    const Row row = Summarize(score);
    text += Line(project, fraction, method, row);
    Means& mean = means[{fraction, method}];
    mean.runs += row.runs;
    mean.answered.Add(row.answered);
    mean.median.Add(row.median);
    mean.p90.Add(row.p90);
    mean.cover.Add(row.cover);
  }
  text += "\nmean over projects\n" + head;
  for (const auto& [key, mean] : means) {
    text += Line("ALL", key.first, key.second,
                 {mean.runs, mean.answered.value(), mean.median.value(), mean.p90.value(), mean.cover.value()});
  }
  return text;
}

}  // namespace curvecast::peers
