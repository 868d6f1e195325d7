#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/watch/watch.h"

// What curvecastd does with a store instead of serving it. Each prints what it found or made on standard output.
namespace curvecast {

// `curvecastd doctor`: what is in the store, and whether a daemon can start on it.
absl::Status DoctorStore(const std::string& store, const WatchOptions& watch);

// `curvecastd backup TO`: asks the daemon that has the store, or does it itself if none has; then reads the copy.
absl::Status BackUpStore(const std::string& store, const std::string& to);

// `curvecastd --salvage`: what can be read, into a store beside it.
absl::Status SalvageStore(const std::string& store);

}  // namespace curvecast
