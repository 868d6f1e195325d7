#include "core/engine/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/engine/leaning.h"

namespace curvecast {
namespace {

constexpr size_t kEvictedShare = 100;  // Of the runs that may be held: more than needed go at a time.

bool Has(const BatchAppended& batch, const std::string& metric) {
  return std::any_of(batch.columns.begin(), batch.columns.end(),
                     [&](const Column& column) { return column.metric == metric; });
}

}  // namespace

void AddChanges(std::vector<FlagChange> changes, const RunKey& key, int64_t time_unix_micros,
                std::vector<Event>& events) {
  for (FlagChange& change : changes) events.push_back({time_unix_micros, key, FlagChanged{std::move(change)}});
}

Engine::Engine(const Prior& prior, const WatchOptions& watch, std::shared_ptr<const ProjectPast> elsewhere)
    : prior_(prior),
      elsewhere_(std::move(elsewhere)),
      watching_{prior, watch, [this](const RunSpec& spec, Step newest) { return KinOf(spec, newest); }} {}

std::shared_ptr<const Belief> Engine::KinOf(const RunSpec& spec, Step newest) const {
  const auto at = projects_.find(PastKeyOf(spec));
  if (at != projects_.end()) return KinForWatch(at->second.project.history(), spec, newest, prior_);
  return elsewhere_ != nullptr ? KinForWatch(elsewhere_->history, spec, newest, prior_) : nullptr;
}

absl::StatusOr<Engine::Effect> Engine::Apply(const Event& event) {
  auto at = runs_.find(event.key);
  const auto* opened = std::get_if<RunOpened>(&event.body);
  if (at == runs_.end()) {
    if (opened == nullptr) {
      return absl::InternalError(absl::StrCat("an event of run ", event.key.project, "/", event.key.run_id,
                                              ", which no event before it has opened"));
    }
    Entry& entry = runs_[event.key];
    entry.run = std::make_unique<Run>(*opened, event.time_unix_micros, watching_);
    entry.saved_in = snapshots_;
    ++running_;
    return Effect{};
  }
  if (saving_) SaveBeforeChange(event.key, at->second);
  Run& run = *at->second.run;
  if (std::holds_alternative<RunEvicted>(event.body)) {
    if (run.state() == RunState::kRunning) --running_;
    runs_.erase(at);
    return Effect{};
  }
  const bool was_running = run.state() == RunState::kRunning;
  Effect effect = ApplyTo(run, event);
  const bool is_running = run.state() == RunState::kRunning;
  if (was_running && !is_running) --running_;
  if (!was_running && is_running) ++running_;
  effect.flag_changes = run.TakeFlagChanges();
  return effect;
}

Engine::Effect Engine::ApplyTo(Run& run, const Event& event) {
  if (const auto* opened = std::get_if<RunOpened>(&event.body)) return Reopen(run, *opened);
  if (const auto* batch = std::get_if<BatchAppended>(&event.body)) return Append(run, *batch, event.time_unix_micros);
  if (const auto* made = std::get_if<ForecastMade>(&event.body)) run.Apply(*made);
  if (const auto* changed = std::get_if<FlagChanged>(&event.body)) run.Apply(*changed, event.time_unix_micros);
  if (const auto* handled = std::get_if<FlagHandled>(&event.body)) run.Apply(*handled, event.time_unix_micros);
  if (const auto* kept = std::get_if<CurveKept>(&event.body)) return Restore(run, *kept);
  return Effect{};
}

// The past is in order of who settled last, so it moves exactly where the batches moved it.
Engine::Effect Engine::Restore(Run& run, const CurveKept& kept) {
  run.Apply(kept);
  Effect effect;
  if (kept.settles) Settle(run, effect);
  return effect;
}

Engine::Effect Engine::Reopen(Run& run, const RunOpened& opened) {
  const PastKey before = PastKeyOf(run.spec());
  run.Apply(opened);
  Effect effect;
  if (PastEntry* past = FindPast(before); past != nullptr && before != PastKeyOf(run.spec())) {
    if (past->project.Forget(run.spec().key.run_id)) effect.changed_pasts.push_back(before);
  }
  Settle(run, effect);
  return effect;
}

Engine::Effect Engine::Append(Run& run, const BatchAppended& batch, int64_t time_unix_micros) {
  const bool was_finished = run.finished();
  Effect effect{run.Apply(batch, time_unix_micros)};
  // What other ranks log after the end moves nothing, unless it is the objective.
  const bool moved = run.finished() != was_finished || batch.end || effect.rewound || Has(batch, run.spec().objective);
  if (!effect.duplicate && moved && (was_finished || run.finished())) Settle(run, effect);
  return effect;
}

void Engine::Settle(const Run& run, Effect& effect) {
  const PastKey key = PastKeyOf(run.spec());
  if (PastEntry* past = FindPast(key); past != nullptr) {
    if (past->project.Settle(run, prior_)) effect.changed_pasts.push_back(key);
    return;
  }
  PastEntry fresh{.project = {}, .saved_in = snapshots_};
  if (!run.finished() || !fresh.project.Settle(run, prior_)) return;
  projects_.emplace(key, std::move(fresh));
  effect.changed_pasts.push_back(key);
}

Engine::PastEntry* Engine::FindPast(const PastKey& key) {
  auto at = projects_.find(key);
  if (at == projects_.end()) return nullptr;
  if (saving_) SaveBeforeChange(key, at->second);
  return &at->second;
}

std::vector<Event> Engine::Tick(int64_t now_unix_micros) {
  std::vector<Event> events;
  for (auto& [key, entry] : runs_) {
    if (!entry.run->watched()) continue;
    entry.run->Tick(now_unix_micros);
    AddChanges(entry.run->TakeFlagChanges(), key, now_unix_micros, events);
  }
  return events;
}

std::vector<Event> Engine::Evict(size_t max_finished_runs, int64_t now_unix_micros) const {
  const size_t finished = runs_.size() - running_;
  if (finished <= max_finished_runs) return {};
  using EndOf = std::pair<int64_t, const RunKey*>;
  std::vector<EndOf> ends;
  for (const auto& [key, entry] : runs_) {
    if (entry.run->state() != RunState::kRunning) ends.emplace_back(entry.run->ended_at(), &key);
  }
  // Some more than needed: it looks at every run.
  const size_t go = std::min(finished, finished - max_finished_runs + max_finished_runs / kEvictedShare);
  const auto older = [](const EndOf& a, const EndOf& b) {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  };
  std::partial_sort(ends.begin(), ends.begin() + static_cast<std::ptrdiff_t>(go), ends.end(), older);
  std::vector<Event> events;
  for (size_t i = 0; i < go; ++i) events.push_back({now_unix_micros, *ends[i].second, RunEvicted{ends[i].first}});
  return events;
}

void Engine::Resume(int64_t now_unix_micros) {
  for (auto& [key, entry] : runs_) entry.run->Resume(now_unix_micros);
}

std::vector<Event> Engine::Reconcile(int64_t now_unix_micros) {
  std::vector<Event> events;
  for (auto& [key, entry] : runs_) AddChanges(entry.run->Reconcile(), key, now_unix_micros, events);
  return events;
}

std::shared_ptr<const ProjectPast> Engine::Past(const PastKey& key) const {
  auto at = projects_.find(key);
  return at == projects_.end() ? nullptr : at->second.project.Past();
}

void Engine::ForEachPast(absl::FunctionRef<void(const PastKey&)> visit) const {
  for (const auto& [key, past] : projects_) visit(key);
}

const Run* Engine::Find(const RunKey& key) const {
  auto at = runs_.find(key);
  return at == runs_.end() ? nullptr : at->second.run.get();
}

Run* Engine::FindMutable(const RunKey& key) { return const_cast<Run*>(Find(key)); }

void Engine::ForEach(absl::FunctionRef<void(const Run&)> visit) const {
  for (const auto& [key, entry] : runs_) visit(*entry.run);
}

std::shared_ptr<const Board> Engine::Publish(int64_t now_unix_micros) {
  auto board = std::make_shared<Board>();
  board->published_at_unix_micros = now_unix_micros;
  board->runs.reserve(runs_.size());
  for (auto& [key, entry] : runs_) {
    if (entry.view == nullptr || entry.view_version != entry.run->version()) {
      entry.view = entry.run->View();
      entry.view_version = entry.run->version();
    }
    board->runs.push_back(entry.view);
  }
  return board;
}

}  // namespace curvecast
