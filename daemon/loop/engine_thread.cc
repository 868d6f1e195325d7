#include "daemon/loop/engine_thread.h"

#include <algorithm>
#include <utility>

namespace curvecast {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{20};
constexpr std::chrono::milliseconds kLongestRetry{1000};
constexpr int64_t kOrderIntervalMicros = 5000;
constexpr size_t kMaxStagedEvents = 8192;  // In one transaction.

double SecondsSince(Clock& clock, int64_t monotonic_micros) {
  return static_cast<double>(clock.MonotonicMicros() - monotonic_micros) * 1e-6;
}

}  // namespace

EngineThread::EngineThread(Options options, Parts parts, const Prior& prior)
    : options_(options),
      parts_(std::move(parts)),
      admission_(engine_, options.limits),
      fit_pool_(options.fit_threads, prior, parts_.inbox, parts_.metrics),
      planner_(options.fitting, fit_pool_) {}

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
  if (!Replay()) return;
  while (true) {
    const bool last = stopping_;  // Read before draining, so that what came before the stop is drained.
    std::vector<Inbox::Item> items = parts_.inbox.Drain(last ? std::chrono::milliseconds(0) : options_.publish_interval);
    parts_.metrics.inbox_batches.Set(static_cast<double>(items.size()));
    for (Inbox::Item& item : items) {
      Take(std::move(item));
      if (staged_.size() >= kMaxStagedEvents && !Commit()) return;
    }
    if (!Commit()) return;
    for (Question& question : questions_) question.answer(engine_.Find(question.key));
    questions_.clear();
    OrderFits();
    PublishIfDue(last);
    if (last) return;
  }
}

bool EngineThread::Replay() {
  absl::Status status = parts_.journal.Replay([this](Event event) {
    if (stopping_) return absl::CancelledError("the daemon is stopping");
    return engine_.Apply(event).status();
  });
  if (absl::IsCancelled(status)) return false;
  if (!status.ok()) {
    parts_.on_fatal(status);
    return false;
  }
  // The journal keeps forecasts without their paths, and not all of them: every run is due for a fresh one.
  engine_.ForEach([this](const Run& run) { planner_.Note(run.spec().key); });
  changed_ = true;
  PublishIfDue(true);
  return true;
}

void EngineThread::Take(Inbox::Item item) {
  if (auto* ingest = std::get_if<Ingest>(&item)) return Take(std::move(*ingest));
  if (auto* result = std::get_if<FitResult>(&item)) return Take(std::move(*result));
  questions_.push_back(std::move(std::get<Question>(item)));
}

void EngineThread::Take(Ingest ingest) {
  absl::StatusOr<Admission::Verdict> verdict = admission_.Admit(ingest.event);
  const auto* opened = std::get_if<RunOpened>(&ingest.event.body);
  const uint64_t sequence = opened != nullptr ? 0 : std::get<BatchAppended>(ingest.event.body).sequence;
  if (!verdict.ok()) {
    parts_.metrics.rejected_batches.Increment();
    // Behind the answers that wait for the commit, so that a writer hears of its batches in order.
    pending_.push_back({ingest.sink, {ingest.channel, RejectedReply{sequence, verdict.status()}}});
    return;
  }
  if (opened != nullptr) {
    AnswerOpen(ingest, *opened);
  } else {
    pending_.push_back({ingest.sink, {ingest.channel, AckReply{sequence}}});
  }
  if (*verdict == Admission::Verdict::kKnown) {
    if (opened == nullptr) parts_.metrics.duplicate_batches.Increment();
    return;
  }
  staged_.push_back(std::move(ingest.event));
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
  const Run* run = engine_.Find(result.key);
  if (run == nullptr || run->rewind_count() != result.rewinds) return;
  if (run->AtCheckpoint(result.forecast)) {
    staged_.push_back({parts_.clock.NowUnixMicros(), result.key, ForecastMade{std::move(result.forecast)}});
  } else {
    shown_.push_back(std::move(result));
  }
}

bool EngineThread::Commit() {
  if (!staged_.empty()) {
    std::chrono::milliseconds retry = kFirstRetry;
    bool failed = false;
    while (true) {
      const int64_t start = parts_.clock.MonotonicMicros();
      absl::Status status = parts_.journal.Append(staged_);
      if (status.ok()) {
        parts_.metrics.commit_seconds.Observe(SecondsSince(parts_.clock, start));
        if (failed) parts_.on_journal(status);
        break;
      }
      parts_.metrics.journal_failures.Increment();
      if (absl::IsDataLoss(status)) {
        parts_.on_fatal(status);
        return false;
      }
      if (!failed) parts_.on_journal(status);
      failed = true;
      if (stopping_) return false;
      std::this_thread::sleep_for(retry);
      retry = std::min(2 * retry, kLongestRetry);
    }
    for (const Event& event : staged_) {
      absl::StatusOr<Engine::Effect> effect = engine_.Apply(event);
      CURVECAST_CHECK(effect.ok());  // It was admitted.
      if (const auto* batch = std::get_if<BatchAppended>(&event.body); batch != nullptr && !effect->duplicate) {
        parts_.metrics.batches.Increment();
        parts_.metrics.points.Increment(static_cast<double>(effect->points));
        if (effect->rewound) parts_.metrics.rewinds.Increment();
      }
      if (!std::holds_alternative<ForecastMade>(event.body)) planner_.Note(event.key);
    }
    staged_.clear();
    changed_ = true;
  }
  admission_.Clear();
  for (FitResult& result : shown_) {
    Run* run = engine_.FindMutable(result.key);
    if (run != nullptr && run->rewind_count() == result.rewinds) run->Show(std::move(result.forecast));
    changed_ = true;
  }
  shown_.clear();
  for (const Pending& pending : pending_) pending.sink->Deliver(pending.reply);
  pending_.clear();
  return true;
}

void EngineThread::OrderFits() {
  const int64_t now = parts_.clock.MonotonicMicros();
  if (now - ordered_at_ < kOrderIntervalMicros) return;  // It looks at every run with news.
  planner_.OrderDue(engine_, now);
  ordered_at_ = now;
}

void EngineThread::PublishIfDue(bool now) {
  const int64_t start = parts_.clock.MonotonicMicros();
  const int64_t interval = std::chrono::duration_cast<std::chrono::microseconds>(options_.publish_interval).count();
  if (!changed_ || (!now && start - published_at_ < interval)) return;
  parts_.boards.Publish(engine_.Publish(parts_.clock.NowUnixMicros()));
  parts_.metrics.publish_seconds.Observe(SecondsSince(parts_.clock, start));
  published_at_ = start;
  changed_ = false;
}

}  // namespace curvecast
