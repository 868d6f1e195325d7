#include "absl/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/terminal.h"

namespace curvecast {

ExitCode ReplayFlags(const CommonOptions& /*common*/, const FlagsArguments& /*arguments*/) {
  return Fail(absl::UnimplementedError("the replay of run files is not built yet; without PATH the daemon is asked"));
}

}  // namespace curvecast
