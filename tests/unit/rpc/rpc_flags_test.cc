// Flags over gRPC: read, acknowledged, silenced.

#include <gmock/gmock.h>

#include <limits>

#include "tests/unit/rpc/rpc_server_fixture.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

class RpcFlagsTest : public RpcServerTest {
 protected:
  // Runs whose second point is NaN.
  void Push(const std::vector<std::string>& run_ids) {
    grpc::ClientContext context;
    Arm(context);
    auto stream = ingest_->Push(&context);
    for (uint32_t i = 0; i < run_ids.size(); ++i) {
      stream->Write(Open(i, run_ids[i]));
      stream->Write(Batch(i, 1, 1, 4.0));
      stream->Write(Batch(i, 2, 2, std::numeric_limits<double>::quiet_NaN()));
    }
    stream->WritesDone();
    v1::PushResponse response;
    while (stream->Read(&response)) {
    }
    stream->Finish();
  }
  v1::GetFlagsResponse GetFlags(const v1::GetFlagsRequest& request = {}) {
    v1::GetFlagsResponse response;
    grpc::ClientContext context;
    Arm(context);
    const grpc::Status status = query_->GetFlags(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status Acknowledge(const v1::AcknowledgeFlagRequest& request, v1::Flag* flag) {
    grpc::ClientContext context;
    Arm(context);
    return query_->AcknowledgeFlag(&context, request, flag);
  }
  grpc::Status Silence(const v1::SilenceFlagRequest& request, v1::Flag* flag) {
    grpc::ClientContext context;
    Arm(context);
    return query_->SilenceFlag(&context, request, flag);
  }
  template <typename Request>
  static Request First(const std::string& run_id) {
    Request request;
    request.set_project("p");
    request.set_run_id(run_id);
    request.set_number(1);
    request.set_by("ada");
    return request;
  }
  int Shown(const std::string& run_id) {
    v1::GetRunResponse run;
    EXPECT_TRUE(Get(run_id, &run).ok());
    EXPECT_EQ(run.flags_size(), 1) << "on record, whatever is shown";
    return run.run().flags_size();
  }
};

TEST_F(RpcFlagsTest, AFlagIsThereWhenItsBatchIsAcknowledged) {
  Push({"r"});
  const v1::GetFlagsResponse flags = GetFlags();
  ASSERT_EQ(flags.flags_size(), 1);
  EXPECT_EQ(flags.flags(0).run_id(), "r");
  const v1::Flag& flag = flags.flags(0).flag();
  EXPECT_EQ(flag.number(), 1);
  EXPECT_EQ(flag.kind(), v1::Flag::NON_FINITE);
  EXPECT_EQ(flag.severity(), v1::Flag::CRITICAL);
  EXPECT_EQ(flag.raised_at_step(), 2);
  EXPECT_FALSE(flag.sentence().empty());
  EXPECT_GT(flag.raised_at().seconds(), 1'700'000'000);
  EXPECT_EQ(Shown("r"), 1);
}

TEST_F(RpcFlagsTest, AnAcknowledgedFlagIsNoLongerShownAndStaysOnRecord) {
  Push({"r"});
  auto request = First<v1::AcknowledgeFlagRequest>("r");
  request.set_note("a bad batch");
  v1::Flag flag;
  ASSERT_TRUE(Acknowledge(request, &flag).ok());
  EXPECT_EQ(flag.acknowledged_by(), "ada");
  EXPECT_EQ(flag.note(), "a bad batch");
  EXPECT_TRUE(flag.has_acknowledged_at());
  EXPECT_EQ(Shown("r"), 0);
  v1::GetFlagsRequest active;
  active.set_active_only(true);
  EXPECT_EQ(GetFlags(active).flags_size(), 0);
  EXPECT_EQ(GetFlags().flags_size(), 1);
}

TEST_F(RpcFlagsTest, ASilenceHidesAFlagUntilItEnds) {
  Push({"r"});
  auto request = First<v1::SilenceFlagRequest>("r");
  request.set_seconds(3600);
  v1::Flag flag;
  ASSERT_TRUE(Silence(request, &flag).ok());
  EXPECT_EQ(flag.silenced_by(), "ada");
  EXPECT_TRUE(flag.has_silenced_until());
  EXPECT_EQ(Shown("r"), 0);
  request.set_seconds(0);
  ASSERT_TRUE(Silence(request, &flag).ok());
  EXPECT_FALSE(flag.has_silenced_until());
  EXPECT_EQ(Shown("r"), 1);
}

TEST_F(RpcFlagsTest, WhatIsWrongWithARequestIsNamed) {
  Push({"r"});
  v1::Flag flag;
  const auto refused = [&](auto change, grpc::StatusCode code, const std::string& words) {
    auto request = First<v1::SilenceFlagRequest>("r");
    change(request);
    const grpc::Status status = Silence(request, &flag);
    EXPECT_EQ(status.error_code(), code) << words;
    EXPECT_THAT(status.error_message(), HasSubstr(words));
  };
  constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
  using Request = v1::SilenceFlagRequest;
  refused([](Request& r) { r.clear_by(); }, kInvalid, "by: has 0 bytes; say who you are");
  refused([](Request& r) { r.set_by(std::string(129, 'x')); }, kInvalid, "by: has 129 bytes");
  refused([](Request& r) { r.set_note(std::string(1025, 'x')); }, kInvalid, "note: has 1025 bytes");
  refused([](Request& r) { r.set_number(0); }, kInvalid, "number: is 0");
  refused([](Request& r) { r.set_seconds(-1); }, kInvalid, "seconds: is -1");
  refused([](Request& r) { r.set_seconds(366 * 86400); }, kInvalid, "at most 365 days");
  refused([](Request& r) { r.set_seconds(std::numeric_limits<double>::quiet_NaN()); }, kInvalid, "seconds: is nan");
  refused([](Request& r) { r.set_number(2); }, grpc::StatusCode::NOT_FOUND, "run \"r\" has no flag 2; it has had 1");
  refused([](Request& r) { r.set_run_id("nobody"); }, grpc::StatusCode::NOT_FOUND, "no run \"nobody\"");
  auto nameless = First<v1::AcknowledgeFlagRequest>("r");
  nameless.clear_by();
  EXPECT_EQ(Acknowledge(nameless, &flag).error_code(), kInvalid);
  EXPECT_EQ(Shown("r"), 1) << "nothing was done";
}

TEST_F(RpcFlagsTest, FlagsComeInPagesByRunAndNumber) {
  Push({"a", "b", "c"});
  v1::GetFlagsRequest request;
  request.set_page_size(2);
  std::vector<std::string> runs;
  do {
    const v1::GetFlagsResponse page = GetFlags(request);
    for (const v1::RunFlag& flag : page.flags()) runs.push_back(flag.run_id());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(runs, ::testing::ElementsAre("a", "b", "c"));
}

TEST_F(RpcFlagsTest, APhaseIsShownWithItsRunAndAWrongOneIsRefused) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "r"));
  v1::PushRequest begin = Batch(0, 1, 1, 4.0);
  begin.mutable_batch()->mutable_phase()->set_name("eval");
  begin.mutable_batch()->mutable_phase()->set_max_seconds(2400);
  stream->Write(begin);
  ReadAck(*stream, 0, 1);
  v1::GetRunResponse run;
  ASSERT_TRUE(Get("r", &run).ok());
  EXPECT_EQ(run.run().phase().name(), "eval");
  v1::PushRequest endless;
  endless.mutable_batch()->set_sequence(2);
  endless.mutable_batch()->mutable_phase()->set_max_seconds(1e9);
  stream->Write(endless);
  EXPECT_EQ(Read(*stream).rejected().field(), "batch.phase.max_seconds");
  context.TryCancel();
  stream->Finish();
}

}  // namespace
}  // namespace curvecast
