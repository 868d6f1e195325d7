#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/backtest/complete_run.h"
#include "client/cli/backtest/parallel.h"
#include "core/engine/project.h"
#include "core/family/history.h"
#include "core/law/prior.h"

namespace curvecast {

// The complete runs of some files, in order of the files.
struct RunSet {
  std::vector<CompleteRun> runs;
  size_t files = 0;
  size_t faults = 0;   // Files with something that could not be read; said on `err`.
  size_t skipped = 0;  // Runs that do not count.
};

// NOT_FOUND if a path is neither a run file nor a folder that holds one.
absl::StatusOr<RunSet> ReadRunSet(const std::vector<std::string>& paths, unsigned threads, const Progress& progress,
                                  std::ostream& err);

// The finished runs of each project, those of one objective together as in the daemon.
std::map<PastKey, History> MakeHistories(const std::vector<const RunSet*>& sets, const Prior& prior, unsigned threads);

// The prior in its text form in a file; the shipped one for an empty path.
absl::StatusOr<Prior> LoadPrior(const std::string& path);

// What goes wrong, for a person.
void Complain(std::ostream& err, const std::string& text);

}  // namespace curvecast
