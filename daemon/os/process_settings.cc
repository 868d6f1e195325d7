#include "daemon/os/process_settings.h"

#include <sys/resource.h>

#include "absl/synchronization/mutex.h"

namespace curvecast {

void SetUpProcess() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);  // As it is, if that fails.
  }
}

}  // namespace curvecast
