#pragma once

#include <string>

#include "absl/status/status.h"

namespace curvecast {

// What can be said of the store in a folder, for people.
struct Examination {
  std::string text;      // Lines.
  absl::Status verdict;  // OK: a daemon can start on it. Otherwise as SqliteJournal::Open, or what a replay said.
};

// Reads all of it, as a start does, and changes nothing.
Examination Examine(const std::string& directory);

}  // namespace curvecast
