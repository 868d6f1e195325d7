// Compacted, a journal folds to what it folded to before: at random lives, and case by case.

#include "core/engine/run_compactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/unit/engine/finished_runs.h"

namespace curvecast {
namespace {

using testing::AkinLosses;
using testing::Batch;
using ::testing::ElementsAre;
using testing::FinishedRun;
using ::testing::IsEmpty;
using testing::Key;
using testing::Losses;
using testing::Open;
using Rows = std::map<int64_t, Event>;
constexpr size_t kBytesAPoint = 11;

// CURVECAST_COMPACTIONS=5000 build/dev/bin/engine_test --gtest_filter=RunCompactorTest.*
uint64_t Seeds() {
  const char* wanted = std::getenv("CURVECAST_COMPACTIONS");
  return wanted == nullptr ? 60 : std::strtoull(wanted, nullptr, 10);
}
std::string Hex(double value) { return absl::StrCat(std::bit_cast<uint64_t>(value)); }

// Everything of a run that is shown or that later events build on, to the bit.
std::string TextOf(const Run& run) {
  const std::shared_ptr<const RunView> view = run.View();
  std::string text = absl::StrCat(static_cast<int>(view->state), " ", run.finished(), " ", view->rewind_count, " ",
                                  view->opened_at_unix_micros, " ", view->last_point_at_unix_micros, " ",
                                  view->ended_at_unix_micros, " ", view->flags->size(), " ", view->phase.has_value(),
                                  " shows ", view->forecast == nullptr ? -1 : view->forecast->step);
  for (const Forecast& forecast : *view->history) absl::StrAppend(&text, " f", forecast.step, Hex(forecast.median()));
  for (const Step step : view->rewinds) absl::StrAppend(&text, " <", step);
  for (const CurveKept::Writer& writer : run.Keep().writers) {
    absl::StrAppend(&text, "\nwriter ", writer.name, " ", writer.incarnation, " ", writer.last_sequence, " ",
                    writer.rewind_pending, " ", writer.resume_step.value_or(-1));
  }
  for (const MetricView& metric : view->metrics) {
    absl::StrAppend(&text, "\n", metric.metric, " ", metric.points, " ", metric.non_finite_points, " ",
                    metric.last_step, " ", Hex(metric.last_value));
    for (const Bin& bin : run.FindCurve(metric.metric)->bins()) {
      absl::StrAppend(&text, " ", bin.first_step, "-", bin.last_step, ":", bin.count, ":", Hex(bin.mean), ":",
                      Hex(bin.m2));
    }
  }
  for (const Branch& branch : run.branches())
    absl::StrAppend(&text, "\nbranch ", branch.rewound_to, " ", branch.bins.size());
  return text;
}

std::string TextOf(const Engine& engine) {
  std::string text;
  engine.ForEach([&](const Run& run) { absl::StrAppend(&text, run.spec().key.run_id, ": ", TextOf(run), "\n"); });
  engine.ForEachPast([&](const PastKey& key) {
    absl::StrAppend(&text, "past of ", key.second, ":");
    for (const Relative& relative : engine.Past(key)->history.relatives()) {
      absl::StrAppend(&text, " ", relative.descent.run_id);
    }
    text += "\n";
  });
  return text;
}

std::unique_ptr<Engine> Fold(const Rows& rows) {
  std::unique_ptr<Engine> engine(new Engine(Engine::Unwatched(Prior::Shipped())));
  for (const auto& [id, event] : rows) EXPECT_TRUE(engine->Apply(event).ok()) << "event " << id;
  return engine;
}

int64_t EndOf(const RunKey& key, const Rows& rows) { return Fold(rows)->Find(key)->ended_at(); }

size_t BytesOf(const Event& event) {
  size_t bytes = 40;
  if (const auto* batch = std::get_if<BatchAppended>(&event.body)) {
    for (const Column& column : batch->columns) bytes += kBytesAPoint * column.steps.size();
  }
  if (const auto* kept = std::get_if<CurveKept>(&event.body)) {
    for (const CurveKept::Series& series : kept->series) bytes += 30 * series.curve.bins().size();
  }
  return bytes;
}

void Replace(const Replacement& replacement, Rows& rows) {
  for (const int64_t id : replacement.ids) EXPECT_EQ(rows.erase(id), 1);
  rows[replacement.ids.back()] = replacement.kept;
}

// Compacts one run up to an end, its newest; returns how many replacements that took.
int Compact(const RunKey& key, Rows& rows, RunCompactor::Options options = {}, std::optional<int64_t> ended_at = {}) {
  RunCompactor compactor(Prior::Shipped(), ended_at ? *ended_at : EndOf(key, rows), options);
  int replacements = 0;
  const Rows before = rows;
  bool stays = false;
  const auto take = [&](absl::StatusOr<std::optional<Replacement>> made) {
    stays = !made.ok();
    EXPECT_TRUE(made.ok() || absl::IsFailedPrecondition(made.status())) << made.status();
    if (!made.ok() || !made->has_value()) return;
    Replace(**made, rows);
    ++replacements;
  };
  for (const auto& [id, event] : before) {
    if (event.key == key && !stays) take(compactor.Take({id, BytesOf(event), event}));
  }
  if (!stays) take(compactor.Finish());
  return replacements;
}

Rows Numbered(const std::vector<Event>& events) {
  Rows rows;
  for (const Event& event : events) rows[static_cast<int64_t>(rows.size()) + 1] = event;
  return rows;
}

int BatchesOf(const Rows& rows, const RunKey& key) {
  int batches = 0;
  for (const auto& [id, event] : rows) batches += event.key == key && std::holds_alternative<BatchAppended>(event.body);
  return batches;
}

// Some runs of one project that live at once, as chance has it.
class Lives {
 public:
  explicit Lives(uint64_t seed) : random_(seed) {}

  void Live(int events, Rows& rows) {
    for (int i = 0; i < events; ++i) {
      Act(random_() % 3, rows);
    }
  }
  void EndAll(Rows& rows) {
    for (size_t run = 0; run < 3; ++run) {
      if (runs_[run].open) Append(run, /*end=*/true, rows);
    }
  }

 private:
  struct Life {
    bool open = false;
    uint64_t incarnation[2] = {0, 0};
    uint64_t sequence[2] = {0, 0};
    Step step = 0;
  };
  std::string Id(size_t run) const { return absl::StrCat("r", run); }
  std::string Writer(size_t rank) const { return rank == 0 ? "" : "rank1"; }

  void Act(size_t run, Rows& rows) {
    Life& life = runs_[run];
    if (!life.open || random_() % 16 == 0) return OpenLife(run, random_() % 4 == 0 ? 1 : 0, rows);
    if (random_() % 6 == 0) return Forecast(run, rows);
    if (random_() % 12 == 0) return RaiseFlag(run, rows);
    Append(run, random_() % 12 == 0, rows);
  }

  void OpenLife(size_t run, size_t rank, Rows& rows) {
    Life& life = runs_[run];
    life.open = true;
    std::optional<Step> resume;
    if (random_() % 3 == 0) resume = static_cast<Step>(random_() % static_cast<uint64_t>(life.step + 1));
    Event open = Open(++life.incarnation[rank], Writer(rank), Id(run), resume);
    if (random_() % 8 == 0) std::get<RunOpened>(open.body).spec.labels = {{"a", absl::StrCat(random_())}};
    life.sequence[rank] = 0;
    if (rank == 0 && life.step > 0) life.step -= static_cast<Step>(random_() % static_cast<uint64_t>(life.step));
    Add(std::move(open), rows);
  }

  void Append(size_t run, bool end, Rows& rows) {
    Life& life = runs_[run];
    const size_t rank = end || life.incarnation[1] == 0 || random_() % 3 != 0 ? 0 : 1;
    if (life.incarnation[rank] == 0) return OpenLife(run, rank, rows);
    std::vector<Column> columns;
    const bool to_the_end = end && random_() % 3 != 0;
    const Step from = life.step + 1;
    const Step to =
        to_the_end ? std::max<Step>(from, 1000) : std::min<Step>(1500, from + static_cast<Step>(random_() % 200));
    for (const std::string metric : {"train/loss", "lr"}) {
      Column column{rank == 0 ? metric : "rank1/" + metric, {}, {}};
      for (Step step = from; step <= to; ++step) {
        if (random_() % 50 == 0) continue;
        column.steps.push_back(random_() % 40 == 0 ? std::max<Step>(0, step - 30) : step);
        const double loss = testing::AkinLoss(step, 1 + 0.1 * static_cast<double>(run));
        column.values.push_back(random_() % 60 == 0 ? std::numeric_limits<double>::quiet_NaN() : loss);
      }
      columns.push_back(std::move(column));
      if (random_() % 2 == 0) break;
    }
    if (rank == 0) life.step = to;
    Event batch = Batch(++life.sequence[rank], std::move(columns), life.incarnation[rank], Writer(rank), Id(run));
    auto& body = std::get<BatchAppended>(batch.body);
    if (end) body.end = random_() % 3 == 0 ? RunState::kFailed : RunState::kCompleted;
    if (random_() % 10 == 0) body.phase = Phase{"eval", 60};
    Add(std::move(batch), rows);
  }

  void Forecast(size_t run, Rows& rows) {
    const curvecast::Run& now = *engine_->Find(Key(Id(run)));
    if (now.objective().empty()) return;
    curvecast::Forecast forecast;
    forecast.reason = NotYet::kAnswered;
    forecast.step = now.objective().last_step();
    forecast.progress = now.Progress();
    const double median = static_cast<double>(1 + random_() % 100);
    forecast.quantiles = {median, median, median, median, median};
    forecast.leaned.factor = 1;
    if (now.AtCheckpoint(forecast)) Add({0, Key(Id(run)), ForecastMade{forecast}}, rows);
  }

  void RaiseFlag(size_t run, Rows& rows) {
    Flag flag;
    flag.kind = FlagKind::kSpike;
    flag.metric = "train/loss";
    Add({0, Key(Id(run)), FlagChanged{{FlagChange::What::kRaised, flag}}}, rows);
  }

  void Add(Event event, Rows& rows) {
    now_ += static_cast<int64_t>(random_() % 1000);
    event.time_unix_micros = now_;
    ASSERT_TRUE(engine_->Apply(event).ok());
    rows[++id_] = std::move(event);
  }

  std::mt19937_64 random_;
  std::unique_ptr<Engine> engine_{new Engine(Engine::Unwatched(Prior::Shipped()))};
  Life runs_[3];
  int64_t id_ = 0;
  int64_t now_ = 1'700'000'000'000'000;
};

TEST(RunCompactorTest, RandomLivesFoldToTheSameAndGoOnTheSame) {
  int replacements = 0;
  for (uint64_t seed = 0; seed < Seeds(); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Lives lives(seed);
    Rows whole;
    lives.Live(60, whole);
    lives.EndAll(whole);
    Rows compacted = whole;
    const RunCompactor::Options options{.max_rows = 1 + seed % 20, .max_bytes = 2000 + 1000 * (seed % 30)};
    for (const char* run : {"r0", "r1", "r2"}) replacements += Compact(Key(run), compacted, options);
    ASSERT_TRUE(TextOf(*Fold(whole)) == TextOf(*Fold(compacted)));
    // Taken up again, and compacted a second time.
    Rows more;
    lives.Live(40, more);
    lives.EndAll(more);
    whole.insert(more.begin(), more.end());
    compacted.insert(more.begin(), more.end());
    ASSERT_TRUE(TextOf(*Fold(whole)) == TextOf(*Fold(compacted)));
    for (const char* run : {"r2", "r0"}) replacements += Compact(Key(run), compacted, options);
    ASSERT_TRUE(TextOf(*Fold(whole)) == TextOf(*Fold(compacted)));
  }
  EXPECT_GT(replacements, 3 * static_cast<int>(Seeds()));
}

TEST(RunCompactorTest, OneEventTakesThePlaceOfAFinishedRunsBatchesAndNamesThem) {
  Rows rows =
      Numbered({Open(), Batch(1, {AkinLosses(1, 1, 2000)}), Open(1, "", "other"), Batch(2, {AkinLosses(1, 2001, 4000)}),
                Batch(3, {AkinLosses(1, 4001, 6000)}), Batch(4, {}, 1, "", "r1", RunState::kCompleted)});
  const std::string before = TextOf(*Fold(rows));
  EXPECT_EQ(Compact(Key(), rows), 1);
  EXPECT_EQ(rows.size(), 3);
  const auto& kept = std::get<CurveKept>(rows.at(6).body);
  EXPECT_THAT(kept.replaced, ElementsAre(CurveKept::Rows{2, 2}, CurveKept::Rows{4, 5}));
  EXPECT_EQ(kept.batches, 4);
  EXPECT_EQ(kept.points, 1200);
  EXPECT_TRUE(TextOf(*Fold(rows)) == before);
  EXPECT_EQ(Compact(Key(), rows), 0) << "there is nothing left to do";
}

TEST(RunCompactorTest, ARunThatWasEvictedIsCompactedApartFromTheOneThatTakesItsName) {
  std::vector<Event> events = FinishedRun("a", 1, RunState::kCompleted, 6000);
  const int64_t end = Fold(Numbered(events))->Find(Key("a"))->ended_at();
  events.push_back({5'000'000, Key("a"), RunEvicted{end}});
  for (Event& event : FinishedRun("a", 1.2, RunState::kFailed, 6000)) events.push_back(std::move(event));
  events.back().time_unix_micros += 10'000'000;
  for (const bool both : {true, false}) {
    Rows rows = Numbered(events);
    EXPECT_EQ(Compact(Key("a"), rows, {}, both ? std::nullopt : std::optional(end)), both ? 2 : 1);
    EXPECT_EQ(BatchesOf(rows, Key("a")), both ? 0 : 1);
    EXPECT_TRUE(Fold(rows)->State() == Fold(Numbered(events))->State());
  }
}

TEST(RunCompactorTest, ASmallRunStaysAsItIs) {
  Rows rows = Numbered(FinishedRun("r1", 1));
  EXPECT_EQ(Compact(Key(), rows), 0);
  EXPECT_EQ(BatchesOf(rows, Key()), 1);
}

// The past is in order of who finished last.
TEST(RunCompactorTest, WhatOtherRanksLogAfterTheEndMovesNoPast) {
  std::vector<Event> events = FinishedRun("a", 1, RunState::kCompleted, 6000);
  events.insert(events.begin() + 1, Open(1, "rank1", "a"));
  for (const Event& event : FinishedRun("b", 1.1, RunState::kCompleted, 6000)) events.push_back(event);
  for (uint64_t i = 1; i < 4; ++i) {
    Column late = AkinLosses(2, static_cast<Step>(5000 * i), static_cast<Step>(5000 * i + 4999));
    late.metric = "rank1/loss";
    events.push_back(Batch(i, {late}, 1, "rank1", "a"));
  }
  Rows rows = Numbered(events);
  const std::string before = TextOf(*Fold(rows));
  EXPECT_EQ(Compact(Key("a"), rows), 2) << "one place where it finished, one for what came after";
  EXPECT_EQ(BatchesOf(rows, Key("a")), 0);
  EXPECT_TRUE(TextOf(*Fold(rows)) == before);
}

TEST(RunCompactorTest, ARunThatIsLargeTakesManyTransactionsAndEveryOneIsRight) {
  std::vector<Event> events = {Open()};
  for (uint64_t i = 0; i < 100; ++i) {
    events.push_back(Batch(i + 1, {AkinLosses(1, static_cast<Step>(640 * i), static_cast<Step>(640 * i + 639))}));
  }
  events.push_back(Batch(101, {}, 1, "", "r1", RunState::kFailed));
  const Rows whole = Numbered(events);
  const std::string before = TextOf(*Fold(whole));
  Rows rows = whole;
  RunCompactor compactor(Prior::Shipped(), EndOf(Key(), rows), {.max_rows = 2048, .max_bytes = 40'000});
  int places = 0;
  for (const auto& [id, event] : whole) {
    auto made = compactor.Take({id, BytesOf(event), event});
    ASSERT_TRUE(made.ok());
    if (!made->has_value()) continue;
    EXPECT_LE((*made)->ids.size(), 40);
    Replace(**made, rows);
    ++places;
    ASSERT_TRUE(TextOf(*Fold(rows)) == before) << "a crash here must leave the same run";
  }
  EXPECT_GE(places, 3);
  EXPECT_TRUE(TextOf(*Fold(rows)) == before);
}

TEST(RunCompactorTest, WhatCameOnceTheRunWasTakenUpStaysAsItIs) {
  const auto at = [](int64_t time, Event event) {
    event.time_unix_micros = time;
    return event;
  };
  Rows rows =
      Numbered({Open(), at(1, Batch(1, {AkinLosses(1, 1, 6000)})), at(2, Batch(2, {}, 1, "", "r1", RunState::kFailed)),
                Open(2, "", "r1", 6001), at(3, Batch(1, {AkinLosses(1, 6001, 9000)}, 2)), at(4, Batch(2, {}, 2)),
                at(5, Batch(3, {}, 2, "", "r1", RunState::kFailed))});
  const std::string before = TextOf(*Fold(rows));
  const auto compact = [&](int64_t ended_at) {
    RunCompactor compactor(Prior::Shipped(), ended_at, {});
    const Rows whole = rows;
    for (const auto& [id, event] : whole) {
      const auto made = compactor.Take({id, BytesOf(event), event});
      ASSERT_TRUE(made.ok()) << made.status();
      if (made->has_value()) Replace(**made, rows);
    }
    const auto made = compactor.Finish();
    if (made.ok() && made->has_value()) Replace(**made, rows);
    EXPECT_EQ(absl::IsNotFound(made.status()), ended_at == 7);
  };
  compact(2);
  EXPECT_EQ(rows.size(), 6);
  EXPECT_TRUE(std::holds_alternative<CurveKept>(rows.at(3).body));
  EXPECT_TRUE(TextOf(*Fold(rows)) == before);
  compact(7);
  EXPECT_EQ(rows.size(), 6) << "it never ended then";
  compact(5);
  EXPECT_EQ(rows.size(), 3);
  EXPECT_TRUE(TextOf(*Fold(rows)) == before);
}

TEST(RunCompactorTest, AResendOfAnOldBatchIsStillKnown) {
  Rows rows = Numbered({Open(), Batch(1, {AkinLosses(1, 1, 6000)}), Batch(2, {}, 1, "", "r1", RunState::kCompleted)});
  ASSERT_EQ(Compact(Key(), rows), 1);
  const std::unique_ptr<Engine> engine = Fold(rows);
  auto effect = engine->Apply(Batch(2, {Losses({{7000, 1.0}})}));
  ASSERT_TRUE(effect.ok());
  EXPECT_TRUE(effect->duplicate);
}

TEST(RunCompactorTest, ARewindIntoACompactedRunGoesBackToABin) {
  Rows rows = Numbered({Open(), Batch(1, {AkinLosses(1, 1, 6000)}), Batch(2, {}, 1, "", "r1", RunState::kCompleted)});
  ASSERT_EQ(Compact(Key(), rows), 1);
  const std::unique_ptr<Engine> engine = Fold(rows);
  ASSERT_TRUE(engine->Apply(Open(2, "", "r1", 3003)).ok());
  ASSERT_TRUE(engine->Apply(Batch(1, {Losses({{3003, 1.0}})}, 2)).ok());
  const curvecast::Run& run = *engine->Find(Key());
  EXPECT_EQ(run.objective().last_step(), 3003);
  EXPECT_EQ(run.state(), RunState::kRunning);
  const Step before = run.objective().bins()[run.objective().bins().size() - 2].last_step;
  EXPECT_LT(before, 3003);
  EXPECT_GT(before, 3003 - 6000 / 32) << "what is lost is at most the bin that the step lies in";
}

}  // namespace
}  // namespace curvecast
