#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/unit/rpc/rpc_server_fixture.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using RpcIngestTest = RpcServerTest;

TEST_F(RpcIngestTest, WhatIsAcknowledgedIsInTheNextAnswer) {
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

TEST_F(RpcIngestTest, BatchesMayFollowTheOpenWithoutWaiting) {
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

TEST_F(RpcIngestTest, ABadBatchIsRefusedByFieldAndTheStreamGoesOn) {
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

TEST_F(RpcIngestTest, ABatchWithAMetricTooManyIsAnsweredOnceAndTheStreamEndsAfterItsLastAck) {
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

TEST_F(RpcIngestTest, AReconnectingWriterIsToldWhereToGoOn) {
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

TEST_F(RpcIngestTest, AStopEndsStreamsWithUnavailableAfterTheirAnswers) {
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

TEST_F(RpcIngestTest, AnOversizedMessageEndsItsStreamAndNoOther) {
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

TEST_F(RpcIngestTest, StreamsPastTheLimitAreRefusedByName) {
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

TEST_F(RpcIngestTest, ATinyInboxOnlySlowsAWriterDown) {
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

TEST_F(RpcIngestTest, ATakenPortIsSaid) {
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = RpcServer::Start({.address = address}, {*inbox_, clock_, *answers_, *boards_, [](int64_t) {}});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(address));
}

}  // namespace
}  // namespace curvecast
