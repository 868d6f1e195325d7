#pragma once

#include <string>

namespace curvecast {

// The signals that end a daemon, taken one by one by the thread that asks. Create before any other thread, so that all
// of them inherit the mask; SIGPIPE is ignored.
class StopSignals {
 public:
  StopSignals();

  // Blocks until SIGTERM or SIGINT comes, or Wake is called; the signal's name, or "" when woken.
  std::string Wait();
  // Ends Wait from inside. Any thread.
  void Wake();
};

}  // namespace curvecast
