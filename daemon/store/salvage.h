#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace curvecast {

// What was brought over from a damaged store, and what was not.
struct SalvageReport {
  struct Range {
    int64_t first, last;
  };
  int64_t kept = 0;
  std::vector<Range> missing;         // Ids of events that cannot be read any more, in order.
  std::vector<std::string> left_out;  // Events that can be read and mean nothing without a missing one: which, and why.
  std::vector<std::string> runs;      // "project/run" of those that are left out.
};

// Makes a new store in `to`, a folder that is not there yet, of all rows that can be read in the store `from`, in
// order, numbered anew. `from` is only read.
//
// UNAVAILABLE if a daemon has `from`; NOT_FOUND if there is no store; ALREADY_EXISTS if `to` is there.
absl::StatusOr<SalvageReport> Salvage(const std::string& from, const std::string& to);

// The report for people, a few lines.
std::string Describe(const SalvageReport& report);

}  // namespace curvecast
