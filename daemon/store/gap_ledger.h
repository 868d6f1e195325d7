#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/event.h"

namespace curvecast {

// Keeps account of ids without a row against the rows that events say they stand for. At the end they must be the same,
// or rows are lost. In constant memory: a count and a sum of hashes; which rows are lost, Lost says.
class GapLedger {
 public:
  // Ids up to `before` are not looked at.
  explicit GapLedger(int64_t before = 0) : before_(before) {}

  void Missing(int64_t first, int64_t last);
  void Replaced(const std::vector<CurveKept::Rows>& rows);
  bool Balanced() const { return count_ == 0 && digest_ == 0; }

 private:
  int64_t before_;
  int64_t count_ = 0;
  uint64_t digest_ = 0;
};

// Of the ids that are missing those that nothing replaced, as ranges in order.
std::vector<CurveKept::Rows> Lost(std::vector<CurveKept::Rows> missing, std::vector<CurveKept::Rows> replaced);

}  // namespace curvecast
