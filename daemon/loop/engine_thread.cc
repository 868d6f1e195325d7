#include "daemon/loop/engine_thread.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"

namespace curvecast {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{20};
constexpr std::chrono::milliseconds kLongestRetry{1000};
constexpr int64_t kOrderIntervalMicros = 5000;
constexpr int64_t kRefusalIntervalMicros = 1'000'000;  // Between two that the operator is told of.
constexpr size_t kMaxStagedEvents = 8192;              // In one transaction.
// From one transaction to the next: whoever comes sooner shares the next one, and its sync of the disk.
constexpr int64_t kGatherMicros = 2000;
constexpr int64_t kTickIntervalMicros = 1'000'000;
// Between two ticks: this thread was held up (a full disk, a machine asleep) or the clock was set, and heard nobody.
constexpr int64_t kDeafMicros = 10'000'000;
// Between the wall clock and the monotonic one, in one turn. Corrections that are slewed in stay far below it.
constexpr int64_t kClockJumpMicros = 2'000'000;
constexpr int64_t kSameMoment = 100'000;

absl::Status Said(std::string_view what, const absl::Status& why) {
  return absl::Status(why.code(), absl::StrCat(std::string(what), ": ", std::string(why.message())));
}

}  // namespace

EngineThread::EngineThread(Options options, Parts parts, const Prior& prior)
    : options_(options),
      parts_(std::move(parts)),
      engine_(prior, options.watch),
      admission_(engine_, options.limits),
      fit_pool_(options.fit_threads, prior, parts_.inbox, parts_.metrics),
      planner_(options.fitting, fit_pool_),
      snapshots_(
          options.snapshots,
          {engine_, parts_.journal, parts_.snapshots, parts_.clock, parts_.metrics, [this](const absl::Status& why) {
             parts_.on_snapshot(Said("no snapshot was written; the next start takes longer", why));
           }}) {}

EngineThread::~EngineThread() { Stop(); }

void EngineThread::Start() {
  thread_ = std::thread([this] { Work(); });
}

void EngineThread::Stop() {
  stopping_ = true;
  parts_.inbox.Close();
  if (thread_.joinable()) thread_.join();
}

void EngineThread::Work() {
  if (Replay() && Loop()) snapshots_.TakeLast();
  // However it ended, nobody waits for an answer that will not come.
  parts_.inbox.Close();
  std::vector<Inbox::Item> items = parts_.inbox.Drain(std::chrono::milliseconds(0));
  KeepAsked(items);
  const absl::Status stopping = absl::UnavailableError("the daemon is stopping; try again in a moment");
  for (Question& question : questions_) question.answer(stopping);
  for (Handled& handled : handled_) handled.handling.answer(stopping);
}

// First, so that none is lost if the journal ends the loop: whoever asks is always answered.
void EngineThread::KeepAsked(std::vector<Inbox::Item>& items) {
  for (Inbox::Item& item : items) {
    if (auto* question = std::get_if<Question>(&item)) questions_.push_back(std::move(*question));
    if (auto* handling = std::get_if<Handling>(&item)) handled_.push_back({std::move(*handling)});
  }
}

bool EngineThread::Loop() {
  while (true) {
    Gather();
    const bool last = stopping_;  // Read before draining, so that what came before the stop is drained.
    std::vector<Inbox::Item> items = parts_.inbox.Drain(NextWait());
    parts_.metrics.inbox_batches.Set(static_cast<double>(items.size()));
    NoticeClock();  // Before what arrived at the new time.
    const size_t waiting = handled_.size();
    KeepAsked(items);
    for (Inbox::Item& item : items) {
      Take(std::move(item));
      if (staged_.size() >= kMaxStagedEvents && !Commit()) return false;
    }
    for (size_t i = waiting; i < handled_.size(); ++i) Take(handled_[i]);
    if (!Commit()) return false;
    TickIfDue();
    if (!Commit()) return false;
    OrderFits();
    PublishIfDue(last);
    if (last) return true;
    snapshots_.Step();  // Behind the answers.
  }
}

JournalMark EngineThread::LoadSnapshotIfAny() {
  if (parts_.snapshots == nullptr) return {};
  const absl::StatusOr<JournalMark> loaded = LoadSnapshot(*parts_.snapshots, parts_.journal, engine_);
  if (loaded.ok()) {
    snapshots_.Loaded(*loaded);
    return *loaded;
  }
  if (!absl::IsNotFound(loaded.status())) {
    parts_.on_snapshot(Said("the snapshot is not used, the whole journal is read", loaded.status()));
  }
  return {};
}

bool EngineThread::Replay() {
  int64_t replayed = 0;
  absl::Status status = parts_.journal.Replay(LoadSnapshotIfAny().id, [&](Event event) {
    if (stopping_) return absl::CancelledError("the daemon is stopping");
    ++replayed;
    snapshots_.Folded(event);
    return engine_.Apply(event).status();
  });
  parts_.metrics.replayed_events.Set(static_cast<double>(replayed));
  if (absl::IsCancelled(status)) return false;
  if (!status.ok()) {
    parts_.on_fatal(status);
    return false;
  }
  // What the watch said in the replay is in the journal, unless the daemon died between a transaction and its flags.
  ticked_at_ = parts_.clock.NowUnixMicros();
  clock_offset_ = ticked_at_ - parts_.clock.MonotonicMicros();
  engine_.Resume(ticked_at_);
  staged_ = engine_.Reconcile(ticked_at_);
  if (!Commit()) return false;
  // The journal keeps forecasts without their paths, and not all of them: every run is due for a fresh one.
  engine_.ForEach([this](const Run& run) { planner_.Note(run.spec().key); });
  engine_.ForEachPast([this](const PastKey& key) { planner_.NotePast(key); });
  changed_ = true;
  PublishIfDue(true);
  return true;
}

void EngineThread::Take(Inbox::Item item) {
  if (auto* ingest = std::get_if<Ingest>(&item)) return Take(std::move(*ingest));
  if (auto* result = std::get_if<FitResult>(&item)) return Take(std::move(*result));
}

void EngineThread::Take(Ingest ingest) {
  const absl::StatusOr<Admission::Admitted> admitted = admission_.Admit(ingest.event, {ingest.sink, ingest.channel});
  const auto* opened = std::get_if<RunOpened>(&ingest.event.body);
  const uint64_t sequence = opened != nullptr ? 0 : std::get<BatchAppended>(ingest.event.body).sequence;
  if (!admitted.ok()) {
    Refused(ingest.event.key, admitted.status());
    // Behind the answers that wait for the commit, so that a writer hears of its batches in order.
    pending_.push_back({ingest.sink, {ingest.channel, RejectedReply{sequence, admitted.status()}}});
    return;
  }
  if (opened != nullptr) {
    AnswerOpen(ingest, *opened);
  } else {
    pending_.push_back({ingest.sink, {ingest.channel, AckReply{sequence, admitted->left_out}}});
    if (!admitted->left_out.ok()) Refused(ingest.event.key, admitted->left_out);
  }
  if (admitted->verdict == Admission::Verdict::kKnown) {
    if (opened == nullptr) parts_.metrics.duplicate_batches.Increment();
    return;
  }
  if (opened != nullptr) opened_.insert(ingest.event.key);
  staged_.push_back(std::move(ingest.event));
}

void EngineThread::Take(Handled& handled) {
  Event event = handled.handling.event;
  handled.refused = admission_.Admit(event).status();
  if (handled.refused.ok()) staged_.push_back(std::move(event));
}

void EngineThread::Refused(const RunKey& key, const absl::Status& why) {
  parts_.metrics.rejected_batches.Increment();
  const int64_t now = parts_.clock.MonotonicMicros();
  if (now < refusal_due_) return;
  refusal_due_ = now + kRefusalIntervalMicros;
  parts_.on_refused(key, why);
}

void EngineThread::AnswerOpen(const Ingest& ingest, const RunOpened& opened) {
  OpenedReply reply;
  reply.expected_sequence = admission_.ExpectedSequence(ingest.event.key, opened.writer, opened.incarnation);
  if (const Run* run = engine_.Find(ingest.event.key); run != nullptr && !run->objective().empty()) {
    reply.last_step = run->objective().last_step();
  }
  pending_.push_back({ingest.sink, {ingest.channel, reply}});
}

void EngineThread::Take(FitResult result) {
  planner_.Done(result.key);
  Run* run = engine_.FindMutable(result.key);
  if (run == nullptr || run->rewind_count() != result.rewinds) return;
  changed_ |= run->ShowInferred(std::move(result.inferred_schedule));
  // A batch of this very transaction may rewind the curve that this was made from: then the check after it decides.
  const bool may_rewind = run->rewind_pending() || opened_.contains(result.key);
  if (run->AtCheckpoint(result.forecast) && !may_rewind) {
    staged_.push_back({parts_.clock.NowUnixMicros(), result.key, ForecastMade{std::move(result.forecast)}});
  } else {
    shown_.push_back(std::move(result));
  }
}

void EngineThread::Gather() {
  const int64_t left = committed_at_ + kGatherMicros - parts_.clock.MonotonicMicros();
  if (left <= 0 || left > kGatherMicros || stopping_) return;
  std::this_thread::sleep_for(std::chrono::microseconds(left));
}

bool EngineThread::Commit() {
  // Applied, a transaction may leave the next one staged: what the watch makes of it. What that says is not watched.
  for (bool flags = false; !staged_.empty(); flags = true) {
    CrashPoint(flags ? "before_flags" : "before_append");
    if (!flags) committed_at_ = parts_.clock.MonotonicMicros();
    if (!AppendUntilKept()) return false;
    CrashPoint(flags ? "flags_appended" : "appended");
    ApplyStaged();
    changed_ = true;
  }
  admission_.Clear();
  opened_.clear();
  for (FitResult& result : shown_) {
    Run* run = engine_.FindMutable(result.key);
    if (run != nullptr && run->rewind_count() == result.rewinds) run->Show(std::move(result.forecast));
    changed_ = true;
  }
  shown_.clear();
  return true;
}

bool EngineThread::AppendUntilKept() {
  std::chrono::milliseconds retry = kFirstRetry;
  for (int failures = 0;; ++failures) {
    const int64_t start = parts_.clock.MonotonicMicros();
    const absl::Status status = parts_.journal.Append(staged_);
    if (status.ok()) {
      parts_.metrics.commit_seconds.Observe(static_cast<double>(parts_.clock.MonotonicMicros() - start) * 1e-6);
      if (failures > 0) parts_.on_journal(status);
      return true;
    }
    parts_.metrics.journal_failures.Increment();
    if (absl::IsDataLoss(status)) {
      parts_.on_fatal(status);
      return false;
    }
    if (failures == 0) parts_.on_journal(status);
    if (stopping_) return false;
    std::this_thread::sleep_for(retry);
    retry = std::min(2 * retry, kLongestRetry);
  }
}

void EngineThread::ApplyStaged() {
  std::vector<Event> flags;
  for (const Event& event : staged_) {
    absl::StatusOr<Engine::Effect> effect = engine_.Apply(event);
    CURVECAST_CHECK(effect.ok());  // It was admitted.
    if (!effect->flag_changes.empty()) {
      AddChanges(std::move(effect->flag_changes), event.key, parts_.clock.NowUnixMicros(), flags);
    }
    if (std::holds_alternative<RunOpened>(event.body) || std::holds_alternative<BatchAppended>(event.body)) {
      planner_.Note(event.key);
    }
    if (const auto* evicted = std::get_if<RunEvicted>(&event.body)) {
      planner_.Forget(event.key);
      parts_.on_evicted(event.key, evicted->ended_at);
    }
    for (const PastKey& key : effect->changed_pasts) planner_.NotePast(key);
    Count(event, *effect);
    snapshots_.Folded(event);
  }
  staged_ = std::move(flags);
}

void EngineThread::Count(const Event& event, const Engine::Effect& effect) {
  if (const auto* changed = std::get_if<FlagChanged>(&event.body)) {
    const FlagChange& change = changed->change;
    if (change.what != FlagChange::What::kRaised) return;
    parts_.metrics.FlagsRaised(change.flag.kind, change.flag.severity).Increment();
  }
  if (std::holds_alternative<RunEvicted>(event.body)) parts_.metrics.evicted_runs.Increment();
  if (!std::holds_alternative<BatchAppended>(event.body) || effect.duplicate) return;
  parts_.metrics.batches.Increment();
  parts_.metrics.points.Increment(static_cast<double>(effect.points));
  if (effect.rewound) parts_.metrics.rewinds.Increment();
}

// A jump is no pause of any job's: unnoticed, it would be learned as one, and hide the silences to come.
void EngineThread::NoticeClock() {
  const int64_t before = parts_.clock.MonotonicMicros();
  const int64_t now = parts_.clock.NowUnixMicros();
  const int64_t after = parts_.clock.MonotonicMicros();
  if (after - before > kSameMoment) return;  // Held up in between; the next turn will tell.
  const int64_t jump = now - before - clock_offset_;
  if (std::abs(jump) < kClockJumpMicros) return;
  clock_offset_ = now - before;
  engine_.Resume(now);
  parts_.on_clock_set(static_cast<double>(jump) * 1e-6);
}

void EngineThread::TickIfDue() {
  const int64_t time = parts_.clock.MonotonicMicros();
  if (time < tick_due_) return;
  tick_due_ = time + kTickIntervalMicros;
  const int64_t now = parts_.clock.NowUnixMicros();
  const bool was_deaf = now < ticked_at_ || now - ticked_at_ > kDeafMicros;
  ticked_at_ = now;
  if (was_deaf) return engine_.Resume(now);
  staged_ = engine_.Tick(now);
  std::vector<Event> evicted = engine_.Evict(options_.limits.max_finished_runs, now);
  evicted.resize(std::min(evicted.size(), kMaxStagedEvents));
  std::move(evicted.begin(), evicted.end(), std::back_inserter(staged_));
}

void EngineThread::OrderFits() {
  const int64_t now = parts_.clock.MonotonicMicros();
  if (now - ordered_at_ < kOrderIntervalMicros) return;  // It looks at every run with news.
  planner_.OrderDue(engine_, now);
  ordered_at_ = now;
}

void EngineThread::PublishIfDue(bool now) {
  const int64_t time = parts_.clock.MonotonicMicros();
  if (changed_ && (now || time >= publish_due_)) Publish();
  if (!changed_) Answer();
  const int64_t interval = std::chrono::duration_cast<std::chrono::microseconds>(options_.publish_interval).count();
  if (!told_ && (now || time - told_at_ >= interval)) {
    parts_.boards.Tell();
    told_ = true;
    told_at_ = time;
  }
}

void EngineThread::Publish() {
  const int64_t start = parts_.clock.MonotonicMicros();
  CrashPoint("applied");
  parts_.boards.Put(engine_.Publish(parts_.clock.NowUnixMicros()));
  const int64_t end = parts_.clock.MonotonicMicros();
  parts_.metrics.publish_seconds.Observe(static_cast<double>(end - start) * 1e-6);
  publish_due_ = end + (end - start) * (kPublishShare - 1);
  changed_ = false;
  told_ = false;
}

void EngineThread::Answer() {
  if (!pending_.empty()) CrashPoint("published");
  for (const Pending& pending : pending_) pending.sink->Deliver(pending.reply);
  if (!pending_.empty()) CrashPoint("answered");
  pending_.clear();
  for (Question& question : questions_) {
    const Run* run = engine_.Find(question.key);
    if (run != nullptr) {
      question.answer(FoundRun{run, planner_.PastOf(*run)});
    } else {
      question.answer(absl::NotFoundError(
          absl::StrCat("no run \"", question.key.run_id, "\" in project \"", question.key.project, "\"")));
    }
  }
  questions_.clear();
  for (const Handled& handled : handled_) {
    const FlagHandled& done = std::get<FlagHandled>(handled.handling.event.body);
    const Run* run = engine_.Find(handled.handling.event.key);
    const BookedFlag* flag = run == nullptr ? nullptr : run->flags().Find(done.number);
    if (!handled.refused.ok()) {
      handled.handling.answer(handled.refused);
    } else if (flag == nullptr) {
      handled.handling.answer(absl::NotFoundError(absl::StrCat("number: flag ", done.number, " is not kept any more")));
    } else {
      handled.handling.answer(*flag);
    }
  }
  handled_.clear();
}

std::chrono::milliseconds EngineThread::NextWait() const {
  if (stopping_) return std::chrono::milliseconds(0);
  const int64_t interval = std::chrono::duration_cast<std::chrono::microseconds>(options_.publish_interval).count();
  int64_t due = parts_.clock.MonotonicMicros() + interval;
  if (changed_) due = std::min(due, publish_due_);
  if (!told_) due = std::min(due, told_at_ + interval);
  due = std::min(due, tick_due_);
  const std::chrono::milliseconds wait(std::max<int64_t>(1, (due - parts_.clock.MonotonicMicros()) / 1000));
  return std::min(wait, snapshots_.NextWait());
}

}  // namespace curvecast
