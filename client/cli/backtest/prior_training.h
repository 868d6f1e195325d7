#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace curvecast {

// What `curvecast prior train` was asked for.
struct PriorTrainingOptions {
  std::vector<std::string> runs;       // Run files, or folders of them; each project is a source.
  std::vector<std::string> leave_out;  // Projects that the prior must not see.
  std::vector<std::string> apart;      // Projects of another sort than the others, such as vision beside language.
  std::string output_file;             // Where the prior goes; "-": `out`.
  // Whether to learn interval factors: each source is forecast by a prior that has not seen it, which takes as many
  // trainings as there are sources. Without, they are 1.
  bool intervals = true;
  unsigned threads = 0;        // 0: every core.
  bool show_progress = false;  // On `err`, in place: for a terminal.
};

// Learns a prior from finished runs and writes its text. The same runs give the same text. Exit codes of backtest.h.
int TrainPriorFile(const PriorTrainingOptions& options, std::ostream& out, std::ostream& err);

}  // namespace curvecast
