#include "client/cli/forecast_view.h"

#include <fmt/format.h>

#include <cmath>

#include "client/cli/number_text.h"
#include "client/cli/table.h"

namespace curvecast {
namespace {

std::vector<std::string> Row(const std::string& name, const v1::PlannedForecast& planned, const std::string& plan) {
  return {name, planned.has_total_steps() ? std::to_string(planned.total_steps()) : "-", MedianText(planned.forecast()),
          BoundsText(planned.forecast()), plan};
}

std::string TableText(v1::RunSummary run, const v1::ForecastRunResponse& answer) {
  run.set_inferred_schedule(answer.declared().plan());  // What this forecast took it for, not the one before.
  using enum Table::Align;
  Table table;
  table.columns = {{"", kLeft}, {"end", kRight}, {"forecast", kRight}, {"90 % interval", kLeft}, {"schedule", kLeft}};
  table.rows.push_back(Row("as planned", answer.declared(), ScheduleText(run)));
  if (answer.has_what_if()) table.rows.push_back(Row("what if", answer.what_if(), answer.what_if().plan()));
  return Render(table, 0, "");
}

// For each plan that has no answer, why.
std::string ReasonText(const std::string& name, const v1::PlannedForecast& planned) {
  if (planned.forecast().status() == v1::Forecast::OK) return "";
  return fmt::format("No forecast yet {}: {}.\n", name, planned.forecast().reason());
}

// Of the medians alone: both are told from one curve, so their intervals do not say how sure the difference is.
std::string DifferenceText(const v1::ForecastRunResponse& answer) {
  const auto planned = Quantile(answer.declared().forecast(), "0.5");
  const auto asked = Quantile(answer.what_if().forecast(), "0.5");
  if (!planned || !asked || *planned == 0) return "";
  const double percent = 100 * (*asked - *planned) / std::abs(*planned);
  if (std::abs(percent) < 0.005) return "The median stays where it is.\n";
  return fmt::format("The median is {:.2f} % {} than as planned.\n", std::abs(percent),
                     percent < 0 ? "lower" : "higher");
}

}  // namespace

std::string ForecastPage(const v1::RunSummary& run, const v1::ForecastRunResponse& answer,
                         const v1::GetCurveResponse& curve, const ViewStyle& style) {
  const v1::PlannedForecast& shown = answer.has_what_if() ? answer.what_if() : answer.declared();
  const int64_t end = std::max(shown.total_steps(), answer.declared().total_steps());
  std::string notes =
      DifferenceText(answer) + LeansText(shown.forecast()) + ReasonText("as planned", answer.declared());
  if (answer.has_what_if()) notes += ReasonText("under the plan asked about", answer.what_if());
  return fmt::format("{}/{}  {}\n\n", run.run().project(), run.run().run_id(), ProgressText(run)) +
         TableText(run, answer) + (notes.empty() ? "" : "\n" + notes) +
         CurveText(curve, shown.forecast(), static_cast<double>(end), style);
}

}  // namespace curvecast
