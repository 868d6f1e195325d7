#include "daemon/os/crash_at.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "core/base/crash_point.h"

namespace curvecast {
namespace {

std::string asked_point;
std::atomic<int64_t> passes_left{0};

void DieIfAsked(const char* point) {
  if (asked_point == point && --passes_left == 0) kill(getpid(), SIGKILL);
}

}  // namespace

const char* CrashWhereAsked() {
  const char* asked = std::getenv("CURVECAST_CRASH_AT");
  if (asked == nullptr || *asked == '\0') return nullptr;
  const std::string text = asked;
  const size_t colon = text.find(':');
  asked_point = text.substr(0, colon);
  passes_left = colon == std::string::npos ? 1 : std::atoll(text.c_str() + colon + 1);
  crash_hook = DieIfAsked;
  return asked;
}

}  // namespace curvecast
