#include "core/family/scaling_cells.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/family/least_squares.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

absl::Status CheckPositive(size_t i, const char* field, double value) {
  if (std::isfinite(value) && value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("points[{}].{}: is {}; give a finite number above 0, or leave the run out", i, field, value));
}

// Which distinct value each one is, ascending. A chain of close values is cut where it has grown by kSameWithin.
std::vector<size_t> Cluster(const std::vector<double>& logs, size_t& count) {
  std::vector<size_t> order(logs.size()), cluster(logs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return std::pair(logs[a], a) < std::pair(logs[b], b); });
  count = 0;
  double first = 0;
  for (size_t i : order) {
    if (count == 0 || logs[i] - first > kSameWithin) {
      ++count;
      first = logs[i];
    }
    cluster[i] = count - 1;
  }
  return cluster;
}

}  // namespace

double RobustSd(const std::vector<double>& residuals, size_t fitted) {
  if (residuals.size() <= fitted) return 0;
  std::vector<double> sizes;
  for (double r : residuals) sizes.push_back(std::fabs(r));
  // Where half of them and more are 0, what is left has no robust spread to be held to.
  const double spread = 1.4826 * Median(sizes);
  double sum = 0;
  for (double size : sizes) sum += std::pow(spread > 0 ? std::min(size, 3 * spread) : size, 2);
  return std::sqrt(sum / static_cast<double>(sizes.size() - fitted));
}

absl::StatusOr<ScalingCells> MakeCells(const std::vector<ScalingPoint>& points, CellLevel level) {
  if (points.size() > kMostScalingPoints) {
    return absl::InvalidArgumentError(
        fmt::format("points: {} runs; give at most {}", points.size(), kMostScalingPoints));
  }
  std::vector<double> sizes, lengths;
  for (size_t i = 0; i < points.size(); ++i) {
    if (absl::Status status = CheckPositive(i, "parameters", points[i].parameters); !status.ok()) return status;
    if (absl::Status status = CheckPositive(i, "tokens", points[i].tokens); !status.ok()) return status;
    if (absl::Status status = CheckPositive(i, "loss", points[i].loss); !status.ok()) return status;
    sizes.push_back(std::log(points[i].parameters));
    lengths.push_back(std::log(points[i].tokens));
  }
  ScalingCells result;
  result.runs = points.size();
  const std::vector<size_t> size_of = Cluster(sizes, result.sizes), length_of = Cluster(lengths, result.lengths);
  std::map<std::pair<size_t, size_t>, std::vector<size_t>> members;
  for (size_t i = 0; i < points.size(); ++i) members[{size_of[i], length_of[i]}].push_back(i);
  std::vector<double> strays;  // Of the runs of cells that have several.
  size_t shared = 0;
  for (const auto& [key, runs] : members) {
    std::vector<double> n, d, loss;
    for (size_t i : runs) {
      n.push_back(sizes[i]);
      d.push_back(lengths[i]);
      loss.push_back(std::log(points[i].loss));
    }
    const double median = Median(loss);
    ScalingCell cell;
    cell.log_parameters = Median(std::move(n));
    cell.log_tokens = Median(std::move(d));
    cell.members = runs;
    cell.log_loss = level == CellLevel::kMedian ? median : *std::min_element(loss.begin(), loss.end());
    cell.runs = runs.size();
    cell.size = key.first;
    cell.length = key.second;
    result.cells.push_back(cell);
    if (runs.size() < 2) continue;
    ++shared;
    for (double l : loss) strays.push_back(l - median);
  }
  result.within_sd = RobustSd(strays, shared);
  return result;
}

}  // namespace curvecast
