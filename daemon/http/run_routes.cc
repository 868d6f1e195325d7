#include "daemon/http/run_routes.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"

namespace curvecast {
namespace {

constexpr std::chrono::seconds kLongestWait{5};  // For the engine's thread.

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kFailedPrecondition:
      return 409;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return 503;
    default:
      return 500;
  }
}

// Our own messages hold nothing that JSON must escape but quotes and backslashes; what a user sent may hold anything.
std::string Escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

void SendError(const absl::Status& status, httplib::Response& response) {
  response.status = HttpStatusOf(status.code());
  const std::string_view message(status.message().data(), status.message().size());
  response.set_content(absl::StrCat("{\"code\": \"", absl::StatusCodeToString(status.code()), "\", \"message\": \"",
                                    Escaped(message), "\"}\n"),
                       "application/json");
}

template <typename Message>
void Send(const absl::StatusOr<Message>& answer, httplib::Response& response) {
  if (!answer.ok()) return SendError(answer.status(), response);
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string json;
  if (auto status = google::protobuf::util::MessageToJsonString(*answer, &json, options); !status.ok()) {
    return SendError(absl::InternalError(std::string(status.message())), response);
  }
  response.set_content(json, "application/json");
}

// A parameter as a number of the field's type; nothing if it is not there.
template <typename Number>
absl::StatusOr<std::optional<Number>> NumberParam(const httplib::Request& http, const char* name, const char* what) {
  if (!http.has_param(name)) return std::nullopt;
  const std::string text = http.get_param_value(name);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": is \"", text, "\"; write ", what));
  }
  return number;
}

absl::StatusOr<v1::ListRunsRequest> ListRequest(const httplib::Request& http) {
  v1::ListRunsRequest request;
  request.set_project(http.get_param_value("project"));
  request.set_page_token(http.get_param_value("page_token"));
  for (size_t i = 0; i < http.get_param_value_count("state"); ++i) {
    std::string name = http.get_param_value("state", i);
    absl::AsciiStrToUpper(&name);  // Metrics and the command line write it small.
    v1::Run::State state;
    if (!v1::Run::State_Parse(name, &state)) {
      return absl::InvalidArgumentError(
          absl::StrCat("state: is \"", name, "\"; write RUNNING, COMPLETED, FAILED or STOPPED"));
    }
    request.add_states(state);
  }
  const auto page_size = NumberParam<int32_t>(http, "page_size", "a whole number");
  if (!page_size.ok()) return page_size.status();
  if (*page_size) request.set_page_size(**page_size);
  return request;
}

// Of all runs, or of the one in the path.
absl::StatusOr<v1::GetFlagsRequest> FlagsRequest(const httplib::Request& http) {
  v1::GetFlagsRequest request;
  const bool of_one_run = http.matches.size() > 2;
  request.set_project(of_one_run ? http.matches[1].str() : http.get_param_value("project"));
  if (of_one_run) request.set_run_id(http.matches[2]);
  request.set_page_token(http.get_param_value("page_token"));
  if (http.has_param("active_only")) {
    const std::string text = http.get_param_value("active_only");
    if (text != "true" && text != "false") {
      return absl::InvalidArgumentError(absl::StrCat("active_only: is \"", text, "\"; write true or false"));
    }
    request.set_active_only(text == "true");
  }
  if (http.has_param("at_least")) {
    std::string name = http.get_param_value("at_least");
    absl::AsciiStrToUpper(&name);
    v1::Flag::Severity severity;
    if (!v1::Flag::Severity_Parse(name, &severity)) {
      return absl::InvalidArgumentError(absl::StrCat("at_least: is \"", name, "\"; write INFO, WARNING or CRITICAL"));
    }
    request.set_at_least(severity);
  }
  const auto page_size = NumberParam<int32_t>(http, "page_size", "a whole number");
  if (!page_size.ok()) return page_size.status();
  if (*page_size) request.set_page_size(**page_size);
  return request;
}

v1::GetRunRequest RunRequest(const httplib::Request& http) {
  v1::GetRunRequest request;
  request.set_project(http.matches[1]);
  request.set_run_id(http.matches[2]);
  return request;
}

absl::StatusOr<v1::ForecastRunRequest> WhatIfRequest(const httplib::Request& http) {
  v1::ForecastRunRequest request;
  request.set_project(http.matches[1]);
  request.set_run_id(http.matches[2]);
  const auto total_steps = NumberParam<int64_t>(http, "total_steps", "a whole number");
  if (!total_steps.ok()) return total_steps.status();
  if (*total_steps) request.set_total_steps(**total_steps);
  const auto decay_start_step = NumberParam<int64_t>(http, "decay_start_step", "a whole number");
  if (!decay_start_step.ok()) return decay_start_step.status();
  if (*decay_start_step) request.set_decay_start_step(**decay_start_step);
  const auto final_lr = NumberParam<double>(http, "final_lr", "a number");
  if (!final_lr.ok()) return final_lr.status();
  if (*final_lr) request.set_final_lr(**final_lr);
  if (http.has_param("decay")) {
    std::string name = http.get_param_value("decay");
    absl::AsciiStrToUpper(&name);
    std::replace(name.begin(), name.end(), '-', '_');  // The command line writes one-minus-sqrt.
    v1::Schedule::Decay decay;
    if (!v1::Schedule::Decay_Parse(name, &decay)) {
      return absl::InvalidArgumentError(
          absl::StrCat("decay: is \"", name, "\"; write one of NONE, COSINE, LINEAR, EXPONENTIAL, ONE_MINUS_SQRT"));
    }
    request.set_decay(decay);
  }
  return request;
}

// Asks what is answered on another thread, which may do so after we have given up.
template <typename Response, typename Ask>
absl::StatusOr<Response> WaitFor(const Ask& ask) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<Response>>>();
  std::future<absl::StatusOr<Response>> future = promise->get_future();
  ask([promise](absl::StatusOr<Response> answer) { promise->set_value(std::move(answer)); });
  if (future.wait_for(kLongestWait) != std::future_status::ready) {
    return absl::DeadlineExceededError(
        "the engine did not answer within 5 s: is the disk full or stalled? See the daemon's log");
  }
  return future.get();
}

}  // namespace

void AddRunRoutes(httplib::Server& server, const Answers& answers) {
  constexpr char kRun[] = "/api/v1/runs/([^/]+)/([^/]+)";
  server.set_error_handler([](const httplib::Request& http, httplib::Response& response) {
    if (!response.body.empty()) return;  // It says already what is wrong.
    const bool reads = http.method == "GET" || http.method == "HEAD";
    const int status = !reads && response.status == 404 ? 405 : response.status;
    SendError(reads ? absl::NotFoundError("there is nothing here; / lists what there is")
                    : absl::UnimplementedError("only GET is served: runs come in over gRPC"),
              response);
    response.status = status;
  });
  server.Get("/api/v1/runs/?", [&answers](const httplib::Request& http, httplib::Response& response) {
    absl::StatusOr<v1::ListRunsRequest> request = ListRequest(http);
    if (!request.ok()) return SendError(request.status(), response);
    Send(answers.ListRuns(*request), response);
  });
  server.Get(kRun, [&answers](const httplib::Request& http, httplib::Response& response) {
    Send(answers.GetRun(RunRequest(http)), response);
  });
  server.Get(absl::StrCat(kRun, "/curve"), [&answers](const httplib::Request& http, httplib::Response& response) {
    v1::GetCurveRequest request;
    request.set_project(http.matches[1]);
    request.set_run_id(http.matches[2]);
    request.set_metric(http.get_param_value("metric"));
    Send(WaitFor<v1::GetCurveResponse>([&](auto done) { answers.GetCurve(request, std::move(done)); }), response);
  });
  server.Get(absl::StrCat(kRun, "/what-if"), [&answers](const httplib::Request& http, httplib::Response& response) {
    const absl::StatusOr<v1::ForecastRunRequest> request = WhatIfRequest(http);
    if (!request.ok()) return SendError(request.status(), response);
    Send(WaitFor<v1::ForecastRunResponse>([&](auto done) { answers.ForecastRun(*request, std::move(done)); }),
         response);
  });
  const auto flags = [&answers](const httplib::Request& http, httplib::Response& response) {
    const absl::StatusOr<v1::GetFlagsRequest> request = FlagsRequest(http);
    if (!request.ok()) return SendError(request.status(), response);
    Send(answers.GetFlags(*request), response);
  };
  server.Get("/api/v1/flags/?", flags);
  server.Get(absl::StrCat(kRun, "/flags"), flags);
  server.Get(absl::StrCat(kRun, "/forecast"), [&answers](const httplib::Request& http, httplib::Response& response) {
    absl::StatusOr<v1::GetRunResponse> run = answers.GetRun(RunRequest(http));
    if (!run.ok()) return SendError(run.status(), response);
    if (!run->run().has_forecast()) {
      return SendError(absl::NotFoundError("this run has no forecast yet: it has no points, or they came a moment ago"),
                       response);
    }
    Send(absl::StatusOr<v1::Forecast>(run->run().forecast()), response);
  });
}

}  // namespace curvecast
