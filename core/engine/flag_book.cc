#include "core/engine/flag_book.h"

#include <algorithm>
#include <utility>

namespace curvecast {
namespace {

template <typename Flags>
auto FindNumber(Flags& flags, int64_t number) {
  auto at = std::lower_bound(flags.begin(), flags.end(), number,
                             [](const BookedFlag& flag, int64_t n) { return flag.number < n; });
  return at != flags.end() && at->number == number ? at : flags.end();
}

bool Same(const Flag& a, const Flag& b) { return a.kind == b.kind && a.metric == b.metric; }

// The evidence moves with every point and may hold NaN: what people are told anew is how grave it is, and how far it
// goes.
bool SaysMore(const Flag& held, const Flag& booked) {
  return held.severity != booked.severity || held.updated_step > booked.updated_step;
}

}  // namespace

const BookedFlags& NoFlags() {
  static const BookedFlags& none = *new BookedFlags(std::make_shared<const std::vector<BookedFlag>>());
  return none;
}

std::vector<const BookedFlag*> ShownFlags(const std::vector<BookedFlag>& flags, int64_t now) {
  std::vector<const BookedFlag*> shown;
  for (const BookedFlag& flag : flags) {
    if (flag.ShownAt(now)) shown.push_back(&flag);
  }
  std::sort(shown.begin(), shown.end(), [](const BookedFlag* a, const BookedFlag* b) {
    return a->flag.severity != b->flag.severity ? a->flag.severity > b->flag.severity : a->number > b->number;
  });
  return shown;
}

bool FlagBook::Apply(const FlagChange& change, int64_t time_unix_micros) {
  const BookedFlag* active = FindActive(change.flag.kind, change.flag.metric);
  if (change.what == FlagChange::What::kRaised) {
    return active == nullptr && change.flag.active() && Raise(change.flag, time_unix_micros);
  }
  const bool resolves = change.what == FlagChange::What::kResolved;
  if (active == nullptr || resolves == change.flag.active()) return false;
  auto flags = std::make_shared<std::vector<BookedFlag>>(*flags_);
  BookedFlag& booked = *FindNumber(*flags, active->number);
  booked.flag = change.flag;
  booked.updated_at = time_unix_micros;
  flags_ = std::move(flags);
  return true;
}

bool FlagBook::Raise(const Flag& flag, int64_t time_unix_micros) {
  auto flags = std::make_shared<std::vector<BookedFlag>>(*flags_);
  if (flags->size() >= kMaxFlags) {
    const auto resolved =
        std::find_if(flags->begin(), flags->end(), [](const BookedFlag& f) { return !f.flag.active(); });
    flags->erase(resolved != flags->end() ? resolved : flags->begin());
  }
  BookedFlag& booked = flags->emplace_back();
  booked.number = ++raised_;
  booked.flag = flag;
  booked.raised_at = booked.updated_at = time_unix_micros;
  flags_ = std::move(flags);
  return true;
}

bool FlagBook::Apply(const FlagHandled& handled, int64_t time_unix_micros) {
  if (Find(handled.number) == nullptr) return false;
  auto flags = std::make_shared<std::vector<BookedFlag>>(*flags_);
  BookedFlag& booked = *FindNumber(*flags, handled.number);
  if (handled.silenced_until) {
    booked.silenced_until = *handled.silenced_until > time_unix_micros ? *handled.silenced_until : 0;
    booked.silenced_by = handled.by;
  } else {
    booked.acknowledged_at = time_unix_micros;
    booked.acknowledged_by = handled.by;
  }
  if (!handled.note.empty()) booked.note = handled.note;
  flags_ = std::move(flags);
  return true;
}

const BookedFlag* FlagBook::Find(int64_t number) const {
  const auto at = FindNumber(*flags_, number);
  return at == flags_->end() ? nullptr : &*at;
}

const BookedFlag* FlagBook::FindActive(FlagKind kind, const std::string& metric) const {
  const auto at = std::find_if(flags_->begin(), flags_->end(), [&](const BookedFlag& booked) {
    return booked.flag.active() && booked.flag.kind == kind && booked.flag.metric == metric;
  });
  return at == flags_->end() ? nullptr : &*at;
}

std::vector<FlagChange> FlagBook::ChangesTo(const std::vector<Flag>& held, Resolution otherwise) const {
  std::vector<FlagChange> changes;
  for (const BookedFlag& booked : *flags_) {
    const bool is_held = std::any_of(held.begin(), held.end(), [&](const Flag& f) { return Same(f, booked.flag); });
    if (!booked.flag.active() || is_held) continue;
    changes.push_back({FlagChange::What::kResolved, booked.flag});
    changes.back().flag.resolution = otherwise;
  }
  for (const Flag& flag : held) {
    const BookedFlag* booked = FindActive(flag.kind, flag.metric);
    if (booked == nullptr) changes.push_back({FlagChange::What::kRaised, flag});
    if (booked != nullptr && SaysMore(flag, booked->flag)) changes.push_back({FlagChange::What::kUpdated, flag});
  }
  return changes;
}

}  // namespace curvecast
