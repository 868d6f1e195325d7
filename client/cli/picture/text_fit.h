#pragma once

#include <string>
#include <string_view>
#include <vector>

// Text in a picture whose font is the reader's: how wide it is at most, roughly, and what to do about it.
namespace curvecast {

// In pixels, of a common sans-serif font; rather too wide than too narrow.
double TextWidth(std::string_view text, double font_size);

// With "…" at the end if it was too wide.
std::string Shortened(const std::string& text, double width, double font_size);

// Lines no wider than `width`, broken at blanks; a longer word is broken anywhere. At most `max_lines`, the last one
// shortened. At least one.
std::vector<std::string> Wrapped(const std::string& text, double width, double font_size, size_t max_lines);

}  // namespace curvecast
