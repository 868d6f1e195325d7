#include "client/cli/picture/rates.h"

namespace curvecast {

std::vector<PictureRate> RatesOf(const ScheduleSpec& spec, std::optional<Step> total_steps) {
  std::vector<PictureRate> rates;
  const absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(spec, total_steps);
  if (!schedule.ok()) return rates;
  const double peak = schedule->peak_lr();
  if (schedule->knots().empty() || schedule->knots().front().step > 0) {
    rates.push_back({0, peak * schedule->RelativeRate(0)});
  }
  for (const LrSchedule::Knot& knot : schedule->knots()) rates.push_back({knot.step, peak * knot.rate});
  return rates;
}

}  // namespace curvecast
