#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "core/base/run_key.h"
#include "core/ports/compactable_journal.h"

// Runs of a journal as run files (RunFileLine of run.proto), which `curvecast import` takes.
namespace curvecast {

struct ExportedRun {
  RunKey key;
  std::string file;
  int64_t points = 0;  // In the file.
  // Points of which only the curve is kept: the file has one point for each of its bins, at the bin's mean step and
  // with its mean, and says so by a label, `points: binned`. 0: all are there, one by one.
  int64_t binned = 0;
};

// Writes `directory`/PROJECT/RUN.jsonl of each of `runs`, or of all if there are none. While others append: what came
// before the call is in it. `pause` is called between pieces of the journal, as Retention has it.
//
// What a rewind of the job has superseded is in the file too, before the rewind; of other ranks' rewinds, and of those
// in a binned curve, only what they left. One that was evicted is exported as it was; if its name came back since, only
// the newer run is. NOT_FOUND if a run is not there; UNAVAILABLE if a file cannot be written.
absl::StatusOr<std::vector<ExportedRun>> ExportRuns(CompactableJournal& journal, const std::vector<RunKey>& runs,
                                                    const std::string& directory, absl::FunctionRef<bool()> pause);

// A line a run, for people.
std::string Describe(const std::vector<ExportedRun>& runs);

}  // namespace curvecast
