#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "core/ports/memory_journal.h"
#include "curvecast/v1/ingest.grpc.pb.h"
#include "curvecast/v1/query.grpc.pb.h"
#include "daemon/loop/engine_thread.h"
#include "daemon/os/system_clock.h"
#include "daemon/rpc/server.h"

namespace curvecast {

using PushStream = grpc::ClientReaderWriter<v1::PushRequest, v1::PushResponse>;

// A whole daemon but for its disk, and a client of it.
class RpcServerTest : public ::testing::Test {
 protected:
  void SetUp() override { StartServer({.address = "127.0.0.1:0"}); }
  void TearDown() override { StopServer(); }

  void StartServer(RpcServer::Options options, Inbox::Limits limits = {}) {
    inbox_ = std::make_unique<Inbox>(limits);
    boards_ = std::make_unique<BoardHolder>();
    EngineThread::Options engine_options;
    engine_options.publish_interval = std::chrono::milliseconds(5);
    engine_ = std::make_unique<EngineThread>(
        engine_options,
        EngineThread::Parts{journal_, clock_, *inbox_, *boards_, metrics_, [](const absl::Status&) {},
                            [](const RunKey&, const absl::Status&) {}, [](const absl::Status&) {}},
        Prior::Shipped());
    answers_ = std::make_unique<Answers>(*boards_, *inbox_, engine_->fitters(), clock_);
    auto server = RpcServer::Start(options, {*inbox_, clock_, *answers_, *boards_, [](int64_t) {}});
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

}  // namespace curvecast
