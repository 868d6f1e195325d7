#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/family/kinship.h"
#include "core/family/relative.h"

namespace curvecast {

// The finished runs of one project. Plain data; in the order in which they were added.
class History {
 public:
  static constexpr size_t kMaxRelatives = 4096;  // The oldest goes for the newest.

  // Of those in the history, which a run leans on.
  struct Choice {
    size_t others = 64;    // Of other families: the nearest by traits and labels.
    size_t siblings = 64;  // Of its own: by a stable hash of their ids.
  };

  // Takes the place of a relative of the same run.
  void Add(Relative relative);
  void Remove(const std::string& run_id);
  const std::vector<Relative>& relatives() const { return relatives_; }

  // What they say of a run; never the run itself, nor one of another kind. Nothing if there is none to lean on.
  std::optional<Belief> Lean(const Descent& descent, const Plan& plan, Step newest, const Prior& prior,
                             const Choice& choice) const;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(relatives_);
  }

 private:
  std::vector<Relative> relatives_;
};

}  // namespace curvecast
