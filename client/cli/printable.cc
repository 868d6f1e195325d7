#include "client/cli/printable.h"

namespace curvecast {

std::string Printable(std::string text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    const bool c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;  // The second set of controls, in UTF-8.
    if (byte < 0x20 || byte == 0x7f || c1) text[i] = '?';
    if (c1) text[i + 1] = '?';
  }
  return text;
}

}  // namespace curvecast
