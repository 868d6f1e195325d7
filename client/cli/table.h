#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace curvecast {

// Text in columns. Pure.
struct Table {
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
    bool may_shrink = false;  // Its cells may be cut, with a "…" in the middle, to fit the width.
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // Each as long as `columns`.
};

// A line for the titles and one for each row, without trailing blanks. `width` 0: as wide as it takes. `ellipsis`
// stands where a cell was cut.
std::string Render(const Table& table, size_t width, const std::string& ellipsis);

// Code points: what a terminal shows of the text that we print.
size_t DisplayWidth(const std::string& text);

}  // namespace curvecast
