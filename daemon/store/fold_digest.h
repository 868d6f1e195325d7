#pragma once

#include <string_view>

namespace curvecast {

// Names the code that makes state out of a journal's bytes, and the compiler that it went through: 64 hexadecimal
// digits, another for every change to it. See fold_digest.cmake for what it is over.
std::string_view FoldDigest();

}  // namespace curvecast
