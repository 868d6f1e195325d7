#include "daemon/http/http_server.h"

#include <httplib.h>

#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/http/run_routes.h"
#include "prometheus/histogram.h"
#include "prometheus/text_serializer.h"

namespace curvecast {
namespace {

constexpr char kIndex[] =
    "curvecastd\n\n"
    "/metrics                                  for Prometheus\n"
    "/api/v1/runs                              the runs, as JSON\n"
    "/api/v1/runs/{project}/{run_id}           one run, with its forecasts\n"
    "/api/v1/runs/{project}/{run_id}/curve     its curve\n"
    "/api/v1/runs/{project}/{run_id}/flags     how it has left the law, with reasons\n"
    "/api/v1/runs/{project}/{run_id}/forecast  its newest forecast, with the path to the end\n"
    "/api/v1/runs/{project}/{run_id}/what-if   its end under another plan: "
    "?total_steps=&decay=&decay_start_step=&final_lr=\n"
    "/api/v1/flags                             the same of all runs: ?project=&active_only=&at_least=\n"
    "/-/healthy  /-/ready                      for probes\n";

struct HostPort {
  std::string host;
  int port = 0;
};

absl::StatusOr<HostPort> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  HostPort split;
  if (colon != std::string::npos) {
    split.host = address.substr(0, colon);
    if (split.host.size() > 2 && split.host.front() == '[' && split.host.back() == ']') {
      split.host = split.host.substr(1, split.host.size() - 2);
    }
    const char* end = address.data() + address.size();
    const auto [at, error] = std::from_chars(address.data() + colon + 1, end, split.port);
    if (error == std::errc() && at == end && split.port >= 0 && split.port <= 65535 && !split.host.empty())
      return split;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("listen.http: is \"", address, "\"; write host:port, such as 127.0.0.1:7462"));
}

}  // namespace

struct HttpServer::Wires {
  explicit Wires(const Options& options, const Parts& parts)
      : collector(options.exported, parts.answers.boards(), parts.clock), registry(parts.registry) {}

  BoardCollector collector;
  std::shared_ptr<prometheus::Registry> registry;
  prometheus::Histogram* scrape_seconds = nullptr;
  int port = 0;
  httplib::Server server;
  std::thread thread;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options, Parts parts) {
  absl::StatusOr<HostPort> address = Split(options.address);
  if (!address.ok()) return address.status();
  auto wires = std::make_unique<Wires>(options, parts);
  Wires* w = wires.get();
  w->scrape_seconds = &prometheus::BuildHistogram()
                           .Name("curvecast_scrape_duration_seconds")
                           .Help("One answer of /metrics.")
                           .Register(*w->registry)
                           .Add({}, prometheus::Histogram::BucketBoundaries{1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.25, 1, 5});

  w->server.new_task_queue = [threads = options.threads] { return new httplib::ThreadPool(threads); };
  // Not httplib's default, which would let two daemons share a port without a word.
  w->server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  w->server.set_keep_alive_max_count(1000);
  w->server.set_keep_alive_timeout(2);  // A connection holds a thread.
  w->server.set_read_timeout(5);
  w->server.set_write_timeout(10);
  w->server.set_payload_max_length(64 * 1024);
  w->server.Get(
      "/", [](const httplib::Request&, httplib::Response& response) { response.set_content(kIndex, "text/plain"); });
  w->server.Get("/-/healthy", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("curvecastd is alive.\n", "text/plain");
  });
  w->server.Get("/-/ready", [&answers = parts.answers](const httplib::Request&, httplib::Response& response) {
    const bool replaying = answers.boards().Get()->replaying;
    response.status = replaying ? 503 : 200;
    response.set_content(replaying ? "The journal is being replayed.\n" : "curvecastd is ready.\n", "text/plain");
  });
  w->server.Get("/metrics", [w](const httplib::Request&, httplib::Response& response) {
    const auto start = std::chrono::steady_clock::now();
    response.body = w->collector.Text();  // Megabytes: set_content would copy them.
    response.body += prometheus::TextSerializer().Serialize(w->registry->Collect());
    response.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    w->scrape_seconds->Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  });
  AddRunRoutes(w->server, parts.answers);

  const absl::Status taken = absl::UnavailableError(
      absl::StrCat("cannot listen on ", options.address,
                   " for HTTP: the port is taken or the address is not this machine's; set listen.http"));
  if (address->port == 0) {
    w->port = w->server.bind_to_any_port(address->host);
    if (w->port <= 0) return taken;
  } else {
    if (!w->server.bind_to_port(address->host, address->port)) return taken;
    w->port = address->port;
  }
  w->thread = std::thread([w] { w->server.listen_after_bind(); });
  while (!w->server.is_running()) std::this_thread::yield();  // stop() would not reach it before.
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(wires)));
}

HttpServer::HttpServer(std::unique_ptr<Wires> wires) : wires_(std::move(wires)) {}

HttpServer::~HttpServer() {
  wires_->server.stop();
  wires_->thread.join();
}

int HttpServer::port() const { return wires_->port; }

}  // namespace curvecast
