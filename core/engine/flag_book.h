#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/watch/flag.h"

namespace curvecast {

// The watch's word on a run has changed: a flag was raised, updated or resolved.
struct FlagChanged {
  FlagChange change;
};

// A person acknowledged a flag of the run, or silenced it.
struct FlagHandled {
  int64_t number = 0;
  std::string by;
  std::string note;
  std::optional<int64_t>
      silenced_until;  // Unix microseconds; a time that is over ends a silence. Absent: acknowledged.
};

// A flag of a run, and what people did with it. Times are Unix microseconds, 0 for never.
struct BookedFlag {
  int64_t number = 0;  // From 1, in order of raising, within the run.
  Flag flag;
  int64_t raised_at = 0;
  int64_t updated_at = 0;  // When the watch last changed it.
  int64_t acknowledged_at = 0;
  std::string acknowledged_by;
  int64_t silenced_until = 0;
  std::string silenced_by;
  std::string note;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(number, flag, raised_at, updated_at, acknowledged_at, acknowledged_by, silenced_until, silenced_by, note);
  }

  // Active, and nobody has said that it need not be shown.
  bool ShownAt(int64_t now) const { return flag.active() && acknowledged_at == 0 && silenced_until <= now; }
};

using BookedFlags = std::shared_ptr<const std::vector<BookedFlag>>;

// The flags that runs without flags share.
const BookedFlags& NoFlags();

// Those of the flags that are shown at a time: the gravest first, then the newest. Views into `flags`.
std::vector<const BookedFlag*> ShownFlags(const std::vector<BookedFlag>& flags, int64_t now);

// The flags of one run, as the journal's events have them. Part of the fold; owned by Run. What an event says that does
// not fit (a flag that is not active, a number that is not kept) changes nothing, because a journal is never refused
// for it.
class FlagBook {
 public:
  static constexpr size_t kMaxFlags = 256;  // Kept; the oldest resolved goes first. All are counted.

  // False if nothing changed.
  bool Apply(const FlagChange& change, int64_t time_unix_micros);
  bool Apply(const FlagHandled& handled, int64_t time_unix_micros);

  const BookedFlag* Find(int64_t number) const;  // Null if it is not kept.
  // The active one; null if there is none.
  const BookedFlag* FindActive(FlagKind kind, const std::string& metric) const;
  const BookedFlags& flags() const { return flags_; }  // By number. Immutable: views share it.
  int64_t raised() const { return raised_; }           // Ever; the next has this number plus 1.

  // What has to happen to the flags for the active ones to be those that the watch holds. One that it does not hold is
  // resolved as `otherwise`.
  std::vector<FlagChange> ChangesTo(const std::vector<Flag>& held, Resolution otherwise) const;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(flags_, raised_);
  }

 private:
  bool Raise(const Flag& flag, int64_t time_unix_micros);

  BookedFlags flags_ = NoFlags();  // Copied when it changes, which is seldom.
  int64_t raised_ = 0;
};

}  // namespace curvecast
