#include "client/cli/table.h"

#include <algorithm>
#include <numeric>

namespace curvecast {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 9;  // Of a column that may shrink.

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Both ends are kept: run ids differ at the end as often as at the start. Only cuts plain ASCII text.
std::string Cut(const std::string& text, size_t width, const std::string& ellipsis) {
  if (DisplayWidth(text) <= width || DisplayWidth(text) != text.size()) return text;
  const size_t room = width - std::min(width, DisplayWidth(ellipsis));
  const size_t tail = room / 2;
  return text.substr(0, room - tail) + ellipsis + text.substr(text.size() - tail);
}

std::vector<size_t> Widths(const Table& table, size_t width) {
  std::vector<size_t> widths;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    size_t widest = DisplayWidth(table.columns[c].title);
    for (const auto& row : table.rows) widest = std::max(widest, DisplayWidth(row[c]));
    widths.push_back(widest);
  }
  if (width == 0 || widths.empty()) return widths;
  size_t total = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  while (total > width) {
    size_t* widest = nullptr;
    for (size_t c = 0; c < widths.size(); ++c) {
      if (!table.columns[c].may_shrink || widths[c] <= kNarrowest) continue;
      if (widest == nullptr || widths[c] > *widest) widest = &widths[c];
    }
    if (widest == nullptr) break;
    --*widest;
    --total;
  }
  return widths;
}

}  // namespace

size_t DisplayWidth(const std::string& text) {
  return text.size() - static_cast<size_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

std::string Render(const Table& table, size_t width, const std::string& ellipsis) {
  const std::vector<size_t> widths = Widths(table, width);
  std::string out;
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (size_t c = 0; c < widths.size(); ++c) {
      const std::string cell = Cut(cell_of(c), widths[c], ellipsis);
      const std::string pad(widths[c] - std::min(widths[c], DisplayWidth(cell)), ' ');
      if (c > 0) text.append(kGap, ' ');
      text += table.columns[c].align == Table::Align::kRight ? pad + cell : cell + pad;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([&](size_t c) { return table.columns[c].title; });
  for (const auto& row : table.rows) line([&](size_t c) { return row[c]; });
  return out;
}

}  // namespace curvecast
