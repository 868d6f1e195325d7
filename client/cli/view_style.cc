#include "client/cli/view_style.h"

#include <chrono>

#include "client/cli/terminal.h"

namespace curvecast {

ViewStyle StyleOf(const CommonOptions& common) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {StdoutSize().columns, 0, common.ascii, std::chrono::duration_cast<std::chrono::seconds>(now).count()};
}

}  // namespace curvecast
