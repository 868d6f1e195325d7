#include "client/cli/picture/draw_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "client/cli/number_text.h"
#include "client/cli/picture/curve_marks.h"
#include "client/cli/picture/flag_list.h"
#include "client/cli/picture/flag_marks.h"
#include "client/cli/picture/key.h"
#include "client/cli/picture/limits.h"
#include "client/cli/picture/style_sheet.h"
#include "client/cli/picture/text_fit.h"

namespace curvecast {
namespace {

constexpr double kWidth = 1080;
constexpr double kLeft = 72;  // Of the plot; the numbers of its axis stand there.
constexpr double kRight = 32;
constexpr double kRightOfForecast = 104;  // Its end is told there.
constexpr double kEdge = 24;
constexpr double kClipMargin = 4;  // So that a dot at either end is whole.
constexpr double kPlotHeight = 380;
constexpr double kStripHeight = 34;
constexpr double kStripGap = 10;
constexpr double kBelowAxis = 46;
constexpr double kTitleSize = 19;
constexpr double kFactSize = 12.5;

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " · ") + part;
  return text;
}

// For those who hear the picture.
std::string Description(const RunPicture& picture) {
  std::string text =
      "The curve of " + picture.metric + " over steps. " + Joined(picture.facts) + ". " + picture.forecast_text;
  for (const PictureFlag& flag : picture.flags) text += " " + FlagTag(flag) + ": " + flag.sentence;
  return text;
}

// Returns where the header ends.
double DrawHeader(const RunPicture& picture, SvgWriter& svg) {
  const double room = kWidth - 2 * kEdge;
  svg.Text("title", {kEdge, 36}, Shortened(picture.name, room, 1.08 * kTitleSize));
  double y = 58;
  if (!picture.facts.empty()) svg.Text("facts", {kEdge, y}, Shortened(Joined(picture.facts), room, kFactSize));
  if (!picture.forecast_text.empty()) {
    svg.Text("told", {kEdge, y += 19}, Shortened(picture.forecast_text, room, kFactSize));
  }
  return y + 12;
}

bool HasNumbers(const RunPicture& picture) {
  return !picture.forecast.empty() || std::any_of(picture.curve.begin(), picture.curve.end(),
                                                  [](const PicturePoint& p) { return std::isfinite(p.value); });
}

// Grid lines reach through the strip down to the numbers of the steps.
void DrawAxes(const RunPicture& picture, const Frame& frame, double foot, SvgWriter& svg) {
  const bool empty = !HasNumbers(picture);
  if (empty) {
    svg.Text("told middle", {(frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2},
             picture.curve.empty() ? "No point yet." : "No point is a finite number.");
  }
  for (const Tick& tick : empty ? std::vector<Tick>() : ValueTicks(frame.values, 6)) {
    const double y = frame.Y(tick.value);
    svg.Line("grid", {frame.left, y}, {frame.right, y});
    svg.Text("end", {frame.left - 8, y + 4}, tick.text);
  }
  for (const Tick& tick : StepTicks(frame.steps, 8)) {
    const double x = frame.X(tick.value);
    svg.Line("grid", {x, frame.top}, {x, foot});
    svg.Text("middle", {x, foot + 17}, tick.text);
  }
  svg.Line("axis", {frame.left, frame.bottom}, {frame.right, frame.bottom});
  svg.Text("end", {frame.right, foot + 33}, "step");
  const std::string metric = picture.metric + (frame.values.logarithmic ? ", logarithmic" : "");
  svg.TextUpward("middle", {16, (frame.top + frame.bottom) / 2}, Shortened(metric, kPlotHeight, 11));
}

// The learning rate from 0 to its peak, under the same steps.
void DrawSchedule(const RunPicture& picture, const Frame& plot, double bottom, SvgWriter& svg) {
  double peak = 0;
  for (const PictureRate& r : picture.schedule) {
    if (std::isfinite(r.rate)) peak = std::max(peak, r.rate);
  }
  Frame strip = plot;
  strip.top = bottom - kStripHeight;
  strip.bottom = bottom;
  strip.values = {0, peak > 0 ? 1.06 * peak : 1, false};
  std::vector<SvgPoint> line;
  for (const PictureRate& r : picture.schedule) {
    if (std::isfinite(r.step) && std::isfinite(r.rate)) line.push_back(strip.At(r.step, r.rate));
  }
  if (line.empty()) return;
  line.push_back({std::max(line.back().x, strip.right), line.back().y});  // Held after its last knot.
  std::vector<SvgPoint> area = line;
  area.push_back({line.back().x, strip.bottom});
  area.push_back({line.front().x, strip.bottom});
  svg.Open("g", "clip-path=\"url(#strip)\"");
  svg.Area("rates", area);
  svg.Lines("rate", {line});
  svg.Close("g");
  svg.Line("axis", {strip.left, strip.bottom}, {strip.right, strip.bottom});
  svg.Text("end", {strip.left - 8, strip.top + 11}, fmt::format("{:.4g}", peak));
  svg.Text("end", {strip.left - 8, strip.bottom}, "rate");
  const double room = (strip.right - strip.left) / 2;
  svg.Text("schedule halo end", {strip.right - 6, strip.top + 12}, Shortened(picture.schedule_text, room, 10));
}

std::string ClipPath(const char* id, double left, double top, double right, double bottom) {
  return fmt::format("<clipPath id=\"{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n", id, left,
                     top, right - left, bottom - top);
}

}  // namespace

std::string DrawRun(const RunPicture& picture) {
  SvgWriter body;
  double y = DrawHeader(picture, body);
  y = DrawKey(picture, kEdge, kWidth - kEdge, y, body);
  Frame frame;
  frame.left = kLeft;
  frame.right = kWidth - (picture.forecast.empty() ? kRight : kRightOfForecast);
  frame.steps = StepAxis(picture);
  frame.values = ValueAxis(picture);
  const std::vector<FlagPlace> places = PlaceFlags(picture, frame);
  frame.top = y + 12 + kLaneHeight * LanesOf(places);
  frame.bottom = frame.top + kPlotHeight;
  const double foot = picture.schedule.empty() ? frame.bottom : frame.bottom + kStripGap + kStripHeight;
  DrawAxes(picture, frame, foot, body);
  if (!picture.schedule.empty()) DrawSchedule(picture, frame, foot, body);
  DrawFlagLines(places, frame, body);
  DrawCurves(picture, frame, body);
  DrawOutside(picture.curve, frame, body);
  DrawForecastEnd(picture, frame, body);
  DrawFlagLabels(picture, places, frame, body);
  const FlagList list(picture.flags, kEdge, kWidth - kEdge);
  list.Draw(foot + kBelowAxis, body);
  const double height = std::ceil(foot + kBelowAxis + list.height() + 12);

  SvgWriter svg;
  svg.Open(
      "svg",
      fmt::format(
          "xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
          "role=\"img\" aria-labelledby=\"title desc\"",
          kWidth, height));
  svg.Plain("title", "id=\"title\"", picture.name + ": " + picture.metric);
  svg.Plain("desc", "id=\"desc\"", Description(picture));
  svg.Raw("<style>" + std::string(kStyleSheet) + "</style>\n");
  svg.Raw("<defs>\n" + ClipPath("plot", frame.left - kClipMargin, frame.top, frame.right + kClipMargin, frame.bottom) +
          ClipPath("strip", frame.left, frame.bottom, frame.right, foot) + "</defs>\n");
  svg.Box("paper", {0, 0}, kWidth, height);
  svg.Raw(body.Take());
  svg.Close("svg");
  return svg.Take();
}

}  // namespace curvecast
