#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/picture/run_picture.h"
#include "core/engine/flag_book.h"
#include "core/engine/project.h"
#include "core/engine/run_spec.h"
#include "core/law/prior.h"
#include "core/watch/watch.h"

namespace curvecast {

// A run file, run through the daemon's own engine as its job would have reported it: points in order of step, a
// forecast at each per cent of progress, no time.
struct FlagReplay {
  RunSpec spec;
  std::vector<BookedFlag> flags;  // All that were raised, as they were in the end; by number.
  absl::Status fault;             // What in the file could not be read; what came before it was replayed.
  std::optional<RunPicture> picture;
};

struct FlagReplayOptions {
  WatchOptions watch;
  bool picture = false;
  // The finished runs that a run leans on, as it would in the daemon; never on itself.
  std::map<PastKey, std::shared_ptr<const ProjectPast>> pasts = {};
};

// Fails if the file cannot be read, or does not declare a run.
absl::StatusOr<FlagReplay> ReplayFlagsOf(const std::string& path, const Prior& prior, const FlagReplayOptions& options);

}  // namespace curvecast
