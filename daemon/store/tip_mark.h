#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace curvecast {

// The newest acknowledged event, written down beside the journal, in a file of one line: its id and a checksum.
//
// Why: a transaction in SQLite's log whose bytes were changed later looks like one that the power cut short, and is
// dropped without a word. The mark says that it was acknowledged. It is written after the commit and never synced: it
// costs no time, outlives a SIGKILL with all that was acknowledged, and after a power loss says at worst too little.
class TipMark {
 public:
  // Makes the file if it is not there. DATA_LOSS if it holds what no mark is; PERMISSION_DENIED or
  // RESOURCE_EXHAUSTED if it cannot be written.
  static absl::StatusOr<TipMark> Open(const std::string& file);

  TipMark(TipMark&& other) noexcept;
  TipMark& operator=(TipMark&& other) = delete;
  ~TipMark();

  // 0 if nothing is known: a new store, one of before there were marks, or a power loss.
  int64_t acknowledged() const { return acknowledged_; }
  // Best effort: a disk that does not take it has taken the event.
  void Set(int64_t last_id);

 private:
  TipMark(int descriptor, int64_t acknowledged) : descriptor_(descriptor), acknowledged_(acknowledged) {}
  int descriptor_;
  int64_t acknowledged_;
};

// What the text of a mark says; nothing if it is none. An empty one, or of zeros (a power loss), says 0.
absl::StatusOr<int64_t> ParseTipMark(const std::string& text);

}  // namespace curvecast
