#include "tests/sim/stepped_daemon.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"

namespace curvecast {

void SteppedDaemon::Start() {
  admission_.reset();
  engine_ = std::make_unique<Engine>();
  admission_.emplace(*engine_, limits_);
  snapshot_ = nullptr;
  const absl::StatusOr<JournalMark> loaded = LoadSnapshot(snapshots_, journal_, *engine_);
  started_from_snapshots_ += loaded.ok() ? 1 : 0;
  const absl::Status status = journal_.Replay(loaded.ok() ? loaded->id : 0,
                                              [this](const Event& event) { return engine_->Apply(event).status(); });
  CURVECAST_CHECK(status.ok());
  engine_->Resume(now_);
  staged_ = engine_->Reconcile(now_);
  Keep();
}

bool SteppedDaemon::Turn(std::vector<Request> requests) {
  CURVECAST_CHECK(requests.empty() || !stuck());
  for (Request& request : requests) Admit(std::move(request));
  if (!Keep()) return false;
  AnswerAll();
  return true;
}

std::string SteppedDaemon::DieIn(std::vector<Request> requests, Moment moment) {
  if (!stuck()) {
    for (Request& request : requests) Admit(std::move(request));
  }
  std::optional<std::set<std::string>> flags;
  if (staged_.empty()) flags = ActiveFlags();
  if (moment != Moment::kBeforeAppend) {
    journal_.set_durable(false);
    const bool appended = journal_.Append(staged_).ok();
    journal_.set_durable(true);
    if (appended && moment != Moment::kUnsynced) journal_.Sync();
    if (appended && moment > Moment::kSynced) {
      Apply();
      flags = ActiveFlags();
    }
    if (appended && moment > Moment::kApplied) {
      journal_.set_durable(moment == Moment::kFlagsSynced);
      journal_.Append(staged_).IgnoreError();
      journal_.set_durable(true);
    }
  }
  journal_.Crash();
  staged_.clear();
  pending_.clear();
  Start();
  if (!flags || *flags == ActiveFlags()) return "";
  return absl::StrCat("a restart changed the active flags from [", absl::StrJoin(*flags, ", "), "] to [",
                      absl::StrJoin(ActiveFlags(), ", "), "]");
}

void SteppedDaemon::Admit(Request request) {
  const auto* opened = std::get_if<RunOpened>(&request.event.body);
  const auto* batch = std::get_if<BatchAppended>(&request.event.body);
  Answer answer;
  answer.kind = opened != nullptr ? Answer::Kind::kOpened : Answer::Kind::kAck;
  answer.sequence = batch == nullptr ? 0 : batch->sequence;
  const absl::StatusOr<Admission::Admitted> admitted = admission_->Admit(request.event, {request.stream, 1});
  if (!admitted.ok()) {
    answer.kind = Answer::Kind::kRejected;
    answer.status = admitted.status();
  } else if (opened != nullptr) {
    answer.sequence = admission_->ExpectedSequence(request.event.key, opened->writer, opened->incarnation);
  }
  pending_.emplace_back(std::move(request.answer), std::move(answer));
  if (admitted.ok() && admitted->verdict == Admission::Verdict::kStage) staged_.push_back(std::move(request.event));
}

void SteppedDaemon::Forecast(const RunKey& key, int64_t now) {
  const Run* run = engine_->Find(key);
  if (stuck() || run == nullptr || run->objective().empty() || run->rewind_pending()) return;
  curvecast::Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.step = run->objective().last_step();
  forecast.progress = run->Progress();
  forecast.quantiles = {1, 2, 3, 4, 5};
  if (run->AtCheckpoint(forecast)) staged_.push_back({now, key, ForecastMade{forecast}});
}

bool SteppedDaemon::Keep() {
  while (!staged_.empty()) {
    if (!journal_.Append(staged_).ok()) return false;
    Apply();
  }
  return true;
}

void SteppedDaemon::TakePieceOfSnapshot(size_t bytes) {
  if (stuck()) return;
  if (snapshot_ == nullptr) {
    engine_->BeginSave();
    snapshot_ = *snapshots_.Write({*journal_.Newest(), engine_->settings()});
  }
  std::string piece;
  const bool all = engine_->Save(bytes, piece);
  CURVECAST_CHECK(piece.empty() || snapshot_->Add(piece).ok());
  if (!all) return;
  CURVECAST_CHECK(snapshot_->Finish().ok());
  snapshot_ = nullptr;
}

void SteppedDaemon::Apply() {
  std::vector<Event> flags;
  for (const Event& event : staged_) {
    absl::StatusOr<Engine::Effect> effect = engine_->Apply(event);
    CURVECAST_CHECK(effect.ok());
    AddChanges(std::move(effect->flag_changes), event.key, now_, flags);
  }
  staged_ = std::move(flags);
  admission_->Clear();
}

void SteppedDaemon::Handle(const RunKey& key, FlagHandled handled, int64_t now) {
  Event event{now, key, std::move(handled)};
  if (!stuck() && admission_->Admit(event).ok()) staged_.push_back(std::move(event));
}

// As EngineThread: a clock that jumped heard nobody.
void SteppedDaemon::Tick(int64_t now) {
  if (stuck()) return;
  constexpr int64_t kDeafMicros = 10'000'000;
  const bool was_deaf = now < now_ || now - now_ > kDeafMicros;
  now_ = now;
  if (was_deaf) return engine_->Resume(now);
  staged_ = engine_->Tick(now);
  for (Event& event : engine_->Evict(limits_.max_finished_runs, now)) staged_.push_back(std::move(event));
  Keep();
}

std::set<std::string> SteppedDaemon::ActiveFlags() const {
  std::set<std::string> active;
  const auto name = [](const RunKey& key, const Flag& flag) {
    return key.run_id + " " + std::string(NameOf(flag.kind)) + " " + flag.metric;
  };
  engine_->ForEach([&](const Run& run) {
    for (const BookedFlag& booked : *run.flags().flags()) {
      if (booked.flag.active()) active.insert(name(run.spec().key, booked.flag));
    }
  });
  for (const Event& event : staged_) {
    const auto* changed = std::get_if<FlagChanged>(&event.body);
    if (changed == nullptr) continue;
    if (changed->change.what == FlagChange::What::kRaised) active.insert(name(event.key, changed->change.flag));
    if (changed->change.what == FlagChange::What::kResolved) active.erase(name(event.key, changed->change.flag));
  }
  return active;
}

void SteppedDaemon::AnswerAll() {
  for (auto& [answer, what] : std::exchange(pending_, {})) answer(what);
}

}  // namespace curvecast
