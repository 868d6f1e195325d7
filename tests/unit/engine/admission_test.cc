#include "core/engine/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/events.h"

namespace curvecast {
namespace {

using testing::Batch;
using ::testing::HasSubstr;
using testing::Key;
using testing::Losses;
using testing::Open;
using Verdict = Admission::Verdict;

class AdmissionTest : public ::testing::Test {
 protected:
  Verdict Admit(Event event) {
    const absl::StatusOr<Admission::Admitted> admitted = admission_.Admit(event);
    EXPECT_TRUE(admitted.ok()) << admitted.status();
    return admitted.ok() ? admitted->verdict : Verdict::kKnown;
  }
  absl::Status Refusal(Event event) { return admission_.Admit(event).status(); }
  void Apply(const Event& event) { ASSERT_TRUE(engine_.Apply(event).ok()); }

  Engine engine_;
  Admission admission_{engine_, {.max_runs = 2, .max_metrics_per_run = 2}};
};

TEST_F(AdmissionTest, AnOpenAndItsBatchesShareATransaction) {
  EXPECT_EQ(Admit(Open()), Verdict::kStage);
  EXPECT_EQ(Admit(Batch(1, {Losses({{1, 4.0}})})), Verdict::kStage);
  EXPECT_EQ(Admit(Batch(1, {Losses({{1, 4.0}})})), Verdict::kKnown) << "a resend within the transaction";
  EXPECT_EQ(admission_.ExpectedSequence(Key(), "", 1), 2u);
}

TEST_F(AdmissionTest, WhatTheEngineHasIsKnown) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, 4.0}})}));
  EXPECT_EQ(Admit(Open()), Verdict::kKnown);
  EXPECT_EQ(Admit(Batch(1, {Losses({{1, 4.0}})})), Verdict::kKnown);
  EXPECT_EQ(Admit(Batch(2, {Losses({{2, 4.0}})})), Verdict::kStage);
}

TEST_F(AdmissionTest, AReopeningThatDeclaresSomethingNewIsStaged) {
  Apply(Open());
  Event open = Open();
  std::get<RunOpened>(open.body).spec.total_steps = 5000;
  EXPECT_EQ(Admit(open), Verdict::kStage);
  EXPECT_EQ(admission_.ExpectedSequence(Key(), "", 1), 1u);
}

TEST_F(AdmissionTest, ABatchWithoutAnOpenIsRefused) {
  EXPECT_EQ(Refusal(Batch(1, {Losses({{1, 4.0}})})).code(), absl::StatusCode::kFailedPrecondition);
}

// Otherwise batch 4, refused while there was no such run and sent again, would pass for one that is safe.
TEST_F(AdmissionTest, BehindARefusedBatchNothingIsTakenOnItsChannelUntilThatOpensAgain) {
  const auto stream = std::make_shared<int>(1), other = std::make_shared<int>(2);
  const auto admit = [&](Event event, const std::shared_ptr<int>& from, uint32_t channel = 1) {
    return admission_.Admit(event, {from, channel}).status();
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(admit(Batch(4, {Losses({{4, 4.0}})}), stream)));
  EXPECT_TRUE(admit(Open(), other).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(admit(Batch(5, {Losses({{5, 4.0}})}), stream)));
  EXPECT_TRUE(admit(Batch(1, {Losses({{1, 4.0}})}, 1), stream, 2).ok()) << "another channel";
  EXPECT_TRUE(admit(Open(), stream).ok());
  EXPECT_TRUE(admit(Batch(4, {Losses({{4, 4.0}})}), stream).ok());
  EXPECT_TRUE(admit(Batch(5, {Losses({{5, 4.0}})}), stream).ok());
}

TEST_F(AdmissionTest, AnOlderLifeIsToldThatItWasTakenOver) {
  Apply(Open(5));
  EXPECT_EQ(Refusal(Open(4)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Refusal(Batch(1, {}, 4)).message()),
              HasSubstr("incarnation 5 of this writer has taken over"));
}

TEST_F(AdmissionTest, ANewLifeCountsFromOneAgain) {
  Apply(Open());
  Apply(Batch(9, {Losses({{1, 4.0}})}));
  EXPECT_EQ(Admit(Open(2)), Verdict::kStage);
  EXPECT_EQ(admission_.ExpectedSequence(Key(), "", 2), 1u);
  EXPECT_EQ(Admit(Batch(1, {Losses({{2, 4.0}})}, 2)), Verdict::kStage);
  EXPECT_EQ(Refusal(Batch(10, {Losses({{2, 4.0}})}, 1)).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AdmissionTest, TheLimitOnRunsCountsWhatIsStagedAndNamesItself) {
  Apply(Open(1, "", "a"));
  EXPECT_EQ(Admit(Open(1, "", "b")), Verdict::kStage);
  const absl::Status refused = Refusal(Open(1, "", "c"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("limits.max_runs"));
  EXPECT_EQ(Admit(Open(2, "", "a")), Verdict::kStage) << "a run that is held is not counted again";
}

TEST_F(AdmissionTest, RunsThatAreOverMakeRoomForNewOnesUpToALimitOfTheirOwn) {
  for (const char* run : {"a", "b", "c"}) {
    Apply(Open(1, "", run));
    Apply(Batch(1, {Losses({{1, 4.0}})}, 1, "", run, RunState::kCompleted));
  }
  EXPECT_EQ(engine_.running(), 0);
  EXPECT_EQ(Admit(Open(1, "", "d")), Verdict::kStage);
  admission_.Clear();
  Apply(Open(2, "", "a"));
  EXPECT_EQ(engine_.running(), 0) << "it has not said anything";
  Apply(Batch(1, {Losses({{2, 4.0}})}, 2, "", "a"));
  EXPECT_EQ(engine_.running(), 1) << "it is taken up again";
}

TEST_F(AdmissionTest, AMetricTooManyIsLeftOutAndTheOthersAreKept) {
  Apply(Open());
  Event batch = Batch(1, {Losses({{2, 1.0}}, "a"), Losses({{2, 1.0}}, "b"), Losses({{2, 1.0}})});
  const absl::StatusOr<Admission::Admitted> admitted = admission_.Admit(batch);
  ASSERT_TRUE(admitted.ok());
  EXPECT_EQ(admitted->left_out.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(admitted->left_out.message()), HasSubstr("limits.max_metrics_per_run"));
  const auto& columns = std::get<BatchAppended>(batch.body).columns;
  ASSERT_EQ(columns.size(), 2u) << "of two places one is the objective's, whoever comes first";
  EXPECT_EQ(columns[0].metric, "a");
  EXPECT_EQ(columns[1].metric, "train/loss");
  Apply(batch);
  admission_.Clear();
  EXPECT_EQ(Admit(Batch(1, {Losses({{2, 1.0}}, "b")})), Verdict::kKnown) << "the sequence is used up";
}

TEST_F(AdmissionTest, TheObjectiveOfARunThatIsOnlyStagedHasItsPlaceToo) {
  EXPECT_EQ(Admit(Open()), Verdict::kStage);
  Event batch = Batch(1, {Losses({{2, 1.0}}, "a"), Losses({{2, 1.0}}, "b")});
  ASSERT_TRUE(admission_.Admit(batch).ok());
  EXPECT_EQ(std::get<BatchAppended>(batch.body).columns.size(), 1u);
}

TEST_F(AdmissionTest, ATransactionThatWasGivenUpIsForgotten) {
  EXPECT_EQ(Admit(Open()), Verdict::kStage);
  admission_.Clear();
  EXPECT_EQ(Refusal(Batch(1, {})).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AdmissionTest, AFlagThatIsNotThereCannotBeHandled) {
  const FlagHandled first{1, "ada", "", std::nullopt};
  EXPECT_EQ(Refusal({1, Key(), first}).code(), absl::StatusCode::kNotFound) << "no run";
  Apply(Open());
  const absl::Status none = Refusal({1, Key(), first});
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(none.message()), HasSubstr("has no flag 1; it has had 0"));
  Flag flag;
  flag.metric = "train/loss";
  Apply({1, Key(), FlagChanged{{FlagChange::What::kRaised, flag}}});
  EXPECT_EQ(Admit({1, Key(), first}), Verdict::kStage);
}

}  // namespace
}  // namespace curvecast
