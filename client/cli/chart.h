#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace curvecast {

struct ChartPoint {
  double x = 0;
  double y = 0;
};

struct ChartBand {
  double x = 0;
  double low = 0;
  double middle = 0;
  double high = 0;
};

// A curve so far, and where it is expected to go.
struct ChartData {
  std::vector<ChartPoint> curve;    // By x; what is not finite is left out.
  std::vector<ChartBand> forecast;  // By x; may be empty.
  double x_end = 0;                 // The right edge, or 0: where the data ends.
};

struct ChartStyle {
  size_t width = 80;   // Of a whole line, in characters; at least 30.
  size_t height = 14;  // Rows of the plot, without the axis.
  bool ascii = false;  // Otherwise braille and box drawing.
};

// The chart as lines of text, each ended by a newline; empty if there is nothing finite to draw. The first steps of a
// run lie far above the rest, so the top is what the curve reaches after its first few per cent, and what is above is
// cut off. Pure.
std::string RenderChart(const ChartData& data, const ChartStyle& style);

}  // namespace curvecast
