#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/unit/rpc/rpc_server_fixture.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using RpcQueryTest = RpcServerTest;

TEST_F(RpcQueryTest, AnUnknownRunIsNotFound) {
  v1::GetRunResponse run;
  grpc::Status status;
  do {  // UNAVAILABLE until the (empty) journal is read.
    status = Get("nobody", &run);
  } while (status.error_code() == grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("nobody"));
}

TEST_F(RpcQueryTest, ACurveShowsTheRewoundBranchBesideIt) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "r"));
  for (uint64_t sequence = 1; sequence <= 5; ++sequence)
    stream->Write(Batch(0, sequence, static_cast<int64_t>(sequence), 4.0));
  stream->Write(Open(1, "r", 2));
  stream->Write(Batch(1, 1, 4, 3.0));
  ReadAck(*stream, 1, 1);
  grpc::ClientContext query_context;
  Arm(query_context);
  v1::GetCurveRequest request;
  request.set_project("p");
  request.set_run_id("r");
  v1::GetCurveResponse curve;
  ASSERT_TRUE(query_->GetCurve(&query_context, request, &curve).ok());
  EXPECT_THAT(curve.step(), ::testing::ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(curve.value(3), 3.0);
  ASSERT_EQ(curve.superseded_size(), 1);
  EXPECT_THAT(curve.superseded(0).step(), ::testing::ElementsAre(4, 5));
  context.TryCancel();
  stream->Finish();
}

TEST_F(RpcQueryTest, AWatcherSeesEveryRunOnceAndThenWhatChanges) {
  grpc::ClientContext watch_context;
  Arm(watch_context);
  v1::WatchRunsRequest request;
  auto watch = query_->WatchRuns(&watch_context, request);
  v1::WatchRunsResponse seen;
  ASSERT_TRUE(watch->Read(&seen));
  EXPECT_EQ(seen.runs_size(), 0) << "the first answer comes even if there is nothing";
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "a"));
  stream->Write(Open(1, "b"));
  stream->Write(Batch(1, 1, 9, 4.0));
  ReadAck(*stream, 1, 1);
  std::map<std::string, int64_t> steps;
  while (steps.size() < 2 || steps["b"] != 9) {
    ASSERT_TRUE(watch->Read(&seen));
    for (const v1::RunSummary& run : seen.runs()) steps[run.run().run_id()] = run.step();
  }
  watch_context.TryCancel();
  watch->Finish();
  context.TryCancel();
  stream->Finish();
}

TEST_F(RpcQueryTest, RunsComeInPages) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  for (uint32_t i = 0; i < 7; ++i) stream->Write(Open(i, "r" + std::to_string(i)));
  stream->WritesDone();
  v1::PushResponse response;
  while (stream->Read(&response)) {
  }
  std::vector<std::string> ids;
  v1::ListRunsRequest request;
  request.set_page_size(3);
  do {
    grpc::ClientContext page_context;
    Arm(page_context);
    v1::ListRunsResponse page;
    ASSERT_TRUE(query_->ListRuns(&page_context, request, &page).ok());
    for (const v1::RunSummary& run : page.runs()) ids.push_back(run.run().run_id());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, ::testing::ElementsAre("r0", "r1", "r2", "r3", "r4", "r5", "r6"));
  request.set_page_token("nonsense");
  grpc::ClientContext bad_context;
  Arm(bad_context);
  v1::ListRunsResponse page;
  EXPECT_EQ(query_->ListRuns(&bad_context, request, &page).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace curvecast
