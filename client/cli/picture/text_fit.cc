#include "client/cli/picture/text_fit.h"

namespace curvecast {
namespace {

constexpr char kEllipsis[] = "…";

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Of the character that begins here, in units of the font's size.
double CharacterWidth(std::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte >= 0xe3) return 1.05;  // From U+3000 on: as wide as high.
  if (byte >= 0x80) return 0.66;
  if (std::string_view("iljtfrI.,:;|!'()[]{} -/").find(text[at]) != std::string_view::npos) return 0.36;
  if (std::string_view("mwMW@%").find(text[at]) != std::string_view::npos) return 0.92;
  if ((byte >= 'A' && byte <= 'Z') || byte == '_') return 0.68;
  return 0.6;
}

// The longest beginning that fits, whole characters, in bytes.
size_t Fitting(std::string_view text, double width, double font_size) {
  double used = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsContinuation(text[i])) continue;
    used += font_size * CharacterWidth(text, i);
    if (used > width) return i;
  }
  return text.size();
}

}  // namespace

double TextWidth(std::string_view text, double font_size) {
  double width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsContinuation(text[i])) width += font_size * CharacterWidth(text, i);
  }
  return width;
}

std::string Shortened(const std::string& text, double width, double font_size) {
  if (TextWidth(text, font_size) <= width) return text;
  return text.substr(0, Fitting(text, width - TextWidth(kEllipsis, font_size), font_size)) + kEllipsis;
}

std::vector<std::string> Wrapped(const std::string& text, double width, double font_size, size_t max_lines) {
  std::vector<std::string> lines;
  std::string rest = text;
  while (TextWidth(rest, font_size) > width && lines.size() + 1 < max_lines) {
    const size_t fits = std::max<size_t>(Fitting(rest, width, font_size), 1);
    const size_t blank = rest.rfind(' ', fits);
    const size_t end = blank == std::string::npos || blank == 0 ? fits : blank;
    lines.push_back(rest.substr(0, end));
    rest.erase(0, rest.find_first_not_of(' ', end));
  }
  lines.push_back(Shortened(rest, width, font_size));
  return lines;
}

}  // namespace curvecast
