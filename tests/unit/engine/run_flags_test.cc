// How a run is watched, and how its flags follow from events.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/engine/engine.h"
#include "core/engine/run.h"
#include "tests/unit/engine/events.h"

namespace curvecast {
namespace {

using testing::Batch;
using testing::Key;
using testing::Losses;
using testing::Open;
using What = FlagChange::What;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kSecond = 1'000'000;

class RunFlagsTest : public ::testing::Test {
 protected:
  // Applies the event alone, as a replay does.
  std::vector<FlagChange> Apply(Event event) {
    const auto effect = engine_.Apply(event);
    EXPECT_TRUE(effect.ok()) << effect.status();
    return effect->flag_changes;
  }
  // And then what the watch makes of it, as the engine's thread does.
  void Live(const Event& event) {
    std::vector<Event> events;
    AddChanges(Apply(event), event.key, event.time_unix_micros, events);
    for (const Event& change : events) EXPECT_TRUE(Apply(change).empty()) << "what the watch said is not watched";
  }
  const curvecast::Run& run() const { return *engine_.Find(Key()); }
  const std::vector<BookedFlag>& flags() const { return *run().flags().flags(); }
  Event At(int64_t time, Event event) const {
    event.time_unix_micros = time;
    return event;
  }

  Engine engine_;
};

TEST_F(RunFlagsTest, WhatTheWatchSaysComesOutAndChangesNothingByItself) {
  Apply(Open());
  const std::vector<FlagChange> changes = Apply(Batch(1, {Losses({{1, 4.0}, {2, kNan}})}));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].flag.kind, FlagKind::kNonFinite);
  EXPECT_TRUE(flags().empty());
  const uint64_t before = run().version();
  Apply({7, Key(), FlagChanged{changes[0]}});
  ASSERT_EQ(flags().size(), 1u);
  EXPECT_EQ(flags()[0].raised_at, 7);
  EXPECT_GT(run().version(), before);
  EXPECT_EQ(run().View()->flags->size(), 1u);
}

TEST_F(RunFlagsTest, ADuplicateBatchIsNotWatched) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, 4.0}})}));
  EXPECT_TRUE(Apply(Batch(1, {Losses({{2, kNan}})})).empty());
}

TEST_F(RunFlagsTest, AFlagOnABranchThatARewindTookAwayIsSuperseded) {
  Live(Open());
  Live(Batch(1, {Losses({{1, 4.0}, {90, kNan}})}));
  Live(Open(2));
  Live(Batch(1, {Losses({{81, 3.9}})}, 2));
  ASSERT_EQ(flags().size(), 1u);
  EXPECT_EQ(flags()[0].flag.resolution, Resolution::kSuperseded);
}

TEST_F(RunFlagsTest, TheEndResolvesWhatIsActiveAndFreesTheWatch) {
  Live(Open());
  EXPECT_FALSE(run().watched()) << "nothing to watch yet";
  Live(Batch(1, {Losses({{1, kNan}})}));
  EXPECT_TRUE(run().watched());
  Live(Batch(2, {}, 1, "", "r1", RunState::kCompleted));
  EXPECT_FALSE(run().watched());
  EXPECT_EQ(flags()[0].flag.resolution, Resolution::kEnded);
  Live(Batch(1, {}, 1, "rank1"));
  EXPECT_FALSE(run().watched());
}

TEST_F(RunFlagsTest, ARunThatIsTakenUpAgainIsWatchedAnew) {
  Live(Open());
  Live(Batch(1, {Losses({{1, 4.0}})}, 1, "", "r1", RunState::kFailed));
  Live(Open(2));
  EXPECT_FALSE(run().watched());
  Live(Batch(1, {Losses({{2, kNan}})}, 2));
  EXPECT_TRUE(run().watched());
  ASSERT_EQ(flags().size(), 1u);
  EXPECT_TRUE(flags()[0].flag.active());
}

TEST_F(RunFlagsTest, ARunThatComesInOneBatchIsWatchedToo) {
  Live(Open());
  Live(Batch(1, {Losses({{1, 4.0}, {2, kNan}})}, 1, "", "r1", RunState::kCompleted));
  ASSERT_EQ(flags().size(), 1u);
  EXPECT_EQ(flags()[0].flag.resolution, Resolution::kEnded);
}

TEST_F(RunFlagsTest, AReplayOfTheJournalFindsTheSameFlagsAndHasNothingToAdd) {
  std::vector<Event> journal;
  const auto live = [&](const Event& event) {
    journal.push_back(event);
    const size_t first = journal.size();
    AddChanges(Apply(event), event.key, event.time_unix_micros, journal);
    for (size_t i = first; i < journal.size(); ++i) Apply(journal[i]);
  };
  live(Open());
  live(Batch(1, {Losses({{1, 4.0}, {2, kNan}})}));
  live({3 * kSecond, Key(), FlagHandled{1, "ada", "", std::nullopt}});
  Engine again;
  for (const Event& event : journal) ASSERT_TRUE(again.Apply(event).ok());
  EXPECT_TRUE(again.Reconcile(4 * kSecond).empty());
  const BookedFlags& found = again.Find(Key())->flags().flags();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().acknowledged_by, "ada");
  EXPECT_EQ(found->front().raised_at, flags()[0].raised_at);
}

TEST_F(RunFlagsTest, AFlagThatWasNotJournaledIsRaisedAfterTheReplay) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, kNan}})}));
  const std::vector<Event> missing = engine_.Reconcile(9);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].time_unix_micros, 9);
  EXPECT_EQ(std::get<FlagChanged>(missing[0].body).change.what, What::kRaised);
}

TEST_F(RunFlagsTest, AResolutionThatWasNotJournaledIsMadeUpFor) {
  Live(Open());
  Live(Batch(1, {Losses({{1, kNan}})}));
  std::vector<std::pair<Step, double>> fine;
  for (Step step = 2; step < 20; ++step) fine.emplace_back(step, 4.0);
  Apply(Batch(2, {Losses(fine)}));  // The daemon dies before the flag's change is kept.
  const std::vector<Event> missing = engine_.Reconcile(9);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(std::get<FlagChanged>(missing[0].body).change.flag.resolution, Resolution::kRecovered);
}

TEST_F(RunFlagsTest, AnEndWhoseFlagsWereNotJournaledEndsThemAfterTheReplay) {
  Live(Open());
  Live(Batch(1, {Losses({{1, kNan}})}));
  Apply(Batch(2, {}, 1, "", "r1", RunState::kFailed));
  const std::vector<Event> missing = engine_.Reconcile(9);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(std::get<FlagChanged>(missing[0].body).change.flag.resolution, Resolution::kEnded);
}

// Applies what a tick has to say.
void Tick(Engine& engine, int64_t now) {
  for (const Event& event : engine.Tick(now)) ASSERT_TRUE(engine.Apply(event).ok());
}

TEST_F(RunFlagsTest, ARunThatFallsSilentIsFlaggedByTheTimeAndStaysSoOverARestart) {
  std::vector<Event> journal = {At(1000 * kSecond, Open())};
  for (uint64_t i = 1; i <= 20; ++i) {
    journal.push_back(At(static_cast<int64_t>(1000 + i) * kSecond, Batch(i, {Losses({{static_cast<Step>(i), 4.0}})})));
  }
  for (const Event& event : journal) Apply(event);
  Tick(engine_, 1139 * kSecond);
  EXPECT_TRUE(flags().empty());
  const std::vector<Event> silent = engine_.Tick(1141 * kSecond);
  ASSERT_EQ(silent.size(), 1u);
  EXPECT_EQ(std::get<FlagChanged>(silent[0].body).change.flag.kind, FlagKind::kSilent);
  journal.push_back(silent[0]);

  Engine again;
  for (const Event& event : journal) ASSERT_TRUE(again.Apply(event).ok());
  again.Resume(9000 * kSecond);
  EXPECT_TRUE(again.Reconcile(9000 * kSecond).empty()) << "nothing was heard since";
  Tick(again, 9001 * kSecond);
  EXPECT_EQ(again.Find(Key())->flags().flags()->size(), 1u) << "and it is not flagged again";
  const auto effect = again.Apply(At(9002 * kSecond, Batch(21, {Losses({{21, 4.0}})})));
  ASSERT_EQ(effect->flag_changes.size(), 1u);
  EXPECT_EQ(effect->flag_changes[0].flag.resolution, Resolution::kRecovered);
  EXPECT_EQ(again.Reconcile(9003 * kSecond).size(), 1u) << "points came, and only the journal does not know";
}

TEST_F(RunFlagsTest, APhaseIsShownUntilTheNextPointOfTheObjective) {
  Event begin = At(1000 * kSecond, Batch(2, {Losses({{2, 3.5}})}));
  std::get<BatchAppended>(begin.body).phase = Phase{"eval", 2400};
  Live(Open());
  Live(Batch(1, {Losses({{1, 4.0}})}));
  Live(begin);
  const auto view = run().View();
  EXPECT_NE(PhaseAt(*view, 1001 * kSecond), nullptr) << "it begins after the points of its batch";
  EXPECT_EQ(PhaseAt(*view, 3401 * kSecond), nullptr) << "it said at most 2400 s";
  Live(Batch(3, {Losses({{2, 0.5}}, "eval/loss")}));
  EXPECT_TRUE(run().View()->phase.has_value());
  Live(Batch(4, {Losses({{3, 3.4}})}));
  EXPECT_FALSE(run().View()->phase.has_value());
}

TEST_F(RunFlagsTest, APhaseAloneTakesNoEndedRunUpAgain) {
  Event begin = Batch(2, {});
  std::get<BatchAppended>(begin.body).phase = Phase{"eval", 2400};
  Live(Open());
  Live(Batch(1, {Losses({{1, 4.0}})}, 1, "", "r1", RunState::kCompleted));
  Live(begin);
  EXPECT_EQ(run().state(), RunState::kCompleted);
  EXPECT_FALSE(run().View()->phase.has_value());
}

}  // namespace
}  // namespace curvecast
