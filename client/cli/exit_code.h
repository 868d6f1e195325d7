#pragma once

namespace curvecast {

// What `curvecast` leaves behind for scripts. Documented in --help and README.md: do not renumber.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,        // Something broke while working.
  kUsage = 2,         // The command line makes no sense.
  kUnreachable = 3,   // No daemon answers at the address.
  kNotFound = 4,      // No such run or file.
  kInputRefused = 5,  // Some input was wrong; the rest was taken.
};

}  // namespace curvecast
