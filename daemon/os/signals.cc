#include "daemon/os/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace curvecast {
namespace {

constexpr int kWake = SIGUSR1;

sigset_t Handled() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, kWake);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = Handled();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

std::string StopSignals::Wait() {
  const sigset_t set = Handled();
  int taken = 0;
  while (sigwait(&set, &taken) != 0) {
  }
  switch (taken) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    default:
      return "";
  }
}

void StopSignals::Wake() { kill(getpid(), kWake); }

}  // namespace curvecast
