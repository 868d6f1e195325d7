#include "core/engine/board.h"

#include <algorithm>

namespace curvecast {

const Phase* PhaseAt(const RunView& run, int64_t now_unix_micros) {
  if (!run.phase) return nullptr;
  // In double: the times of a journal may be anything.
  const double micros = static_cast<double>(now_unix_micros) - static_cast<double>(run.phase_began_at_unix_micros);
  return micros * 1e-6 <= run.phase->max_seconds ? &*run.phase : nullptr;
}

const RunView* Board::Find(const RunKey& key) const {
  auto at =
      std::lower_bound(runs.begin(), runs.end(), key,
                       [](const std::shared_ptr<const RunView>& run, const RunKey& k) { return run->spec->key < k; });
  if (at == runs.end() || !((*at)->spec->key == key)) return nullptr;
  return at->get();
}

}  // namespace curvecast
