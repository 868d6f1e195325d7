#include "daemon/store/gap_ledger.h"

#include <algorithm>

namespace curvecast {
namespace {

// SplitMix64's finish: sums of it agree by chance once in 2^64.
uint64_t HashOf(int64_t id) {
  auto x = static_cast<uint64_t>(id) + 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

void SortByFirst(std::vector<CurveKept::Rows>& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const CurveKept::Rows& a, const CurveKept::Rows& b) { return a.first < b.first; });
}

}  // namespace

void GapLedger::Missing(int64_t first, int64_t last) {
  for (int64_t id = std::max(first, before_ + 1); id <= last; ++id) {
    ++count_;
    digest_ += HashOf(id);
  }
}

void GapLedger::Replaced(const std::vector<CurveKept::Rows>& rows) {
  for (const CurveKept::Rows& range : rows) {
    for (int64_t id = std::max(range.first, before_ + 1); id <= range.last; ++id) {
      --count_;
      digest_ -= HashOf(id);
    }
  }
}

std::vector<CurveKept::Rows> Lost(std::vector<CurveKept::Rows> missing, std::vector<CurveKept::Rows> replaced) {
  SortByFirst(missing);
  SortByFirst(replaced);
  std::vector<CurveKept::Rows> lost;
  auto next = replaced.begin();
  for (const CurveKept::Rows& gap : missing) {
    int64_t from = gap.first;
    while (next != replaced.end() && next->last < from) ++next;
    for (auto by = next; by != replaced.end() && by->first <= gap.last; ++by) {
      if (by->first > from) lost.push_back({from, by->first - 1});
      from = std::max(from, by->last + 1);
    }
    if (from <= gap.last) lost.push_back({from, gap.last});
  }
  return lost;
}

}  // namespace curvecast
