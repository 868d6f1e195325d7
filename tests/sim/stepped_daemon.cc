#include "tests/sim/stepped_daemon.h"

#include <utility>

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
}

bool SteppedDaemon::Turn(std::vector<Request> requests) {
  CURVECAST_CHECK(requests.empty() || !stuck());
  for (Request& request : requests) Admit(std::move(request));
  if (!staged_.empty() && !journal_.Append(staged_).ok()) return false;
  Apply();
  AnswerAll();
  return true;
}

void SteppedDaemon::DieIn(std::vector<Request> requests, Moment moment) {
  if (!stuck()) {
    for (Request& request : requests) Admit(std::move(request));
  }
  if (moment != Moment::kBeforeAppend) {
    journal_.set_durable(false);
    const bool appended = journal_.Append(staged_).ok();
    journal_.set_durable(true);
    if (appended && moment != Moment::kUnsynced) journal_.Sync();
    if (appended && moment == Moment::kApplied) Apply();
  }
  journal_.Crash();
  staged_.clear();
  pending_.clear();
  Start();
}

void SteppedDaemon::Admit(Request request) {
  const auto* opened = std::get_if<RunOpened>(&request.event.body);
  const auto* batch = std::get_if<BatchAppended>(&request.event.body);
  Answer answer;
  answer.kind = opened != nullptr ? Answer::Kind::kOpened : Answer::Kind::kAck;
  answer.sequence = batch == nullptr ? 0 : batch->sequence;
  const absl::StatusOr<Admission::Admitted> admitted = admission_->Admit(request.event);
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
  for (const Event& event : staged_) CURVECAST_CHECK(engine_->Apply(event).ok());
  staged_.clear();
  admission_->Clear();
}

void SteppedDaemon::AnswerAll() {
  for (auto& [answer, what] : std::exchange(pending_, {})) answer(what);
}

}  // namespace curvecast
