#include "client/cli/picture/flag_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "client/cli/picture/style_sheet.h"
#include "client/cli/picture/text_fit.h"

namespace curvecast {
namespace {

constexpr int kMostLanes = 7;
constexpr double kTagSize = 11;
constexpr double kGap = 10;  // Between labels of a lane.

// Of a flag that is over, the label is plain, else bold.
double TagWidth(const PictureFlag& flag) {
  return (flag.flag.active() ? 1.16 : 1.06) * TextWidth(FlagTag(flag), kTagSize);
}

double NewestStep(const RunPicture& picture) {
  double newest = 0;
  for (const PicturePoint& p : picture.curve) newest = std::max(newest, p.step);
  return newest;
}

std::string LookOf(const PictureFlag& flag) {
  return std::string(LookOf(flag.flag.severity)) + (flag.flag.active() ? "" : " over");
}

// The curve's value at a step, between its finite points; nothing outside of them.
std::optional<double> ValueAt(const std::vector<PicturePoint>& curve, double step) {
  const PicturePoint* before = nullptr;
  for (const PicturePoint& p : curve) {
    if (!std::isfinite(p.value)) continue;
    if (p.step == step) return p.value;
    if (p.step > step) {
      if (before == nullptr) return std::nullopt;
      return std::lerp(before->value, p.value, (step - before->step) / (p.step - before->step));
    }
    before = &p;
  }
  return std::nullopt;
}

struct Interval {
  double from, to;
};

bool Free(const std::vector<Interval>& lane, const Interval& wanted) {
  return std::none_of(lane.begin(), lane.end(), [&](const Interval& taken) {
    return wanted.from < taken.to + kGap && taken.from < wanted.to + kGap;
  });
}

}  // namespace

std::string FlagTag(const PictureFlag& flag) {
  std::string severity(NameOf(flag.flag.severity));
  std::transform(severity.begin(), severity.end(), severity.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return fmt::format("#{} {} {}", flag.number, NameOf(flag.flag.kind), severity);
}

std::vector<FlagPlace> PlaceFlags(const RunPicture& picture, const Frame& frame) {
  std::vector<FlagPlace> places;
  const double newest = NewestStep(picture);
  for (const PictureFlag& flag : picture.flags) {
    FlagPlace place;
    place.flag = &flag;
    const auto inside = [&](double step) { return std::clamp(frame.X(step), frame.left, frame.right); };
    place.x = inside(static_cast<double>(flag.flag.began_step));
    place.x_end = inside(flag.flag.active() ? newest : static_cast<double>(flag.flag.updated_step));
    place.x_end = std::max(place.x, place.x_end);
    place.text_before = place.x + TagWidth(flag) > frame.right;
    places.push_back(place);
  }
  std::vector<FlagPlace*> order;
  for (FlagPlace& place : places) order.push_back(&place);
  std::stable_sort(order.begin(), order.end(), [](const FlagPlace* a, const FlagPlace* b) {
    const auto rank = [](const FlagPlace* p) {
      return std::pair(-static_cast<int>(p->flag->flag.severity), !p->flag->flag.active());
    };
    return std::tuple(rank(a), a->x) < std::tuple(rank(b), b->x);
  });
  std::vector<std::vector<Interval>> lanes(kMostLanes);
  for (FlagPlace* place : order) {
    const double width = TagWidth(*place->flag);
    const Interval wanted = {place->text_before ? place->x - width : place->x,
                             std::max(place->x_end, place->text_before ? place->x : place->x + width)};
    for (int lane = 0; lane < kMostLanes && place->lane < 0; ++lane) {
      if (!Free(lanes[static_cast<size_t>(lane)], wanted)) continue;
      lanes[static_cast<size_t>(lane)].push_back(wanted);
      place->lane = lane;
    }
  }
  return places;
}

int LanesOf(const std::vector<FlagPlace>& places) {
  int lanes = 0;
  for (const FlagPlace& place : places) lanes = std::max(lanes, place.lane + 1);
  return lanes;
}

void DrawFlagLines(const std::vector<FlagPlace>& places, const Frame& frame, SvgWriter& svg) {
  for (const FlagPlace& place : places) {
    const double top = frame.top - 4 - kLaneHeight * std::max(place.lane, 0);
    svg.Open("g", fmt::format("class=\"{}\"", LookOf(*place.flag)));
    svg.Box("fill span", {place.x, frame.top}, place.x_end - place.x, frame.bottom - frame.top);
    svg.Line("line", {place.x, top}, {place.x, frame.bottom});
    svg.Close("g");
  }
}

void DrawFlagLabels(const RunPicture& picture, const std::vector<FlagPlace>& places, const Frame& frame,
                    SvgWriter& svg) {
  for (const FlagPlace& place : places) {
    const PictureFlag& flag = *place.flag;
    svg.Open("g", fmt::format("class=\"{}\"", LookOf(flag)));
    svg.Plain("title", "", FlagTag(flag) + ": " + flag.sentence);
    if (flag.flag.metric == picture.metric) {
      const std::optional<double> value = ValueAt(picture.curve, static_cast<double>(flag.flag.began_step));
      const bool seen = value && *value >= frame.values.low && *value <= frame.values.high;
      if (seen)
        svg.Circle(flag.flag.active() ? "ring fill" : "ring",
                   frame.At(static_cast<double>(flag.flag.began_step), *value), 4);
    }
    if (place.lane >= 0) {
      const double y = frame.top - 4 - kLaneHeight * place.lane;
      const double width = TagWidth(flag);
      const double x = place.text_before ? place.x - width : place.x;
      svg.Box("paper", {x - 2, y - 14}, width + 4, 13);
      svg.Line("bar", {place.x, y}, {std::max(place.x_end, place.x + 1.3), y});
      svg.Text(place.text_before ? "tag end" : "tag", {place.text_before ? place.x - 1 : place.x + 1, y - 4.5},
               FlagTag(flag));
    }
    svg.Close("g");
  }
}

}  // namespace curvecast
