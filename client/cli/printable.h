#pragma once

#include <string>

namespace curvecast {

// Text of somebody else's, such as labels and notes: on a terminal it must not command, so control characters become
// question marks.
std::string Printable(std::string text);

}  // namespace curvecast
