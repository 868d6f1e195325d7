#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/ports/compactable_journal.h"
#include "core/watch/watch.h"

// What curvecastd does with a store instead of serving it. Each prints what it found or made on standard output.
namespace curvecast {

// `curvecastd doctor`: what is in the store, and whether a daemon can start on it.
absl::Status DoctorStore(const std::string& store, const WatchOptions& watch);

// `curvecastd backup TO`: asks the daemon that has the store, or does it itself if none has; then reads the copy.
absl::Status BackUpStore(const std::string& store, const std::string& to);

// `curvecastd export TO RUN...`: runs ("project/run_id"; all if there are none) as run files; asks as BackUpStore does.
absl::Status ExportStore(const std::string& store, const std::string& to, const std::vector<std::string>& runs);
// The same, by the daemon that has the store: `command` is what follows "export ". The list of what was written is left
// in the folder.
absl::Status ExportOnCommand(const std::string& command, CompactableJournal& journal, absl::FunctionRef<bool()> pause);

// `curvecastd --salvage`: what can be read, into a store beside it.
absl::Status SalvageStore(const std::string& store);

}  // namespace curvecast
