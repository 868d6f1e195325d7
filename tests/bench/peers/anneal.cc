#include "tests/bench/peers/anneal.h"

#include <algorithm>
#include <cmath>

namespace curvecast::peers {
namespace {

constexpr double kLeastRate = 1e-3;  // rate^-gamma has no bound as the rate goes to 0.

}  // namespace

Anneal::Anneal(const LrSchedule& schedule, double total) : schedule_(schedule), summed_(schedule.SummedRate(total)) {
  const double from = std::min(schedule.warmup_end(), total);
  const double width = (total - from) / kMostDrops;
  for (int i = 0; i < kMostDrops; ++i) {
    const double start = from + width * i, end = i + 1 == kMostDrops ? total : start + width;
    const double before = schedule.RelativeRate(start), after = schedule.RelativeRate(end);
    if (before == after) continue;
    const double middle = (start + end) / 2;
    drops_.push_back({middle, Share(middle), before - after, std::max(after, kLeastRate)});
  }
}

double Anneal::Share(double step) const {
  return summed_ > 0 ? std::clamp(schedule_.SummedRate(step) / summed_, 0.0, 1.0) : 0;
}

double Anneal::MultiPower(double step, double c, double beta, double gamma) const {
  const double share = Share(step);
  double sum = 0;
  for (const Drop& drop : drops_) {
    if (drop.step >= step) break;
    const double reach = c * std::pow(drop.rate, -gamma) * std::max(share - drop.share, 0.0);
    sum += drop.fall * (1 - std::pow(1 + reach, -beta));
  }
  return sum;
}

double Anneal::Momentum(double step, double lambda) const {
  double sum = 0;
  for (const Drop& drop : drops_) {
    if (drop.step >= step) break;
    sum += drop.fall * -std::expm1((step - drop.step) * std::log(lambda)) / (1 - lambda);
  }
  return summed_ > 0 ? sum / summed_ : 0;
}

}  // namespace curvecast::peers
