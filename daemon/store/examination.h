#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/watch/watch.h"

namespace curvecast {

// What can be said of the store in a folder, for people.
struct Examination {
  std::string text;      // Lines.
  absl::Status verdict;  // OK: a daemon can start on it. Otherwise as SqliteJournal::Open, or what a replay said.
};

// Reads all of it, every row and the snapshot, and changes nothing. `watch`: what the daemon is configured to; the
// snapshot is good for that alone.
Examination Examine(const std::string& directory, const WatchOptions& watch);

}  // namespace curvecast
