#pragma once

#include <cstdint>
#include <string_view>

namespace curvecast {

// FNV-1a, 64 bits: the same on every machine and in every build, for choices that must not change.
inline uint64_t StableHash(std::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

}  // namespace curvecast
