#pragma once

#include <vector>

#include "client/cli/picture/run_picture.h"
#include "client/cli/picture/svg.h"

namespace curvecast {

// "recovered", "superseded": how a flag ended.
std::string ResolutionText(Resolution resolution);

// The flags as rows of text under the chart: what it is, since when, what became of it, and its sentence.
class FlagList {
 public:
  FlagList(const std::vector<PictureFlag>& flags, double left, double right);

  double height() const;
  void Draw(double top, SvgWriter& svg) const;

 private:
  struct Row {
    const PictureFlag* flag;
    std::vector<std::string> lines;  // The sentence, and what people said.
  };
  const double left_;
  const double right_;
  std::vector<Row> rows_;
  size_t hidden_ = 0;
};

}  // namespace curvecast
