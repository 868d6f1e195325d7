#include "client/cli/picture/curve_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "client/cli/number_text.h"
#include "client/cli/picture/text_fit.h"
#include "client/cli/picture/thin.h"

namespace curvecast {
namespace {

constexpr size_t kFewPoints = 30;    // So few are drawn as dots too.
constexpr size_t kManyPoints = 400;  // So many are drawn fine.
constexpr double kMarkGap = 10;      // Marks at the edge closer than this are one.
constexpr double kLabelSize = 10;

using Line = std::vector<SvgPoint>;

// A line is broken where a value is not finite.
std::vector<Line> LinesOf(const std::vector<PicturePoint>& series, const Frame& frame) {
  std::vector<Line> lines(1);
  for (const PicturePoint& p : series) {
    if (std::isfinite(p.value)) {
      lines.back().push_back(frame.At(p.step, p.value));
    } else if (!lines.back().empty()) {
      lines.emplace_back();
    }
  }
  return lines;
}

// Around the finite stretches of the curve, as far as its points have a spread.
void DrawSpread(const std::vector<PicturePoint>& curve, const Frame& frame, SvgWriter& svg) {
  Line upper, lower;
  const auto flush = [&] {
    upper.insert(upper.end(), lower.rbegin(), lower.rend());
    svg.Area("spread", upper);
    upper.clear();
    lower.clear();
  };
  for (const PicturePoint& p : curve) {
    if (!std::isfinite(p.value) || !std::isfinite(p.spread)) {
      flush();
      continue;
    }
    upper.push_back(frame.At(p.step, p.value + p.spread));
    lower.push_back(frame.At(p.step, p.value - p.spread));
  }
  flush();
}

bool HasSpread(const std::vector<PicturePoint>& curve) {
  return std::any_of(curve.begin(), curve.end(), [](const PicturePoint& p) { return p.spread > 0; });
}

bool Finite(const PictureBand& b) {
  return std::isfinite(b.step) && std::isfinite(b.low) && std::isfinite(b.middle) && std::isfinite(b.high);
}

void DrawForecast(const std::vector<PictureBand>& forecast, const Frame& frame, SvgWriter& svg) {
  Line upper, middle, lower;
  for (const PictureBand& b : forecast) {
    if (!Finite(b)) continue;
    upper.push_back(frame.At(b.step, b.high));
    middle.push_back(frame.At(b.step, b.middle));
    lower.push_back(frame.At(b.step, b.low));
  }
  upper.insert(upper.end(), lower.rbegin(), lower.rend());
  svg.Area("band", upper);
  svg.Lines("path", {middle});
}

// The law up to now, led on to where the forecast begins.
void DrawLaw(const RunPicture& picture, const Frame& frame, SvgWriter& svg) {
  std::vector<Line> lines = LinesOf(picture.expected, frame);
  if (!lines.back().empty() && !picture.forecast.empty() && Finite(picture.forecast.front())) {
    lines.back().push_back(frame.At(picture.forecast.front().step, picture.forecast.front().middle));
  }
  svg.Lines("law", lines);
}

struct EdgeMark {
  size_t index = 0;  // Of the point.
  double x = 0;
  double value = 0;
};

// One for each run of neighbours, the farthest out by `farther`.
std::vector<EdgeMark> Grouped(const std::vector<EdgeMark>& marks, bool (*farther)(double, double)) {
  std::vector<EdgeMark> groups;
  const EdgeMark* last = nullptr;
  for (const EdgeMark& mark : marks) {
    if (last == nullptr || (mark.index > last->index + 1 && mark.x - last->x > kMarkGap)) {
      groups.push_back(mark);
    } else if (farther(mark.value, groups.back().value)) {
      groups.back() = mark;
    }
    last = &mark;
  }
  return groups;
}

// The number beside a mark, unless the number before reaches there.
void DrawEdgeText(const std::string& text, double x, double y, const Frame& frame, double& taken, SvgWriter& svg) {
  const double width = TextWidth(text, kLabelSize) + 4;
  const bool left = x + 8 + width > frame.right;
  const double from = left ? x - 8 - width : x + 8;
  if (from < taken) return;
  taken = from + width;
  svg.Text(left ? "edge halo end" : "edge halo", {left ? x - 8 : x + 8, y}, text);
}

void DrawArrows(const std::vector<EdgeMark>& marks, bool up, const Frame& frame, SvgWriter& svg) {
  double taken = -INFINITY;
  const double tip = up ? frame.top + 2 : frame.bottom - 2, foot = up ? tip + 8 : tip - 8;
  for (const EdgeMark& mark : marks) {
    svg.Area("outside", {{mark.x, tip}, {mark.x + 4.5, foot}, {mark.x - 4.5, foot}});
    DrawEdgeText(NumberText(mark.value), mark.x, up ? frame.top + 10 : frame.bottom - 3, frame, taken, svg);
  }
}

}  // namespace

void DrawCurves(const RunPicture& picture, const Frame& frame, SvgWriter& svg) {
  const auto columns = static_cast<size_t>(frame.right - frame.left);
  const auto thin = [&](const std::vector<PicturePoint>& series) {
    return Thinned(series, frame.steps.low, frame.steps.high, columns);
  };
  svg.Open("g", "clip-path=\"url(#plot)\"");
  for (const std::vector<PicturePoint>& branch : picture.superseded) svg.Lines("gone", LinesOf(thin(branch), frame));
  const std::vector<PicturePoint> curve = thin(picture.curve);
  if (HasSpread(curve)) DrawSpread(curve, frame, svg);
  DrawForecast(picture.forecast, frame, svg);
  svg.Lines(curve.size() > kManyPoints ? "curve fine" : "curve", LinesOf(curve, frame));
  if (curve.size() <= kFewPoints) {
    for (const PicturePoint& p : curve) {
      if (std::isfinite(p.value)) svg.Circle("dot", frame.At(p.step, p.value), 2.4);
    }
  }
  DrawLaw(picture, frame, svg);
  for (const PicturePoint& p : picture.past_forecasts) {
    if (std::isfinite(p.value)) svg.Circle("past", frame.At(p.step, p.value), 1.9);
  }
  svg.Close("g");
}

void DrawOutside(const std::vector<PicturePoint>& curve, const Frame& frame, SvgWriter& svg) {
  std::vector<EdgeMark> above, below, broken;
  for (size_t i = 0; i < curve.size(); ++i) {
    const EdgeMark mark = {i, frame.X(curve[i].step), curve[i].value};
    if (!std::isfinite(mark.value)) {
      broken.push_back(mark);
    } else if (mark.value > frame.values.high) {
      above.push_back(mark);
    } else if (mark.value < frame.values.low) {
      below.push_back(mark);
    }
  }
  DrawArrows(Grouped(above, [](double a, double b) { return a > b; }), /*up=*/true, frame, svg);
  DrawArrows(Grouped(below, [](double a, double b) { return a < b; }), /*up=*/false, frame, svg);
  double taken = -INFINITY;
  const double y = frame.bottom - 8;
  for (const EdgeMark& mark : Grouped(broken, [](double, double) { return false; })) {
    const double d = 3.5;
    svg.Lines("broken", {{{mark.x - d, y - d}, {mark.x + d, y + d}}, {{mark.x - d, y + d}, {mark.x + d, y - d}}});
    DrawEdgeText(NumberText(mark.value), mark.x, y + 4, frame, taken, svg);
  }
}

void DrawForecastEnd(const RunPicture& picture, const Frame& frame, SvgWriter& svg) {
  if (picture.forecast.empty() || !Finite(picture.forecast.back())) return;
  const PictureBand& end = picture.forecast.back();
  const double y = std::clamp(frame.Y(end.middle), frame.top + 8, frame.bottom - 20);
  svg.Text("told-end", {frame.right + 8, y + 4}, NumberText(end.middle));
  svg.Text("", {frame.right + 8, y + 18}, fmt::format("{} – {}", NumberText(end.low), NumberText(end.high)));
}

}  // namespace curvecast
