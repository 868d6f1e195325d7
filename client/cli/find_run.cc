#include "client/cli/find_run.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace curvecast {
namespace {

constexpr size_t kMaxListed = 8;
constexpr size_t kMaxSuggestions = 3;

std::string Full(const RunName& run) { return run.project + "/" + run.run_id; }

// Levenshtein's distance.
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

std::vector<std::string> Near(const std::string& text, const RunName& wanted, const std::vector<RunName>& runs) {
  std::vector<std::pair<size_t, std::string>> near;
  for (const RunName& run : runs) {
    const std::string name = wanted.project.empty() ? run.run_id : Full(run);
    const bool contains = name.find(text) != std::string::npos || run.run_id == wanted.run_id;
    const size_t distance = contains ? 0 : Distance(text, name);
    if (distance <= std::max<size_t>(2, text.size() / 3)) near.emplace_back(distance, Full(run));
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(near.size(), kMaxSuggestions); ++i) names.push_back(near[i].second);
  return names;
}

std::string Join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

RunName SplitRunName(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return {"", text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

absl::StatusOr<RunName> FindRun(const std::string& text, const std::vector<RunName>& runs) {
  const RunName wanted = SplitRunName(text);
  std::vector<std::string> found;
  const RunName* last = nullptr;
  for (const RunName& run : runs) {
    if (run.run_id != wanted.run_id || (!wanted.project.empty() && run.project != wanted.project)) continue;
    last = &run;
    found.push_back(Full(run));
  }
  if (found.size() == 1) return *last;
  if (found.size() > 1) {
    const size_t hidden = found.size() - std::min(found.size(), kMaxListed);
    found.resize(found.size() - hidden);
    return absl::InvalidArgumentError("\"" + text + "\" names several runs: " + Join(found) +
                                      (hidden > 0 ? " and " + std::to_string(hidden) + " more" : "") +
                                      "; write project/run_id");
  }
  const std::vector<std::string> near = Near(text, wanted, runs);
  return absl::NotFoundError(
      "there is no run \"" + text + "\"; " +
      (near.empty() ? "`curvecast runs` lists those there are" : "did you mean " + Join(near) + "?"));
}

}  // namespace curvecast
