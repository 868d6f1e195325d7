#pragma once

namespace curvecast {

// For tests: with CURVECAST_CRASH_AT=NAME or NAME:N in the environment the process kills itself with SIGKILL when it
// passes that crash point for the N-th time (the first by default). Returns the text, or null if there is none. Call it
// before any thread starts.
const char* CrashWhereAsked();

}  // namespace curvecast
