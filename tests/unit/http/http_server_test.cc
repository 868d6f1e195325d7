#include "daemon/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <thread>

#include "tests/unit/http/views.h"

namespace curvecast {
namespace {

using ::testing::AllOf;
using testing::BoardOf;
using testing::FlaggedView;
using testing::FlagOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::View;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    auto server =
        HttpServer::Start({.address = "127.0.0.1:0"}, {answers_, clock_, std::make_shared<prometheus::Registry>()});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  httplib::Result Get(const std::string& path) {
    return httplib::Client("127.0.0.1", server_->port()).Get(path.c_str());
  }

  Inbox inbox_{{}};
  BoardHolder boards_;
  prometheus::Registry registry_;
  LoopMetrics metrics_{registry_};
  FitPool fitters_{1, Prior::Shipped(), inbox_, metrics_};
  testing::FixedClock clock_;
  Answers answers_{boards_, inbox_, fitters_, clock_};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, IsHealthyAtOnceButReadyOnlyAfterTheReplay) {
  EXPECT_EQ(Get("/-/healthy")->status, 200);
  EXPECT_EQ(Get("/-/ready")->status, 503);
  EXPECT_EQ(Get("/api/v1/runs")->status, 503);
  EXPECT_EQ(Get("/metrics")->status, 200);
  boards_.Put(BoardOf({}));
  EXPECT_EQ(Get("/-/ready")->status, 200);
  EXPECT_EQ(Get("/api/v1/runs")->status, 200);
}

TEST_F(HttpServerTest, RunsAreServedAsTheMessagesOfTheQueryService) {
  boards_.Put(BoardOf({View("a"), View("b")}));
  EXPECT_THAT(Get("/api/v1/runs")->body, HasSubstr(R"("runId": "b")"));
  EXPECT_THAT(Get("/api/v1/runs?page_size=1")->body, HasSubstr(R"("nextPageToken": "p/a")"));
  EXPECT_THAT(Get("/api/v1/runs/p/a")->body, HasSubstr(R"("0.5": 1.5)"));
  EXPECT_THAT(Get("/api/v1/runs/p/a/forecast")->body, HasSubstr(R"("status": "OK")"));
  EXPECT_EQ(Get("/api/v1/runs/p/a")->get_header_value("Content-Type"), "application/json");
}

TEST_F(HttpServerTest, ErrorsSayWhatAndWhere) {
  boards_.Put(BoardOf({View("a")}));
  const auto missing = Get("/api/v1/runs/p/nobody");
  EXPECT_EQ(missing->status, 404);
  EXPECT_THAT(missing->body, HasSubstr(R"(no run \"nobody\" in project \"p\")"));
  EXPECT_EQ(Get("/api/v1/runs?page_size=many")->status, 400);
  EXPECT_EQ(Get("/api/v1/runs?page_size=-1")->status, 400);
  const auto state = Get("/api/v1/runs?state=SLEEPING");
  EXPECT_EQ(state->status, 400);
  EXPECT_THAT(state->body, HasSubstr("write RUNNING, COMPLETED, FAILED or STOPPED"));
  EXPECT_EQ(Get("/api/v1/runs?state=running")->status, 200) << "as the metrics write it";
  const auto nothing = Get("/nothing/here");
  EXPECT_EQ(nothing->status, 404);
  EXPECT_THAT(nothing->body, HasSubstr(R"("code": "NOT_FOUND")"));
  const auto post = httplib::Client("127.0.0.1", server_->port()).Post("/api/v1/runs", "{}", "application/json");
  EXPECT_EQ(post->status, 405);
  EXPECT_THAT(post->body, HasSubstr("only GET is served"));
}

TEST_F(HttpServerTest, FlagsAreServedOfAllRunsAndOfOne) {
  BookedFlag acknowledged = FlagOf(2, FlagKind::kSpike, Severity::kCritical);
  acknowledged.acknowledged_at = 1;
  boards_.Put(BoardOf({FlaggedView("a", {FlagOf(1, FlagKind::kSilent, Severity::kInfo), acknowledged}), View("b"),
                       FlaggedView("c", {FlagOf(1, FlagKind::kDrift, Severity::kWarning)})}));
  const std::string all = Get("/api/v1/flags")->body;
  EXPECT_THAT(all, AllOf(HasSubstr(R"("kind": "SILENT")"), HasSubstr(R"("kind": "SPIKE")"), HasSubstr("DRIFT")));
  EXPECT_THAT(Get("/api/v1/flags?active_only=true")->body, Not(HasSubstr("SPIKE")));
  EXPECT_THAT(Get("/api/v1/flags?at_least=warning")->body, Not(HasSubstr("SILENT")));
  EXPECT_THAT(Get("/api/v1/runs/p/c/flags")->body, AllOf(HasSubstr("DRIFT"), Not(HasSubstr("SPIKE"))));
  EXPECT_THAT(Get("/api/v1/flags?page_size=2")->body, HasSubstr(R"("nextPageToken": "p/a/2")"));
  EXPECT_THAT(Get("/api/v1/flags?page_token=p/a/1")->body, AllOf(HasSubstr("SPIKE"), Not(HasSubstr("SILENT"))));
  EXPECT_EQ(Get("/api/v1/runs/p/nobody/flags")->status, 404);
  EXPECT_THAT(Get("/api/v1/flags?at_least=loud")->body, HasSubstr("write INFO, WARNING or CRITICAL"));
  EXPECT_THAT(Get("/api/v1/flags?active_only=1")->body, HasSubstr("write true or false"));
  EXPECT_EQ(Get("/api/v1/flags?page_token=p/a")->status, 400);
  EXPECT_EQ(Get("/api/v1/flags?page_size=10001")->status, 400);
  EXPECT_THAT(Get("/api/v1/runs/p/a")->body, HasSubstr(R"("acknowledgedAt")")) << "on record, though not shown";
}

TEST_F(HttpServerTest, ACurveIsAskedOfTheRunItself) {
  boards_.Put(BoardOf({View("a")}));
  std::thread engine([this] {  // Plays the engine's thread for one question.
    for (Inbox::Item& item : inbox_.Drain(std::chrono::seconds(30)))
      std::get<Question>(item).answer(absl::NotFoundError("no such run"));
  });
  EXPECT_EQ(Get("/api/v1/runs/p/a/curve")->status, 404);
  engine.join();
  inbox_.Close();
  EXPECT_EQ(Get("/api/v1/runs/p/a/curve")->status, 503) << "a stopping daemon says so at once";
}

TEST_F(HttpServerTest, AWhatIfIsAskedOfTheRunItself) {
  boards_.Put(BoardOf({View("a")}));
  RunOpened opened;
  opened.spec = *View("a")->spec;
  const Watching watching{Prior::Shipped(), {}};
  curvecast::Run run(opened, 0, watching);
  Column points{"train/loss", {}, {}};
  for (Step step = 1; step <= 50; ++step) {
    points.steps.push_back(step);
    points.values.push_back(2 + 1.0 / static_cast<double>(step));
  }
  run.Apply(BatchAppended{.writer = "", .sequence = 1, .columns = {points}, .end = {}}, 0);
  std::thread engine([&] {  // Plays the engine's thread for three questions.
    for (int answered = 0; answered < 3;) {
      for (Inbox::Item& item : inbox_.Drain(std::chrono::seconds(30))) {
        std::get<Question>(item).answer(FoundRun{&run, nullptr});
        ++answered;
      }
    }
  });
  const std::string longer = Get("/api/v1/runs/p/a/what-if?total_steps=200")->body;
  EXPECT_THAT(longer, HasSubstr(R"("totalSteps": "100")"));
  EXPECT_THAT(longer, HasSubstr(R"("totalSteps": "200")"));
  EXPECT_THAT(longer, HasSubstr(R"("plan": "no schedule known")"));
  const auto shorter = Get("/api/v1/runs/p/a/what-if?total_steps=20");
  EXPECT_EQ(shorter->status, 400);
  EXPECT_THAT(shorter->body, HasSubstr("total_steps: 20 lies before the newest step 50"));
  EXPECT_EQ(Get("/api/v1/runs/p/a/what-if?decay=one-minus-sqrt")->status, 409) << "the present rate is not known";
  engine.join();
  EXPECT_THAT(Get("/api/v1/runs/p/a/what-if?decay=sideways")->body, HasSubstr("write one of NONE, COSINE"));
  EXPECT_THAT(Get("/api/v1/runs/p/a/what-if?final_lr=low")->body,
              HasSubstr("final_lr: is \\\"low\\\"; write a number"));
  EXPECT_EQ(Get("/api/v1/runs/p/a/what-if?total_steps=1e3")->status, 400);
}

TEST_F(HttpServerTest, BadAndTakenAddressesAreSaid) {
  const auto start = [this](const std::string& address) {
    return HttpServer::Start({.address = address}, {answers_, clock_, std::make_shared<prometheus::Registry>()})
        .status();
  };
  EXPECT_EQ(start("nonsense").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start("127.0.0.1:99999").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start("127.0.0.1:" + std::to_string(server_->port())).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace curvecast
