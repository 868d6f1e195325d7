#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "core/ports/memory_journal.h"
#include "curvecast/v1/ingest.grpc.pb.h"
#include "curvecast/v1/query.grpc.pb.h"
#include "daemon/loop/engine_thread.h"
#include "daemon/os/system_clock.h"
#include "daemon/rpc/server.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using PushStream = grpc::ClientReaderWriter<v1::PushRequest, v1::PushResponse>;

// A whole daemon but for its disk, and a client of it.
class RpcServerTest : public ::testing::Test {
 protected:
  void SetUp() override { StartServer({.address = "127.0.0.1:0"}); }
  void TearDown() override { StopServer(); }

  void StartServer(RpcServer::Options options, Inbox::Limits limits = {}) {
    inbox_ = std::make_unique<Inbox>(limits);
    boards_ = std::make_unique<BoardHolder>();
    answers_ = std::make_unique<Answers>(*boards_, *inbox_);
    EngineThread::Options engine_options;
    engine_options.publish_interval = std::chrono::milliseconds(5);
    engine_ = std::make_unique<EngineThread>(
        engine_options,
        EngineThread::Parts{journal_, clock_, *inbox_, *boards_, metrics_, [](const absl::Status&) {},
                            [](const RunKey&, const absl::Status&) {}, [](const absl::Status&) {}},
        Prior::Shipped());
    auto server = RpcServer::Start(options, {*inbox_, clock_, *answers_, *boards_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    engine_->Start();
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()), grpc::InsecureChannelCredentials());
    ingest_ = v1::IngestService::NewStub(channel_);
    query_ = v1::QueryService::NewStub(channel_);
  }
  void StopServer() {
    if (server_ == nullptr) return;
    server_->Drain();
    engine_->Stop();
    server_ = nullptr;
    engine_ = nullptr;
  }

  // Contexts end themselves rather than hang a test.
  static void Arm(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    context.set_wait_for_ready(true);
  }
  static v1::PushRequest Open(uint32_t channel, const std::string& run_id, uint64_t incarnation = 1) {
    v1::PushRequest request;
    request.set_channel(channel);
    request.mutable_open()->mutable_run()->set_project("p");
    request.mutable_open()->mutable_run()->set_run_id(run_id);
    request.mutable_open()->mutable_run()->set_total_steps(1000);
    request.mutable_open()->set_incarnation(incarnation);
    return request;
  }
  static v1::PushRequest Batch(uint32_t channel, uint64_t sequence, int64_t step, double value) {
    v1::PushRequest request;
    request.set_channel(channel);
    request.mutable_batch()->set_sequence(sequence);
    v1::Points* points = request.mutable_batch()->add_points();
    points->set_metric("train/loss");
    points->add_step(step);
    points->add_value(value);
    return request;
  }
  static v1::PushResponse Read(PushStream& stream) {
    v1::PushResponse response;
    EXPECT_TRUE(stream.Read(&response));
    return response;
  }
  // Reads until this sequence of this channel is acknowledged.
  static void ReadAck(PushStream& stream, uint32_t channel, uint64_t sequence) {
    v1::PushResponse response;
    while (stream.Read(&response)) {
      if (response.channel() == channel && response.has_ack() && response.ack().sequence() >= sequence) return;
    }
    ADD_FAILURE() << "the stream ended before sequence " << sequence << " was acknowledged";
  }
  grpc::Status Get(const std::string& run_id, v1::GetRunResponse* response) {
    grpc::ClientContext context;
    Arm(context);
    v1::GetRunRequest request;
    request.set_project("p");
    request.set_run_id(run_id);
    return query_->GetRun(&context, request, response);
  }

  MemoryJournal journal_;
  SystemClock clock_;
  prometheus::Registry registry_;
  LoopMetrics metrics_{registry_};
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<BoardHolder> boards_;
  std::unique_ptr<Answers> answers_;
  std::unique_ptr<EngineThread> engine_;
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::IngestService::Stub> ingest_;
  std::unique_ptr<v1::QueryService::Stub> query_;
};

TEST_F(RpcServerTest, WhatIsAcknowledgedIsInTheNextAnswer) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "r"));
  EXPECT_EQ(Read(*stream).opened().expected_sequence(), 1u);
  for (uint64_t sequence = 1; sequence <= 50; ++sequence) {
    stream->Write(Batch(0, sequence, static_cast<int64_t>(sequence), 4.0));
    ReadAck(*stream, 0, sequence);
    v1::GetRunResponse run;
    ASSERT_TRUE(Get("r", &run).ok());
    EXPECT_EQ(run.run().step(), static_cast<int64_t>(sequence));
    EXPECT_EQ(run.metrics(0).points(), static_cast<int64_t>(sequence));
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RpcServerTest, BatchesMayFollowTheOpenWithoutWaiting) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  for (uint32_t channel = 0; channel < 20; ++channel) {
    stream->Write(Open(channel, "r" + std::to_string(channel)));
    stream->Write(Batch(channel, 1, 1, 4.0));
    stream->Write(Batch(channel, 2, 2, 3.0));
  }
  stream->WritesDone();
  int opened = 0;
  std::map<uint32_t, uint64_t> acknowledged;
  v1::PushResponse response;
  while (stream->Read(&response)) {
    opened += response.has_opened();
    if (response.has_ack()) acknowledged[response.channel()] = response.ack().sequence();
  }
  EXPECT_TRUE(stream->Finish().ok()) << "a stream ends well once all is answered";
  EXPECT_EQ(opened, 20);
  ASSERT_EQ(acknowledged.size(), 20u);
  for (const auto& [channel, sequence] : acknowledged) EXPECT_EQ(sequence, 2u);
}

TEST_F(RpcServerTest, ABadBatchIsRefusedByFieldAndTheStreamGoesOn) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "good"));
  EXPECT_TRUE(Read(*stream).has_opened());
  stream->Write(Open(1, "bad id"));
  v1::PushResponse response = Read(*stream);
  EXPECT_EQ(response.rejected().field(), "open.run.run_id");
  EXPECT_EQ(response.rejected().code(), 3);
  EXPECT_EQ(response.channel(), 1u);
  stream->Write(Batch(1, 1, 1, 4.0));
  EXPECT_EQ(Read(*stream).rejected().code(), 9) << "its channel never opened";
  stream->Write(Batch(0, 1, -3, 4.0));
  response = Read(*stream);
  EXPECT_EQ(response.rejected().field(), "batch.points[0].step[0]");
  EXPECT_EQ(response.rejected().sequence(), 1u);
  EXPECT_THAT(response.rejected().message(), HasSubstr("is -3"));
  stream->Write(v1::PushRequest());
  EXPECT_EQ(Read(*stream).rejected().field(), "request");
  stream->Write(Batch(0, 2, 1, 4.0));
  ReadAck(*stream, 0, 2);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RpcServerTest, ABatchWithAMetricTooManyIsAnsweredOnceAndTheStreamEndsAfterItsLastAck) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "r"));
  constexpr uint64_t kBatches = 80;  // Of one metric each; 64 are kept.
  for (uint64_t sequence = 1; sequence <= kBatches; ++sequence) {
    v1::PushRequest request = Batch(0, sequence, 1, 4.0);
    request.mutable_batch()->mutable_points(0)->set_metric("m" + std::to_string(sequence));
    stream->Write(request);
  }
  stream->WritesDone();
  uint64_t acknowledged = 0;
  int rejected = 0;
  v1::PushResponse response;
  while (stream->Read(&response)) {
    if (response.has_ack()) acknowledged = response.ack().sequence();
    if (response.has_rejected()) {
      ++rejected;
      EXPECT_EQ(response.rejected().code(), 8);
      EXPECT_EQ(response.rejected().field(), "max_metrics_per_run");
      EXPECT_GE(acknowledged, response.rejected().sequence()) << "the ack comes first";
    }
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(acknowledged, kBatches);
  EXPECT_EQ(rejected, 17) << "80, less 63 and the objective's place";
}

TEST_F(RpcServerTest, AReconnectingWriterIsToldWhereToGoOn) {
  {
    grpc::ClientContext context;
    Arm(context);
    auto stream = ingest_->Push(&context);
    stream->Write(Open(0, "r"));
    stream->Write(Batch(0, 1, 1, 4.0));
    stream->Write(Batch(0, 2, 2, 4.0));
    ReadAck(*stream, 0, 2);
    context.TryCancel();  // The network breaks.
    stream->Finish();
  }
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(7, "r"));
  const v1::PushResponse response = Read(*stream);
  EXPECT_EQ(response.opened().expected_sequence(), 3u);
  EXPECT_EQ(response.opened().last_step(), 2);
  stream->Write(Batch(7, 2, 2, 4.0));
  ReadAck(*stream, 7, 2);
  v1::GetRunResponse run;
  ASSERT_TRUE(Get("r", &run).ok());
  EXPECT_EQ(run.metrics(0).points(), 2);
  context.TryCancel();
  stream->Finish();
}

TEST_F(RpcServerTest, AStopEndsStreamsWithUnavailableAfterTheirAnswers) {
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "r"));
  stream->Write(Batch(0, 1, 1, 4.0));
  ReadAck(*stream, 0, 1);
  StopServer();
  v1::PushResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(RpcServerTest, AnOversizedMessageEndsItsStreamAndNoOther) {
  StopServer();
  StartServer({.address = "127.0.0.1:0", .max_message_bytes = 1000});
  grpc::ClientContext other_context;
  Arm(other_context);
  auto other = ingest_->Push(&other_context);
  other->Write(Open(0, "other"));
  EXPECT_TRUE(Read(*other).has_opened());
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, std::string(5000, 'x')));
  stream->WritesDone();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  other->Write(Batch(0, 1, 1, 4.0));
  ReadAck(*other, 0, 1);
  other_context.TryCancel();
  other->Finish();
}

TEST_F(RpcServerTest, StreamsPastTheLimitAreRefusedByName) {
  StopServer();
  StartServer({.address = "127.0.0.1:0", .max_streams = 1});
  grpc::ClientContext first_context, second_context;
  Arm(first_context);
  Arm(second_context);
  auto first = ingest_->Push(&first_context);
  first->Write(Open(0, "r"));
  EXPECT_TRUE(Read(*first).has_opened());
  auto second = ingest_->Push(&second_context);
  const grpc::Status refused = second->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("limits.max_streams"));
  first_context.TryCancel();
  first->Finish();
}

TEST_F(RpcServerTest, AnUnknownRunIsNotFound) {
  v1::GetRunResponse run;
  grpc::Status status;
  do {  // UNAVAILABLE until the (empty) journal is read.
    status = Get("nobody", &run);
  } while (status.error_code() == grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("nobody"));
}

TEST_F(RpcServerTest, ACurveShowsTheRewoundBranchBesideIt) {
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

TEST_F(RpcServerTest, AWatcherSeesEveryRunOnceAndThenWhatChanges) {
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

TEST_F(RpcServerTest, RunsComeInPages) {
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

TEST_F(RpcServerTest, ATinyInboxOnlySlowsAWriterDown) {
  StopServer();
  StartServer({.address = "127.0.0.1:0"}, {.max_batches = 1});
  grpc::ClientContext context;
  Arm(context);
  auto stream = ingest_->Push(&context);
  stream->Write(Open(0, "slow"));
  for (uint64_t sequence = 1; sequence <= 300; ++sequence) {
    ASSERT_TRUE(stream->Write(Batch(0, sequence, static_cast<int64_t>(sequence), 4.0)));
  }
  stream->WritesDone();
  uint64_t acknowledged = 0;
  v1::PushResponse response;
  while (stream->Read(&response)) {
    if (response.has_ack()) acknowledged = response.ack().sequence();
  }
  EXPECT_EQ(acknowledged, 300u);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RpcServerTest, ATakenPortIsSaid) {
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = RpcServer::Start({.address = address}, {*inbox_, clock_, *answers_, *boards_});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(address));
}

}  // namespace
}  // namespace curvecast
