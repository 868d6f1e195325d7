#include "client/cli/picture/key.h"

#include <algorithm>
#include <vector>

#include "client/cli/picture/text_fit.h"

namespace curvecast {
namespace {

constexpr double kSwatch = 24;
constexpr double kRowHeight = 20;
constexpr double kTextSize = 11;

struct Entry {
  enum class Shape { kLine, kLineOnBox, kRings };
  Shape shape;
  const char* look;
  const char* box;
  std::string text;
};

std::vector<Entry> EntriesOf(const RunPicture& picture) {
  std::vector<Entry> entries;
  const bool spread =
      std::any_of(picture.curve.begin(), picture.curve.end(), [](const PicturePoint& p) { return p.spread > 0; });
  using enum Entry::Shape;
  if (!picture.curve.empty()) {
    entries.push_back(
        {spread ? kLineOnBox : kLine, "curve", "spread", picture.metric + (spread ? ", with its spread" : "")});
  }
  if (picture.expected.size() > 1) entries.push_back({kLine, "law", "", "expected, as told on the way"});
  if (!picture.forecast.empty()) entries.push_back({kLineOnBox, "path", "band", "expected from here, with 90 % band"});
  if (!picture.past_forecasts.empty()) entries.push_back({kRings, "past", "", "the end, as forecast at that step"});
  if (!picture.superseded.empty()) entries.push_back({kLine, "gone", "", "superseded by a rewind"});
  return entries;
}

}  // namespace

double DrawKey(const RunPicture& picture, double left, double right, double top, SvgWriter& svg) {
  double x = left, y = top;
  for (const Entry& entry : EntriesOf(picture)) {
    const std::string text = Shortened(entry.text, right - left - kSwatch, kTextSize);
    const double width = kSwatch + 7 + TextWidth(text, kTextSize) + 14;
    if (x > left && x + width > right) {
      x = left;
      y += kRowHeight;
    }
    const double middle = y + kRowHeight / 2;
    if (entry.shape == Entry::Shape::kLineOnBox) svg.Box(entry.box, {x, middle - 5}, kSwatch, 10);
    if (entry.shape == Entry::Shape::kRings) {
      for (const double at : {4.0, 12.0, 20.0}) svg.Circle(entry.look, {x + at, middle}, 1.9);
    } else {
      svg.Lines(entry.look, {{{x, middle}, {x + kSwatch, middle}}});
    }
    svg.Text("", {x + kSwatch + 7, middle + 4}, text);
    x += width;
  }
  return y + kRowHeight;
}

}  // namespace curvecast
