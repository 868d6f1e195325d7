#include "client/cli/backtest/run_set.h"

#include <fstream>
#include <optional>
#include <ostream>
#include <sstream>
#include <utility>

#include "client/import/run_file.h"
#include "fmt/format.h"

namespace curvecast {

void Complain(std::ostream& err, const std::string& text) { err << "curvecast: " << text << "\n"; }

absl::StatusOr<RunSet> ReadRunSet(const std::vector<std::string>& paths, unsigned threads, const Progress& progress,
                                  std::ostream& err) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::vector<std::string>> found = FindRunFiles(path);
    if (!found.ok()) return found.status();
    files.insert(files.end(), found->begin(), found->end());
  }
  std::vector<ReadResult> results(files.size());
  ForEach(files.size(), threads, progress, [&](size_t i) { results[i] = ReadCompleteRun(files[i]); });
  RunSet set;
  set.files = files.size();
  for (ReadResult& result : results) {
    if (!result.problem.empty()) {
      Complain(err, result.problem);
      ++set.faults;
    }
    if (!result.skipped.empty()) ++set.skipped;
    if (result.run.has_value()) set.runs.push_back(*std::move(result.run));
  }
  return set;
}

std::map<PastKey, History> MakeHistories(const std::vector<const RunSet*>& sets, const Prior& prior, unsigned threads) {
  std::map<PastKey, History> histories;
  for (const RunSet* set : sets) {
    std::vector<std::optional<Relative>> relatives(set->runs.size());
    ForEach(relatives.size(), threads, {}, [&](size_t i) {
      const CompleteRun& run = set->runs[i];
      relatives[i] = MakeRelative(run.descent(), run.Until(1), run.PlanAt(1), prior);
    });
    for (size_t i = 0; i < relatives.size(); ++i) {
      if (relatives[i].has_value()) histories[PastKeyOf(set->runs[i].spec)].Add(*std::move(relatives[i]));
    }
  }
  return histories;
}

absl::StatusOr<Prior> LoadPrior(const std::string& path) {
  if (path.empty()) return Prior::Shipped();
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return absl::NotFoundError(fmt::format("--prior {}: cannot be read; name a prior in its text form", path));
  absl::StatusOr<Prior> prior = Prior::Parse(text.str());
  if (prior.ok()) return prior;
  return absl::InvalidArgumentError(fmt::format("--prior {}: {}", path, std::string(prior.status().message())));
}

}  // namespace curvecast
