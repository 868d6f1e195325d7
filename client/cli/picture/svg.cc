#include "client/cli/picture/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kFar = 1e5;  // Renderers count in floats; what is so far out is not seen anyway.

double Near(double value) { return std::clamp(std::isfinite(value) ? value : 0, -kFar, kFar); }

// One decimal is a tenth of a pixel; no minus zero.
std::string Number(double value) {
  const std::string text = fmt::format("{:.1f}", Near(value));
  const std::string whole = text.substr(0, text.size() - 2);
  if (!text.ends_with(".0")) return text;
  return whole == "-0" ? "0" : whole;
}

std::string PathText(const std::vector<SvgPoint>& points) {
  std::string path;
  for (size_t i = 0; i < points.size(); ++i) {
    path += (i == 0 ? "M" : "L") + Number(points[i].x) + " " + Number(points[i].y);
  }
  return path;
}

// How many bytes the character at `at` takes; 0 if that is none that XML may hold.
size_t CharacterBytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const size_t size = first >= 0xc2 && first < 0xe0   ? 2
                      : first >= 0xe0 && first < 0xf0 ? 3
                      : first >= 0xf0 && first < 0xf5 ? 4
                                                      : 0;
  unsigned code = size == 2 ? first & 0x1f : size == 3 ? first & 0x0f : first & 0x07;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(at + i) & 0x3f);
  }
  const bool control = code < 0xa0;
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  const bool beyond = code > 0x10ffff || (code & 0xfffe) == 0xfffe;
  return control || overlong || surrogate || beyond ? 0 : size;
}

}  // namespace

std::string EscapeXml(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = CharacterBytes(text, i);
    switch (bytes == 1 ? text[i] : '\0') {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += bytes == 0 ? "?" : text.substr(i, bytes);
    }
    i += std::max<size_t>(bytes, 1);
  }
  return out;
}

void SvgWriter::Open(std::string_view element, std::string_view attributes) {
  out_ += fmt::format("<{}{}{}>\n", element, attributes.empty() ? "" : " ", attributes);
}

void SvgWriter::Close(std::string_view element) { out_ += fmt::format("</{}>\n", element); }

void SvgWriter::Plain(std::string_view element, std::string_view attributes, std::string_view text) {
  out_ +=
      fmt::format("<{}{}{}>{}</{}>\n", element, attributes.empty() ? "" : " ", attributes, EscapeXml(text), element);
}

void SvgWriter::Line(std::string_view look, SvgPoint from, SvgPoint to) {
  out_ += fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", look, Number(from.x),
                      Number(from.y), Number(to.x), Number(to.y));
}

void SvgWriter::Box(std::string_view look, SvgPoint corner, double width, double height) {
  out_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", look, Number(corner.x),
                      Number(corner.y), Number(std::max(width, 0.0)), Number(std::max(height, 0.0)));
}

void SvgWriter::Circle(std::string_view look, SvgPoint center, double radius) {
  out_ += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", look, Number(center.x), Number(center.y),
                      Number(radius));
}

void SvgWriter::Lines(std::string_view look, const std::vector<std::vector<SvgPoint>>& lines) {
  std::string path;
  for (const std::vector<SvgPoint>& line : lines) {
    if (line.size() > 1) path += PathText(line);
  }
  if (!path.empty()) out_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", look, path);
}

void SvgWriter::Area(std::string_view look, const std::vector<SvgPoint>& outline) {
  if (outline.size() > 2) out_ += fmt::format("<path class=\"{}\" d=\"{}Z\"/>\n", look, PathText(outline));
}

void SvgWriter::Text(std::string_view look, SvgPoint at, std::string_view text) {
  out_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", look, Number(at.x), Number(at.y),
                      EscapeXml(text));
}

void SvgWriter::TextUpward(std::string_view look, SvgPoint at, std::string_view text) {
  out_ += fmt::format("<text class=\"{}\" transform=\"translate({} {}) rotate(-90)\">{}</text>\n", look, Number(at.x),
                      Number(at.y), EscapeXml(text));
}

void SvgWriter::Texts(std::string_view look, SvgPoint at, std::string_view text, std::string_view look_behind,
                      std::string_view text_behind) {
  out_ += fmt::format(
      "<text x=\"{}\" y=\"{}\"><tspan class=\"{}\">{}</tspan><tspan class=\"{}\" dx=\"8\">{}</tspan></text>\n",
      Number(at.x), Number(at.y), look, EscapeXml(text), look_behind, EscapeXml(text_behind));
}

}  // namespace curvecast
