#include "core/law/features.h"

#include <array>
#include <cmath>

namespace curvecast {
namespace {

constexpr std::array<double, 3> kExponents = {0.05, 0.4, 0.8};
constexpr double kSoftening = 0.1;  // e^p alone runs away where e goes to 0: it put every end .1 to .25 % too low.
constexpr std::array<double, 2> kLags = {0.03, 0.15};
constexpr std::array<double, 5> kHinges = {0.05, 0.1, 0.2, 0.4, 0.6};

// -sum over the drops before x of fall (1 - exp(-(x - at) / lag)); past drops decay as one, so that one pass over drops
// and places does.
class Momentum {
 public:
  Momentum(const std::vector<RunClock::Drop>& drops, double lag) : drops_(drops), lag_(lag) {}

  double Advance(double share) {
    for (; next_ < drops_.size() && drops_[next_].share < share; ++next_) {
      pending_ = pending_ * std::exp((at_ - drops_[next_].share) / lag_) + drops_[next_].fall;
      fallen_ += drops_[next_].fall;
      at_ = drops_[next_].share;
    }
    if (pending_ != 0) pending_ *= std::exp((at_ - share) / lag_);
    at_ = share;
    return pending_ - fallen_;
  }

 private:
  const std::vector<RunClock::Drop>& drops_;
  const double lag_;
  double fallen_ = 0, pending_ = 0, at_ = 0;
  size_t next_ = 0;
};

void FillPowers(double share, FeatureRow& row) {
  const double log_share = std::log(share);
  for (size_t k = 0; k < kExponents.size(); ++k) {
    row(static_cast<Eigen::Index>(1 + k)) = std::expm1(-kExponents[k] * log_share) / kExponents[k];
  }
}

void FillRates(double rate, double end, FeatureRow& row) {
  row(4) = std::sqrt(rate + kSoftening) - std::sqrt(end + kSoftening);
  row(5) = rate - end;
  row(6) = rate * rate - end * end;
}

}  // namespace

std::vector<FeatureRow> Features(const RunClock& clock, const std::vector<Place>& places) {
  std::vector<FeatureRow> rows(places.size(), FeatureRow::Zero());
  for (size_t i = 0; i < places.size(); ++i) {
    rows[i](0) = 1;
    FillPowers(places[i].share, rows[i]);
  }
  if (clock.kind() == RateKind::kUnknown) {
    for (size_t i = 0; i < places.size(); ++i) {
      for (size_t k = 0; k < kHinges.size(); ++k) {
        rows[i](static_cast<Eigen::Index>(4 + k)) = std::max(0.0, 1 - places[i].share - kHinges[k]);
      }
    }
    return rows;
  }
  const double end = clock.Rate(clock.end());
  for (size_t i = 0; i < places.size(); ++i) FillRates(places[i].rate, end, rows[i]);
  for (size_t k = 0; k < kLags.size(); ++k) {
    const auto column = static_cast<Eigen::Index>(7 + k);
    Momentum momentum(clock.drops(), kLags[k]);
    for (size_t i = 0; i < places.size(); ++i) rows[i](column) = momentum.Advance(places[i].share);
    const double at_end = momentum.Advance(1);
    for (FeatureRow& row : rows) row(column) -= at_end;
  }
  return rows;
}

}  // namespace curvecast
