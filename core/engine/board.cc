#include "core/engine/board.h"

#include <algorithm>

namespace curvecast {

const RunView* Board::Find(const RunKey& key) const {
  auto at =
      std::lower_bound(runs.begin(), runs.end(), key,
                       [](const std::shared_ptr<const RunView>& run, const RunKey& k) { return run->spec->key < k; });
  if (at == runs.end() || !((*at)->spec->key == key)) return nullptr;
  return at->get();
}

}  // namespace curvecast
