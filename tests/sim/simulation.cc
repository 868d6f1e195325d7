#include "tests/sim/simulation.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/engine/run_compactor.h"
#include "tests/sim/naive_run.h"

namespace curvecast {
namespace {

constexpr size_t kActs = 400;
constexpr size_t kPeace = 400;

// In half of the lives runs that are over are let go of at once.
EngineLimits LimitsOf(uint64_t seed) {
  return {.max_runs = 3, .max_finished_runs = seed % 2 == 0 ? size_t{0} : 100, .max_metrics_per_run = 4};
}

// Everything that is shown of a run, as text; NaN is like NaN.
std::string TextOf(const Run& run) {
  const std::shared_ptr<const RunView> view = run.View();
  std::string text = absl::StrCat(static_cast<int>(view->state), " ", view->progress, " ", view->rewind_count, " ",
                                  view->opened_at_unix_micros, " ", view->last_point_at_unix_micros, " ",
                                  view->ended_at_unix_micros, " ", view->history->size());
  for (const Step step : view->rewinds) absl::StrAppend(&text, " <", step);
  for (const BookedFlag& flag : *view->flags) {
    absl::StrAppend(&text, "\nflag ", flag.number, " ", static_cast<int>(flag.flag.kind), " ",
                    static_cast<int>(flag.flag.severity), " ", static_cast<int>(flag.flag.resolution), " ",
                    flag.raised_at, " ", flag.updated_at, " ", flag.acknowledged_at, " ", flag.silenced_until, " ",
                    flag.note);
  }
  for (const MetricView& metric : view->metrics) {
    absl::StrAppend(&text, "\n", metric.metric, " ", metric.points, " ", metric.non_finite_points, " ",
                    metric.last_step, " ", metric.last_value);
    for (const Bin& bin : run.FindCurve(metric.metric)->bins()) {
      absl::StrAppend(&text, " ", bin.first_step, ":", bin.count, ":", bin.mean);
    }
  }
  return text;
}

std::vector<std::string> TextsOf(const Engine& engine) {
  std::vector<std::string> texts;
  engine.ForEach([&](const Run& run) { texts.push_back(TextOf(run)); });
  return texts;
}

}  // namespace

Simulation::Simulation(uint64_t seed) : random_(seed), daemon_(journal_, LimitsOf(seed)) {
  // Two ranks on the first run, one each on three more: one run too many.
  for (const auto& [run, writer] :
       std::vector<std::pair<std::string, std::string>>{{"a", ""}, {"a", "rank1"}, {"b", ""}, {"c", ""}, {"d", ""}}) {
    clients_.emplace_back(RunKey{"sim", run}, writer, random_());
  }
}

std::string Simulation::Run() {
  for (size_t i = 0; i < kActs && broken_.empty(); ++i) {
    ActClients();
    TurnDaemon();
  }
  Settle();
  Check();
  return broken_;
}

size_t Simulation::flags() const {
  return static_cast<size_t>(std::count_if(journal_.events().begin(), journal_.events().end(), [](const Event& event) {
    return std::holds_alternative<FlagChanged>(event.body) || std::holds_alternative<FlagHandled>(event.body);
  }));
}

void Simulation::ActClients() {
  // Wall clocks jump, backwards too.
  now_ += static_cast<int64_t>(random_() % 1'000'000) - (random_() % 50 == 0 ? 3'600'000'000 : 0);
  for (SimClient& client : clients_) {
    client.Act(now_);
    HoldStreams();
  }
  // Streams that their clients have left are cut at some time.
  std::erase_if(streams_, [&](const Held& held) {
    return held.stream != held.client->stream() && (held.stream->sent.empty() || random_() % 8 == 0);
  });
}

void Simulation::HoldStreams() {
  for (SimClient& client : clients_) {
    const bool held = std::any_of(streams_.begin(), streams_.end(),
                                  [&](const Held& other) { return other.stream == client.stream(); });
    if (client.stream() != nullptr && !held) streams_.push_back({client.stream(), &client});
  }
}

// Some of what lies on the streams, each stream's in its order, the streams' mixed by chance.
std::vector<SteppedDaemon::Request> Simulation::TakeRequests(size_t most) {
  std::vector<SteppedDaemon::Request> requests;
  for (size_t i = 0; i < most && !streams_.empty(); ++i) {
    const Held& held = streams_[random_() % streams_.size()];
    if (held.stream->sent.empty()) continue;
    SimClient* client = held.client;
    const std::shared_ptr<SimStream> stream = held.stream;
    requests.push_back(
        {std::move(stream->sent.front()),
         [this, client, stream](const SteppedDaemon::Answer& answer) { Answer(*client, stream.get(), answer); },
         stream});
    stream->sent.pop_front();
  }
  return requests;
}

void Simulation::Answer(SimClient& client, const SimStream* stream, const SteppedDaemon::Answer& answer) {
  switch (answer.kind) {
    case SteppedDaemon::Answer::Kind::kOpened:
      if (!client.TakeOpened(stream, answer.sequence, Evictions().contains(client.key()))) {
        Fail(absl::StrCat("run ", client.key().run_id, " is told to go on with ", answer.sequence));
      }
      break;
    case SteppedDaemon::Answer::Kind::kAck:
      client.TakeAck(stream, answer.sequence);
      break;
    case SteppedDaemon::Answer::Kind::kRejected:
      client.TakeRejected(stream, answer.status);
      break;
  }
}

// As a board shows them.
void Simulation::NoticeEnds() {
  daemon_.engine().ForEach([this](const curvecast::Run& run) {
    if (run.ended_at() != 0) ended_at_[run.spec().key] = run.ended_at();
  });
}

// One run that is over, or was; some replacements fail.
void Simulation::Compact() {
  const RunKey key = clients_[random_() % clients_.size()].key();
  const auto ended_at = ended_at_.find(key);
  if (ended_at == ended_at_.end()) return;
  if (random_() % 8 == 0) journal_.FailAppend(1, absl::ResourceExhaustedError("full"));
  RunCompactor compactor(Prior::Shipped(), ended_at->second,
                         {.max_rows = 1 + random_() % 16, .max_bytes = 2000, .least_gain = -1'000'000});
  const absl::StatusOr<std::vector<StoredEvent>> events = journal_.Read(1, size_t{1} << 30);
  std::map<int64_t, Event> of_run;
  const auto keep = [&](const absl::StatusOr<std::optional<Replacement>>& made) {
    if (absl::IsFailedPrecondition(made.status())) return false;  // It has moved the past too often.
    if (!made.ok()) Fail(absl::StrCat("run ", key.run_id, ": ", std::string(made.status().message())));
    if (!made.ok()) return false;
    if (!made->has_value()) return true;
    if (!journal_.Replace(**made).ok()) return false;
    for (const int64_t id : (*made)->ids) {
      if (!std::holds_alternative<CurveKept>(of_run.at(id).body)) replaced_[id] = of_run.at(id);
    }
    of_run[(*made)->ids.back()] = (*made)->kept;
    ++compactions_;
    return true;
  };
  for (const StoredEvent& stored : *events) {
    if (!(stored.event.key == key)) continue;
    of_run[stored.id] = stored.event;
    if (!keep(compactor.Take(stored))) return;
  }
  keep(compactor.Finish());
}

std::set<RunKey> Simulation::Evictions() const {
  std::set<RunKey> evicted;
  for (const Event& event : journal_.events()) {
    if (std::holds_alternative<RunEvicted>(event.body)) evicted.insert(event.key);
  }
  return evicted;
}

std::vector<Event> Simulation::Told() const {
  std::map<int64_t, Event> told = replaced_;
  for (const StoredEvent& stored : journal_.stored()) {
    if (!std::holds_alternative<CurveKept>(stored.event.body)) told[stored.id] = stored.event;
  }
  std::vector<Event> events;
  for (auto& [id, event] : told) events.push_back(std::move(event));
  return events;
}

void Simulation::TurnDaemon() {
  if (random_() % 6 == 0) return;  // A slow one.
  if (random_() % 3 == 0 && !daemon_.stuck()) NoticeEnds();
  if (random_() % 12 == 0 && !daemon_.stuck()) Compact();
  if (random_() % 20 == 0) journal_.FailAppend(1, absl::ResourceExhaustedError("full"));
  if (random_() % 4 == 0) daemon_.TakePieceOfSnapshot(random_() % 30'000);
  if (random_() % 10 == 0) daemon_.Forecast(clients_[random_() % clients_.size()].key(), now_);
  if (random_() % 20 == 0) {
    FlagHandled handled{1 + static_cast<int64_t>(random_() % 3), "ada", std::to_string(random_() % 100), std::nullopt};
    if (random_() % 2 == 0) handled.silenced_until = now_ + static_cast<int64_t>(random_() % 100'000'000);
    daemon_.Handle(clients_[random_() % clients_.size()].key(), std::move(handled), now_);
  }
  auto requests = daemon_.stuck() ? std::vector<SteppedDaemon::Request>() : TakeRequests(random_() % 12);
  if (random_() % 40 != 0) {
    daemon_.Turn(std::move(requests));
    if (random_() % 4 == 0) daemon_.Tick(now_);
    return;
  }
  const auto moment = static_cast<SteppedDaemon::Moment>(random_() % SteppedDaemon::kMoments);
  if (std::string changed = daemon_.DieIn(std::move(requests), moment); !changed.empty()) Fail(std::move(changed));
  ++deaths_;
  // Connections died with it, and what lay on them.
  for (const Held& held : streams_) held.stream->sent.clear();
  for (SimClient& client : clients_) client.LoseStream();
  streams_.clear();
  Check();
}

void Simulation::Settle() {
  const auto settled = [](const SimClient& client) { return client.settled(); };
  for (size_t i = 0; i < kPeace && broken_.empty(); ++i) {
    if (std::all_of(clients_.begin(), clients_.end(), settled)) return;
    for (SimClient& client : clients_) client.SendAll(now_);
    HoldStreams();
    daemon_.Turn(daemon_.stuck() ? std::vector<SteppedDaemon::Request>() : TakeRequests(200));
  }
  for (const SimClient& client : clients_) {
    if (!client.settled()) Fail(absl::StrCat("run ", client.key().run_id, ": not everything is acknowledged in peace"));
  }
}

void Simulation::Check() {
  CheckAcknowledged();
  CheckFold();
}

void Simulation::CheckAcknowledged() {
  using Batch = std::tuple<std::string, std::string, uint64_t, uint64_t>;
  std::set<Batch> journaled;
  std::map<RunKey, std::set<Batch>> of_run;  // As long as it is one run.
  for (const Event& event : Told()) {
    if (std::holds_alternative<RunEvicted>(event.body)) of_run.erase(event.key);
    const auto* batch = std::get_if<BatchAppended>(&event.body);
    if (batch == nullptr) continue;
    const Batch name = {event.key.run_id, batch->writer, batch->incarnation, batch->sequence};
    journaled.insert(name);
    if (!of_run[event.key].insert(name).second) {
      Fail(absl::StrCat("run ", event.key.run_id, " has batch ", batch->sequence, " twice"));
    }
  }
  for (const SimClient& client : clients_) {
    for (const auto& [incarnation, acknowledged] : client.promised()) {
      for (uint64_t sequence = 1; sequence <= acknowledged; ++sequence) {
        if (!journaled.contains({client.key().run_id, client.writer(), incarnation, sequence})) {
          Fail(absl::StrCat("run ", client.key().run_id, " lost batch ", sequence, " of life ", incarnation));
        }
      }
    }
  }
}

void Simulation::CheckFold() {
  if (daemon_.stuck()) return;
  Engine fresh;
  std::map<RunKey, NaiveRun> naive;
  for (const Event& event : journal_.events()) {
    if (!fresh.Apply(event).ok()) Fail("the journal holds what does not fit");
  }
  for (const Event& event : Told()) {
    if (std::holds_alternative<RunEvicted>(event.body)) {
      naive.erase(event.key);
    } else {
      naive[event.key].Apply(event);
    }
  }
  if (TextsOf(fresh) != TextsOf(daemon_.engine())) Fail("the state is not that of a fresh replay");
  if (fresh.State() != daemon_.engine().State()) Fail("the state is not, in every bit, that of a fresh replay");
  for (const auto& [key, run] : naive) {
    const curvecast::Run* found = daemon_.engine().Find(key);
    const std::string difference = found == nullptr ? "it is missing" : run.DiffersFrom(*found);
    if (!difference.empty()) Fail(absl::StrCat("run ", key.run_id, ": ", difference));
  }
}

void Simulation::Fail(std::string what) {
  if (broken_.empty()) broken_ = std::move(what);
}

}  // namespace curvecast
