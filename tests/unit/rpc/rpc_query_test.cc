#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
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

TEST_F(RpcQueryTest, AWhatIfIsForecastBesideThePlanAndChangesNothing) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  v1::PushRequest open = Open(0, "r");
  open.mutable_open()->mutable_run()->mutable_schedule()->set_peak_lr(0.01);
  stream->Write(open);
  for (int64_t step = 1; step <= 500; ++step) {
    stream->Write(Batch(0, static_cast<uint64_t>(step), step, 2 * std::pow(static_cast<double>(step) / 500, -0.1)));
  }
  ReadAck(*stream, 0, 500);
  const auto ask = [this](const v1::ForecastRunRequest& request, v1::ForecastRunResponse* response) {
    grpc::ClientContext query_context;
    Arm(query_context);
    return query_->ForecastRun(&query_context, request, response);
  };
  v1::ForecastRunRequest request;
  request.set_project("p");
  request.set_run_id("r");
  v1::ForecastRunResponse planned, asked;
  ASSERT_TRUE(ask(request, &planned).ok());
  EXPECT_FALSE(planned.has_what_if());
  EXPECT_EQ(planned.declared().forecast().status(), v1::Forecast::OK);

  request.set_total_steps(2000);
  request.set_decay(v1::Schedule::LINEAR);
  request.set_decay_start_step(1600);
  ASSERT_TRUE(ask(request, &asked).ok());
  EXPECT_EQ(asked.declared().DebugString(), planned.declared().DebugString());
  EXPECT_EQ(asked.declared().total_steps(), 1000);
  EXPECT_EQ(asked.what_if().total_steps(), 2000);
  EXPECT_THAT(asked.what_if().schedule().knots().step(), ::testing::ElementsAre(0, 500, 1600, 2000));
  EXPECT_THAT(asked.what_if().schedule().knots().lr(), ::testing::ElementsAre(0.01, 0.01, 0.01, 0));
  EXPECT_EQ(asked.what_if().plan(), "as planned to step 500, held to step 1600, then linear from 0.01 to 0");
  const v1::Forecast& forecast = asked.what_if().forecast();
  EXPECT_EQ(forecast.progress(), 0.25);
  EXPECT_EQ(forecast.path(forecast.path_size() - 1).step(), 2000);
  EXPECT_LT(forecast.quantiles().at("0.5"), planned.declared().forecast().quantiles().at("0.5"));
  v1::GetRunResponse run;
  ASSERT_TRUE(Get("r", &run).ok());
  EXPECT_EQ(run.run().run().total_steps(), 1000);

  request.set_total_steps(499);
  const grpc::Status early = ask(request, &asked);
  EXPECT_EQ(early.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(early.error_message(), HasSubstr("total_steps: 499 lies before the newest step 500"));
  request.set_run_id("nobody");
  EXPECT_EQ(ask(request, &asked).error_code(), grpc::StatusCode::NOT_FOUND);
  context.TryCancel();
  stream->Finish();
}

TEST_F(RpcQueryTest, AWhatIfOfARunWithoutAPointIsRefusedAndThePlanIsNotYet) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "r"));
  Read(*stream);
  v1::ForecastRunRequest request;
  request.set_project("p");
  request.set_run_id("r");
  v1::ForecastRunResponse response;
  grpc::ClientContext plan_context;
  Arm(plan_context);
  ASSERT_TRUE(query_->ForecastRun(&plan_context, request, &response).ok());
  EXPECT_EQ(response.declared().forecast().status(), v1::Forecast::NOT_YET);
  EXPECT_FALSE(response.declared().forecast().reason().empty());
  request.set_total_steps(10);
  grpc::ClientContext what_if_context;
  Arm(what_if_context);
  const grpc::Status status = query_->ForecastRun(&what_if_context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("no point of train/loss has come yet"));
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
