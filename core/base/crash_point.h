#pragma once

namespace curvecast {

// Called with the name of each crash point that is passed; null but in tests of what a sudden death leaves behind
// (daemon/os sets it). Written before any thread starts.
inline void (*crash_hook)(const char* point) = nullptr;

// A place where the process might die, so that a test can see to it that it does.
inline void CrashPoint(const char* point) {
  if (crash_hook != nullptr) crash_hook(point);
}

}  // namespace curvecast
