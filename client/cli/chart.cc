#include "client/cli/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "client/cli/number_text.h"

namespace curvecast {
namespace {

constexpr size_t kSmallestWidth = 30;
constexpr size_t kLabelWidth = 8;
constexpr double kIgnoredStart = 0.04;  // Share of the width whose height does not set the scale.

// Dots in a cell: two columns of four.
constexpr int kDotColumns = 2;
constexpr int kDotRows = 4;
constexpr std::array<std::array<uint8_t, 2>, 4> kBrailleBits = {
    {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};

struct Scale {
  double x_low, x_high, y_low, y_high;
};

bool Finite(const ChartPoint& p) { return std::isfinite(p.x) && std::isfinite(p.y); }
bool Finite(const ChartBand& b) {
  return std::isfinite(b.x) && std::isfinite(b.low) && std::isfinite(b.middle) && std::isfinite(b.high);
}

Scale ScaleOf(const ChartData& data) {
  Scale scale{data.curve.front().x, std::max(data.x_end, data.curve.back().x), INFINITY, -INFINITY};
  if (!data.forecast.empty()) scale.x_high = std::max(scale.x_high, data.forecast.back().x);
  if (scale.x_high <= scale.x_low) scale.x_high = scale.x_low + 1;
  const double settled = std::min(scale.x_low + kIgnoredStart * (scale.x_high - scale.x_low),
                                  (data.curve.front().x + data.curve.back().x) / 2);
  for (const ChartPoint& p : data.curve) {
    scale.y_low = std::min(scale.y_low, p.y);
    if (p.x >= settled) scale.y_high = std::max(scale.y_high, p.y);
  }
  for (const ChartBand& b : data.forecast) {
    scale.y_low = std::min(scale.y_low, b.low);
    scale.y_high = std::max(scale.y_high, b.high);
  }
  if (!(scale.y_high > scale.y_low)) scale.y_high = scale.y_low + std::max(std::abs(scale.y_low) * 0.01, 1e-9);
  return scale;
}

// The plot in dots: the curve and the median in cells of dots, the band in whole cells.
class Canvas {
 public:
  Canvas(size_t columns, size_t rows, Scale scale)
      : columns_(static_cast<int>(columns)), rows_(static_cast<int>(rows)), scale_(scale), cells_(columns * rows) {}

  int DotX(double x) const {
    const double share = (x - scale_.x_low) / (scale_.x_high - scale_.x_low);
    return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * (columns_ * kDotColumns - 1)));
  }
  int DotY(double y) const {
    const double share = (scale_.y_high - y) / (scale_.y_high - scale_.y_low);
    return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * (rows_ * kDotRows - 1)));
  }

  void DrawCurve(const std::vector<ChartPoint>& curve) {
    for (size_t i = 0; i < curve.size(); ++i) {
      const ChartPoint& from = curve[i == 0 ? 0 : i - 1];
      Line(DotX(from.x), DotY(from.y), DotX(curve[i].x), DotY(curve[i].y));
    }
  }

  // For every column of cells that the forecast covers: shade from low to high; a dotted median.
  void DrawForecast(const std::vector<ChartBand>& forecast) {
    if (forecast.empty()) return;
    for (int dot = DotX(forecast.front().x); dot <= DotX(forecast.back().x); ++dot) {
      const double share = static_cast<double>(dot) / (columns_ * kDotColumns - 1);
      const ChartBand band = At(forecast, scale_.x_low + share * (scale_.x_high - scale_.x_low));
      for (int row = DotY(band.high) / kDotRows; row <= DotY(band.low) / kDotRows; ++row) {
        CellAt(dot / kDotColumns, row).band = true;
      }
      if (dot % 2 == 0) Dot(dot, DotY(band.middle), /*is_curve=*/false);
    }
  }

  std::string Row(size_t row, bool ascii) const {
    std::string text;
    for (int column = 0; column < columns_; ++column) {
      const Cell& cell = cells_[row * static_cast<size_t>(columns_) + static_cast<size_t>(column)];
      text += ascii ? std::string(1, Ascii(cell)) : Unicode(cell);
    }
    return text;
  }

 private:
  struct Cell {
    uint8_t dots = 0;
    bool curve = false;
    bool band = false;
  };

  static char Ascii(const Cell& cell) {
    if (cell.dots == 0) return cell.band ? '.' : ' ';
    return cell.curve ? '*' : '-';
  }

  static std::string Unicode(const Cell& cell) {
    if (cell.dots == 0) return cell.band ? "░" : " ";
    const std::array<char, 3> utf8 = {static_cast<char>(0xe2), static_cast<char>(0xa0 | (cell.dots >> 6)),
                                      static_cast<char>(0x80 | (cell.dots & 0x3f))};
    return {utf8.data(), utf8.size()};
  }

  static ChartBand At(const std::vector<ChartBand>& forecast, double x) {
    const auto right = std::lower_bound(forecast.begin(), forecast.end(), x,
                                        [](const ChartBand& band, double value) { return band.x < value; });
    if (right == forecast.begin()) return forecast.front();
    if (right == forecast.end()) return forecast.back();
    const ChartBand& a = *(right - 1);
    const ChartBand& b = *right;
    const double t = (x - a.x) / (b.x - a.x);
    return {x, std::lerp(a.low, b.low, t), std::lerp(a.middle, b.middle, t), std::lerp(a.high, b.high, t)};
  }

  Cell& CellAt(int column, int row) {
    return cells_[static_cast<size_t>(std::clamp(row, 0, rows_ - 1) * columns_ + std::clamp(column, 0, columns_ - 1))];
  }

  void Dot(int x, int y, bool is_curve) {
    Cell& cell = CellAt(x / kDotColumns, y / kDotRows);
    cell.dots |= kBrailleBits[static_cast<size_t>(y % kDotRows)][static_cast<size_t>(x % kDotColumns)];
    cell.curve |= is_curve;
  }

  void Line(int x0, int y0, int x1, int y1) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) {
      const double t = static_cast<double>(i) / steps;
      Dot(static_cast<int>(std::lround(std::lerp(x0, x1, t))), static_cast<int>(std::lround(std::lerp(y0, y1, t))),
          true);
    }
  }

  const int columns_;
  const int rows_;
  const Scale scale_;
  std::vector<Cell> cells_;
};

// Puts `text` into the line around the column, inside its bounds, unless something stands there.
void Place(std::string& line, size_t column, const std::string& text) {
  if (text.size() > line.size()) return;
  const size_t start = std::min(column - std::min(column, text.size() / 2), line.size() - text.size());
  const size_t from = start == 0 ? 0 : start - 1;
  if (line.substr(from, text.size() + 2).find_first_not_of(' ') != std::string::npos) return;
  line.replace(start, text.size(), text);
}

}  // namespace

std::string RenderChart(const ChartData& given, const ChartStyle& style) {
  ChartData data{{}, {}, given.x_end};
  std::copy_if(given.curve.begin(), given.curve.end(), std::back_inserter(data.curve),
               [](const ChartPoint& p) { return Finite(p); });
  std::copy_if(given.forecast.begin(), given.forecast.end(), std::back_inserter(data.forecast),
               [](const ChartBand& b) { return Finite(b); });
  if (data.curve.empty()) return "";

  const size_t columns = std::max(style.width, kSmallestWidth) - kLabelWidth - 2;
  const size_t rows = std::max<size_t>(style.height, 3);
  const Scale scale = ScaleOf(data);
  Canvas canvas(columns, rows, scale);
  canvas.DrawForecast(data.forecast);
  canvas.DrawCurve(data.curve);

  std::string out;
  for (size_t row = 0; row < rows; ++row) {
    const bool labelled = row == 0 || row == rows - 1 || row == rows / 2;
    const double share = static_cast<double>(row) / static_cast<double>(rows - 1);
    const std::string label = labelled ? NumberText(std::lerp(scale.y_high, scale.y_low, share)) : "";
    std::string line = fmt::format("{:>{}} ", label, kLabelWidth);
    line += style.ascii ? "|" : (labelled ? "┤" : "│");
    line += canvas.Row(row, style.ascii);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  out += std::string(kLabelWidth + 1, ' ') + (style.ascii ? "+" : "└");
  for (size_t column = 0; column < columns; ++column) out += style.ascii ? "-" : "─";
  std::string labels(columns + 1, ' ');
  Place(labels, 0, fmt::format("{:.0f}", scale.x_low));
  Place(labels, columns, fmt::format("{:.0f}", scale.x_high));
  Place(labels, static_cast<size_t>(canvas.DotX(data.curve.back().x) / kDotColumns) + 1,
        fmt::format("{:.0f}", data.curve.back().x));
  out += "\n" + std::string(kLabelWidth + 1, ' ') + labels.substr(0, labels.find_last_not_of(' ') + 1) + "\n";
  return out;
}

}  // namespace curvecast
