#include "core/engine/run_compactor.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

constexpr size_t kRowsATry = 64;  // What does not pay yet is tried again after so many rows more.

bool IsRow(const Event& event) {
  return std::holds_alternative<BatchAppended>(event.body) || std::holds_alternative<CurveKept>(event.body);
}

bool Same(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool Same(const Bin& a, const Bin& b) {
  return a.first_step == b.first_step && a.last_step == b.last_step && a.count == b.count &&
         Same(a.mean_step, b.mean_step) && Same(a.mean, b.mean) && Same(a.m2, b.m2) && Same(a.last_value, b.last_value);
}

bool Same(const std::vector<Bin>& a, const std::vector<Bin>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Bin& x, const Bin& y) { return Same(x, y); });
}

bool Same(const Curve& a, const Curve& b) {
  const Curve::Parts left = a.parts(), right = b.parts();
  const auto same_span = [](const Curve::Span& x, const Curve::Span& y) {
    return x.first_step == y.first_step && x.last_step == y.last_step && x.count == y.count;
  };
  return Same(left.bins, right.bins) && left.last_step == right.last_step && Same(left.last_value, right.last_value) &&
         std::equal(left.spans.begin(), left.spans.end(), right.spans.begin(), right.spans.end(), same_span);
}

bool Same(const CurveKept& a, const CurveKept& b) {
  const auto same_writer = [](const CurveKept::Writer& x, const CurveKept::Writer& y) {
    return x.name == y.name && x.incarnation == y.incarnation && x.last_sequence == y.last_sequence &&
           x.rewind_pending == y.rewind_pending && x.resume_step == y.resume_step;
  };
  const auto same_series = [](const CurveKept::Series& x, const CurveKept::Series& y) {
    return x.metric == y.metric && x.writer == y.writer && Same(x.curve, y.curve);
  };
  const auto same_branch = [](const Branch& x, const Branch& y) {
    return x.rewound_to == y.rewound_to && Same(x.bins, y.bins);
  };
  return std::equal(a.writers.begin(), a.writers.end(), b.writers.begin(), b.writers.end(), same_writer) &&
         std::equal(a.series.begin(), a.series.end(), b.series.begin(), b.series.end(), same_series) &&
         std::equal(a.branches.begin(), a.branches.end(), b.branches.begin(), b.branches.end(), same_branch) &&
         a.rewinds == b.rewinds && a.rewind_count == b.rewind_count && a.state == b.state && a.reopened == b.reopened &&
         a.last_point_at == b.last_point_at && a.ended_at == b.ended_at && a.phase == b.phase &&
         a.phase_began_at == b.phase_began_at && a.forecast_steps == b.forecast_steps &&
         a.shows_forecast == b.shows_forecast;
}

bool SameForecasts(const Run& a, const Run& b) {
  return std::equal(a.history().begin(), a.history().end(), b.history().begin(), b.history().end(),
                    [](const Forecast& x, const Forecast& y) {
                      return x.step == y.step && x.reason == y.reason && Same(x.progress, y.progress) &&
                             Same(x.expected_value, y.expected_value) && x.quantiles == y.quantiles;
                    });
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
  if (engine_ == nullptr) engine_.reset(new Engine(Engine::Unwatched(prior_)));
  key_ = stored.event.key;
  if (IsRow(stored.event)) return TakeRow(std::move(stored));
  if (rows_ > 0 && !kept_) kept_ = engine_->Find(key_)->Keep();
  const absl::StatusOr<Engine::Effect> effect = engine_->Apply(stored.event);
  if (!effect.ok()) return effect.status();
  items_.push_back({std::move(stored.event)});
  // A declaration that moves the past needs the run before it as it was.
  if (rows_ > 0 && !effect->changed_pasts.empty()) return Cut({.settles = false, .stays = true});
  return std::nullopt;
}

absl::StatusOr<std::optional<Replacement>> RunCompactor::TakeRow(StoredEvent stored) {
  const absl::StatusOr<Engine::Effect> effect = engine_->Apply(stored.event);
  if (!effect.ok()) return effect.status();
  const auto* place = std::get_if<CurveKept>(&stored.event.body);
  const bool settles = !effect->changed_pasts.empty() || (place != nullptr && place->settles);
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
  const Run* now = engine_->Find(key_);
  const Run* then = again.Find(key_);
  const PastKey past = PastKeyOf(now->spec());
  const auto taught = [&past](const Engine& engine) {
    const std::shared_ptr<const ProjectPast> of = engine.Past(past);
    return of == nullptr ? 0 : of->history.relatives().size();
  };
  return then != nullptr && Same(now->Keep(), then->Keep()) && SameForecasts(*now, *then) &&
         now->flags().raised() == then->flags().raised() && taught(*engine_) == taught(again);
}

}  // namespace curvecast
