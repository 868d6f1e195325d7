#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/ports/clock.h"
#include "daemon/http/board_collector.h"
#include "daemon/query/answers.h"
#include "prometheus/registry.h"

namespace curvecast {

// The HTTP side of the daemon, for people, Prometheus and scripts; it only reads.
//
//   /                                            what is here
//   /metrics                                     Prometheus text
//   /-/healthy                                   200 while the process lives
//   /-/ready                                     200, or 503 while the journal is being replayed
//   /api/v1/runs?project=&state=&page_size=&page_token=   ListRunsResponse
//   /api/v1/runs/{project}/{run_id}              GetRunResponse
//   /api/v1/runs/{project}/{run_id}/curve?metric=         GetCurveResponse
//   /api/v1/runs/{project}/{run_id}/forecast     Forecast, with its path
//   /api/v1/runs/{project}/{run_id}/what-if?total_steps=&decay=&decay_start_step=&final_lr=   ForecastRunResponse
//
// Bodies are the messages of query.proto as proto3 JSON; an error is {"code": ..., "message": ...} with the HTTP status
// to match.
class HttpServer {
 public:
  struct Options {
    std::string address;  // host:port; port 0 takes any free one.
    BoardCollector::Options exported = {};
    size_t threads = 8;  // Connections at a time; the rest wait. One that says nothing for 2 s is closed.
  };
  struct Parts {
    const Answers& answers;
    Clock& clock;
    std::shared_ptr<prometheus::Registry> registry;  // What the daemon counts about itself.
  };

  // INVALID_ARGUMENT for an address that is none, UNAVAILABLE if it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options, Parts parts);
  ~HttpServer();  // Stops listening and waits for requests under way.

  int port() const;

 private:
  struct Wires;
  explicit HttpServer(std::unique_ptr<Wires> wires);
  std::unique_ptr<Wires> wires_;
};

}  // namespace curvecast
