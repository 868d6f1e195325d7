#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace curvecast {

// Text for the inside of an element or of an attribute in quotes. What XML cannot hold (control characters, bytes that
// are not UTF-8) becomes a question mark.
std::string EscapeXml(std::string_view text);

struct SvgPoint {
  double x = 0;
  double y = 0;
};

// Writes elements of SVG, one a line. Looks are classes of the picture's style sheet.
class SvgWriter {
 public:
  // `attributes` as they stand in the tag, without a blank before; what comes from outside is escaped by the caller.
  void Open(std::string_view element, std::string_view attributes);
  void Close(std::string_view element);
  // An element with nothing but text in it.
  void Plain(std::string_view element, std::string_view attributes, std::string_view text);

  void Line(std::string_view look, SvgPoint from, SvgPoint to);
  void Box(std::string_view look, SvgPoint corner, double width, double height);
  void Circle(std::string_view look, SvgPoint center, double radius);
  // Lines of points, each broken off from the next. Those of fewer than two points are left out.
  void Lines(std::string_view look, const std::vector<std::vector<SvgPoint>>& lines);
  void Area(std::string_view look, const std::vector<SvgPoint>& outline);
  // `look` says where the text stands of its point: "start", "middle" or "end" among its classes.
  void Text(std::string_view look, SvgPoint at, std::string_view text);
  // Read from below, as beside an upright axis.
  void TextUpward(std::string_view look, SvgPoint at, std::string_view text);
  // Two looks in one line, the second right behind the first.
  void Texts(std::string_view look, SvgPoint at, std::string_view text, std::string_view look_behind,
             std::string_view text_behind);
  void Raw(std::string_view text) { out_ += text; }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace curvecast
