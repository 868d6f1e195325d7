#pragma once

#include <string>
#include <tuple>
#include <utility>

namespace curvecast {

// Names one run for ever. Ordered by project, then run id.
struct RunKey {
  std::string project;
  std::string run_id;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(project, run_id);
  }

  friend bool operator==(const RunKey& a, const RunKey& b) { return a.project == b.project && a.run_id == b.run_id; }
  friend bool operator<(const RunKey& a, const RunKey& b) {
    return std::tie(a.project, a.run_id) < std::tie(b.project, b.run_id);
  }
  template <typename H>
  friend H AbslHashValue(H h, const RunKey& k) {
    return H::combine(std::move(h), k.project, k.run_id);
  }
};

}  // namespace curvecast
