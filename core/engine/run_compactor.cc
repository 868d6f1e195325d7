#include "core/engine/run_compactor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

constexpr size_t kRowsATry = 64;  // What does not pay yet is tried again after so many rows more.

bool IsRow(const Event& event) {
  return std::holds_alternative<BatchAppended>(event.body) || std::holds_alternative<CurveKept>(event.body);
}

// Whether the event, the next one, gives a run that is over another end or none. Null: it was evicted.
bool MovesEnd(const Event& event, const Run* evicted_or_not) {
  if (evicted_or_not == nullptr) return true;
  const Run& run = *evicted_or_not;
  const auto* batch = std::get_if<BatchAppended>(&event.body);
  if (batch == nullptr)
    return std::holds_alternative<CurveKept>(event.body) && std::get<CurveKept>(event.body).ended_at != run.ended_at();
  const Run::Writer* writer = run.FindWriter(batch->writer);
  const bool counts =
      writer != nullptr && batch->incarnation == writer->incarnation && batch->sequence > writer->last_sequence;
  const bool has_points = std::any_of(batch->columns.begin(), batch->columns.end(),
                                      [](const Column& column) { return !column.steps.empty(); });
  return counts && (batch->end || (batch->writer.empty() && has_points));
}

// About what it takes in a journal.
size_t BytesOf(const CurveKept& kept) {
  size_t bytes = 64 + 32 * kept.writers.size() + 4 * kept.forecast_steps.size() + 8 * kept.replaced.size();
  const auto add = [&bytes](const std::vector<Bin>& bins) {
    for (const Bin& bin : bins) bytes += bin.count > 1 ? 38 : 14;
  };
  for (const CurveKept::Series& series : kept.series) {
    bytes += 48;
    add(series.curve.bins());
  }
  for (const Branch& branch : kept.branches) add(branch.bins);
  return bytes;
}

}  // namespace

std::vector<CurveKept::Rows> Joined(std::vector<CurveKept::Rows> rows) {
  std::sort(rows.begin(), rows.end(),
            [](const CurveKept::Rows& a, const CurveKept::Rows& b) { return a.first < b.first; });
  std::vector<CurveKept::Rows> joined;
  for (const CurveKept::Rows& next : rows) {
    if (!joined.empty() && next.first <= joined.back().last + 1) {
      joined.back().last = std::max(joined.back().last, next.last);
    } else {
      joined.push_back(next);
    }
  }
  return joined;
}

absl::StatusOr<std::optional<Replacement>> RunCompactor::Take(StoredEvent stored) {
  if (past_end_) return std::nullopt;
  if (engine_ == nullptr) engine_.reset(new Engine(Engine::Unwatched(prior_)));
  key_ = stored.event.key;
  if (at_end_ && MovesEnd(stored.event, engine_->Find(key_))) {
    past_end_ = true;
    return Finish();
  }
  const bool is_row = IsRow(stored.event);
  if (!is_row && rows_ > 0 && !kept_) kept_ = engine_->Find(key_)->Keep();
  const absl::StatusOr<Engine::Effect> effect = engine_->Apply(stored.event);
  if (!effect.ok()) return effect.status();
  if (const Run* run = engine_->Find(key_); run != nullptr) {
    at_end_ |= run->state() != RunState::kRunning && run->ended_at() == ended_at_;
  }
  if (is_row) return TakeRow(std::move(stored), *effect);
  const bool evicted = std::holds_alternative<RunEvicted>(stored.event.body);
  items_.push_back({std::move(stored.event)});
  // Whatever comes now is of another run.
  if (evicted && rows_ > 0) return Cut({.settles = false, .stays = true});
  // A declaration that moves the past needs the run before it as it was.
  if (rows_ > 0 && !effect->changed_pasts.empty()) return Cut({.settles = false, .stays = true});
  return std::nullopt;
}

absl::StatusOr<std::optional<Replacement>> RunCompactor::TakeRow(StoredEvent stored, const Engine::Effect& effect) {
  const auto* place = std::get_if<CurveKept>(&stored.event.body);
  const bool settles = !effect.changed_pasts.empty() || (place != nullptr && place->settles);
  kept_.reset();
  items_.push_back({std::move(stored.event), stored.id, stored.bytes});
  ++rows_;
  bytes_ += stored.bytes;
  if (settles) return Cut({.settles = true, .stays = true});
  const bool full = bytes_ >= options_.max_bytes || rows_ >= options_.max_rows;
  if (full && rows_ >= next_try_) return Cut({.settles = false, .stays = false});
  return std::nullopt;
}

absl::StatusOr<std::optional<Replacement>> RunCompactor::Finish() {
  if (!at_end_) return absl::NotFoundError("no event of the run says that it ended then");
  if (rows_ == 0) return std::nullopt;
  return Cut({.settles = false, .stays = false});
}

absl::StatusOr<std::optional<Replacement>> RunCompactor::Cut(const Place& place) {
  if (place.stays && ++places_ > kMaxPlaces) {
    return absl::FailedPreconditionError(
        absl::StrCat("it has moved its project's past more than ", kMaxPlaces, " times"));
  }
  CurveKept kept = kept_ ? *kept_ : engine_->Find(key_)->Keep();
  kept.settles = place.settles;
  if (!Pays(kept)) {
    next_try_ = rows_ + kRowsATry;
    if (place.stays) Leave();
    return std::nullopt;
  }
  kept_.reset();
  Replacement made = Make(std::move(kept));
  if (!Verify()) return absl::InternalError("compacted it would not be the same run");
  if (place.stays) Leave();
  return made;
}

bool RunCompactor::Pays(const CurveKept& kept) const {
  if (rows_ == 1 && std::holds_alternative<CurveKept>(Newest()->event.body)) return false;
  return static_cast<int64_t>(bytes_) - static_cast<int64_t>(BytesOf(kept)) >= options_.least_gain;
}

std::vector<RunCompactor::Item>::const_iterator RunCompactor::Newest() const {
  return std::find_if(items_.rbegin(), items_.rend(), [](const Item& item) { return item.id.has_value(); }).base() - 1;
}

// Puts one event in the place of the rows of items_.
Replacement RunCompactor::Make(CurveKept kept) {
  Replacement made{.ids = {}, .kept = {}, .bytes = static_cast<int64_t>(bytes_), .points_before = 0};
  for (const Item& item : items_) {
    if (!item.id) continue;
    made.ids.push_back(*item.id);
    if (const auto* batch = std::get_if<BatchAppended>(&item.event.body)) {
      ++kept.batches;
      for (const Column& column : batch->columns) kept.points += static_cast<int64_t>(column.steps.size());
    } else {
      const auto& before = std::get<CurveKept>(item.event.body);
      kept.batches += before.batches;
      kept.points += before.points;
      made.points_before += before.points;
      kept.replaced.insert(kept.replaced.end(), before.replaced.begin(), before.replaced.end());
    }
  }
  for (size_t i = 0; i + 1 < made.ids.size(); ++i) kept.replaced.push_back({made.ids[i], made.ids[i]});
  kept.replaced = Joined(std::move(kept.replaced));

  const size_t newest = static_cast<size_t>(Newest() - items_.cbegin());
  const size_t takes = BytesOf(kept);
  items_[newest].event.body = std::move(kept);
  items_[newest].bytes = takes;
  made.kept = items_[newest].event;
  for (size_t i = 0; i < newest; ++i) {
    if (!items_[i].id) done_.push_back(std::move(items_[i].event));
  }
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(newest));
  rows_ = 1;
  bytes_ = takes;
  next_try_ = 0;
  return made;
}

// What is in items_ stays as it is.
void RunCompactor::Leave() {
  for (Item& item : items_) done_.push_back(std::move(item.event));
  items_.clear();
  rows_ = bytes_ = next_try_ = 0;
}

// Whether the journal, as it is going to be, makes of the run what it makes now.
bool RunCompactor::Verify() const {
  Engine again = Engine::Unwatched(prior_);
  for (const Event& event : done_) {
    if (!again.Apply(event).ok()) return false;
  }
  for (const Item& item : items_) {
    if (!again.Apply(item.event).ok()) return false;
  }
  return engine_->State() == again.State();
}

}  // namespace curvecast
