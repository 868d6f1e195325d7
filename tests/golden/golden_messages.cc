#include "tests/golden/golden_messages.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include "core/base/check.h"
#include "curvecast/v1/config.pb.h"
#include "curvecast/v1/flag.pb.h"
#include "curvecast/v1/ingest.pb.h"
#include "curvecast/v1/journal.pb.h"
#include "curvecast/v1/query.pb.h"
#include "curvecast/v1/run.pb.h"

namespace curvecast {
namespace {

constexpr const char* kRun = R"(
  project: "demo" run_id: "h1024_lr1e-2" family: "demo/242M/40B" objective: "eval/accuracy" direction: MAXIMIZE
  total_steps: 38145 parameters: 241517568 tokens_per_step: 1048576
  schedule { peak_lr: 0.011 final_lr: 1e-05 warmup_steps: 2000 decay: ONE_MINUS_SQRT decay_start_step: 30000 }
  labels { key: "optimizer" value: "adamw" })";
constexpr const char* kKnots = R"(schedule { knots { step: 0 step: 100 lr: 0 lr: 0.5 } })";
constexpr const char* kPoints =
    R"(metric: "train/loss" step: 0 step: 81 step: 9007199254740992 value: 3.25 value: nan value: -inf)";
constexpr const char* kForecast = R"(
  status: OK reason: "none" step: 19000 progress: 0.5 expected_value: 2.75
  quantiles { key: "0.5" value: 2.5 } path { step: 19000 p05: 2.25 p50: 2.5 p95: 3 })";

std::string Braced(const std::string& field, const std::string& content) { return field + " {" + content + "} "; }

std::string Summary() {
  return Braced("run", kRun) + "state: FAILED step: 19000 value: 2.75 progress: 0.5 " + Braced("forecast", kForecast) +
         "opened_at { seconds: 1700000000 nanos: 1000 } last_point_at { seconds: 1700000001 nanos: 2000 } rewinds: 3 ";
}

// A flag as the journal keeps it, and what else people see of it.
constexpr const char* kFlag = R"(
  kind: SPIKE severity: WARNING metric: "train/loss" began_step: 1200 raised_at_step: 1201 updated_at_step: 1210
  evidence { statistic: 6.25 threshold: 5.5 expected: 2 seen: 3.5 sigma: 0.25 points: 2 share: 0.125
             mean_points_between_false_alarms: 8e6 } )";
constexpr const char* kHandled = R"(
  number: 3 sentence: "train/loss jumped" raised_at { seconds: 1700000000 nanos: 1000 }
  updated_at { seconds: 1700000001 } acknowledged_at { seconds: 1700000002 } acknowledged_by: "ada"
  silenced_until { seconds: 1700003600 } silenced_by: "grace" note: "known" )";
constexpr const char* kPhase = R"(phase { name: "eval" max_seconds: 2400 } )";

template <typename Message>
GoldenMessage Make(std::string name, const std::string& text) {
  auto message = std::make_unique<Message>();
  CURVECAST_CHECK(google::protobuf::TextFormat::ParseFromString(text, message.get()));
  return {std::move(name), std::move(message)};
}

void AddIngest(std::vector<GoldenMessage>& all) {
  all.push_back(
      Make<v1::PushRequest>("push_open", "channel: 7 open {" + Braced("run", kRun) +
                                             R"(writer: "rank3" incarnation: 1700000000000000 resume_step: 81 })"));
  all.push_back(Make<v1::PushRequest>("push_batch", "channel: 65535 batch { sequence: 18446744073709551615 " +
                                                        Braced("points", kPoints) + "end { state: STOPPED } }"));
  all.push_back(Make<v1::PushResponse>("push_opened", "channel: 7 opened { expected_sequence: 12 last_step: 80 }"));
  all.push_back(Make<v1::PushResponse>("push_ack", "channel: 7 ack { sequence: 300 }"));
  all.push_back(Make<v1::PushResponse>(
      "push_rejected",
      R"(channel: 7 rejected { code: 3 sequence: 2 field: "batch.points[2].step[17]" message: "is -1" })"));
}

void AddFlags(std::vector<GoldenMessage>& all) {
  const std::string flag = kFlag + std::string("resolution: RECOVERED ") + kHandled;
  all.push_back(Make<v1::Flag>("flag", flag));
  all.push_back(
      Make<v1::PushRequest>("push_batch_phase", "channel: 7 batch { sequence: 2 " + std::string(kPhase) + "}"));
  all.push_back(Make<v1::GetRunResponse>(
      "get_run_response_flags",
      "run { " + Braced("flags", kFlag) + "deviation_sigma: 6.5 " + kPhase + "} " + Braced("flags", flag)));
  all.push_back(Make<v1::GetFlagsRequest>("get_flags_request", R"(
      project: "demo" run_id: "a" active_only: true at_least: WARNING page_size: 10 page_token: "demo/a/3")"));
  all.push_back(Make<v1::GetFlagsResponse>(
      "get_flags_response",
      R"(flags { project: "demo" run_id: "a" )" + Braced("flag", flag) + R"(} next_page_token: "demo/a/3")"));
  all.push_back(Make<v1::GetFlagsResponse>(
      "get_flags_response_replayed",
      R"(flags { project: "demo" run_id: "a" file: "runs/a.jsonl" )" + Braced("flag", flag) + "}"));
  all.push_back(Make<v1::AcknowledgeFlagRequest>("acknowledge_flag_request",
                                                 R"(project: "demo" run_id: "a" number: 3 by: "ada" note: "known")"));
  all.push_back(Make<v1::SilenceFlagRequest>(
      "silence_flag_request", R"(project: "demo" run_id: "a" number: 3 by: "ada" note: "known" seconds: 3600)"));
}

void AddQuery(std::vector<GoldenMessage>& all) {
  all.push_back(Make<v1::ListRunsRequest>(
      "list_runs_request", R"(project: "demo" states: RUNNING states: COMPLETED page_size: 10 page_token: "t")"));
  all.push_back(
      Make<v1::ListRunsResponse>("list_runs_response", Braced("runs", Summary()) + R"(next_page_token: "u")"));
  all.push_back(Make<v1::GetRunRequest>("get_run_request", R"(project: "demo" run_id: "a")"));
  all.push_back(Make<v1::GetRunResponse>(
      "get_run_response",
      Braced("run", Summary()) +
          R"(metrics { metric: "lr" points: 3 non_finite_points: 1 last_step: 9 last_value: nan } )" +
          Braced("history", R"(status: NOT_YET reason: "warming up")") + "rewound_to_steps: 81"));
  all.push_back(Make<v1::GetRunResponse>("get_run_response_without_schedule",
                                         R"(run { inferred_schedule: "lr: constant at 0.1 so far" })"));
  all.push_back(Make<v1::GetRunResponse>("get_run_response_leaning",
                                         "run { forecast { status: OK relatives: 12 siblings: 3 } }"));
  all.push_back(Make<v1::GetCurveRequest>("get_curve_request", R"(project: "demo" run_id: "a" metric: "lr")"));
  all.push_back(
      Make<v1::GetCurveResponse>("get_curve_response", R"(metric: "lr" step: 1.5 value: 2.5 stddev: 0.5 count: 2
                               superseded { rewound_to_step: 81 step: 90 value: 2 })"));
  all.push_back(Make<v1::ForecastRunRequest>("forecast_run_request", R"(
      project: "demo" run_id: "a" total_steps: 8000 schedule { peak_lr: 0.5 } decay: LINEAR decay_start_step: 6000
      final_lr: 0 )"));
  const std::string planned = Braced("forecast", kForecast) + "total_steps: 8000 " + kKnots + R"( plan: "as asked" )";
  all.push_back(
      Make<v1::ForecastRunResponse>("forecast_run_response", Braced("declared", planned) + Braced("what_if", planned)));
  all.push_back(Make<v1::WatchRunsRequest>("watch_runs_request", R"(project: "demo" run_id: "a")"));
  all.push_back(Make<v1::WatchRunsResponse>("watch_runs_response", Braced("runs", Summary())));
}

void AddJournal(std::vector<GoldenMessage>& all) {
  const std::string head = R"(time_unix_micros: 1700000000000000 project: "demo" run_id: "h1024_lr1e-2" )";
  all.push_back(Make<v1::JournalEvent>("journal_run_opened", head + "run_opened {" + Braced("run", kRun) +
                                                                 R"(writer: "rank3" incarnation: 2 resume_step: 0 })"));
  all.push_back(Make<v1::JournalEvent>("journal_batch_appended", head + "batch_appended {" + Braced("points", kPoints) +
                                                                     R"(writer: "rank3" incarnation: 2 sequence: 5
                                                                        end { state: COMPLETED } })"));
  all.push_back(
      Make<v1::JournalEvent>("journal_forecast_made",
                             head + R"(forecast_made { step: 19000 progress: 0.5 expected_value: 2.75 not_yet_reason: 3
                                         quantiles: 1 quantiles: 2 quantiles: 3 quantiles: 4 quantiles: 5 })"));
  all.push_back(Make<v1::JournalEvent>("journal_forecast_made_leaning",
                                       head + R"(forecast_made { step: 19000 progress: 0.5 expected_value: 2.75
                                         quantiles: 1 quantiles: 2 quantiles: 3 quantiles: 4 quantiles: 5
                                         relatives: 12 siblings: 3 interval_factor: 1.25 })"));
  all.push_back(Make<v1::JournalEvent>("journal_forecast_made_off_family",
                                       head + R"(forecast_made { step: 19000 progress: 0.5 expected_value: 2.75
                                         quantiles: 1 quantiles: 2 quantiles: 3 quantiles: 4 quantiles: 5
                                         relatives: 12 siblings: 3 interval_factor: 1.25
                                         family_deviation: 4.5 family_expected: 2.5 })"));
  all.push_back(Make<v1::JournalEvent>("journal_batch_appended_phase",
                                       head + "batch_appended { incarnation: 2 sequence: 6 " + kPhase + "}"));
  all.push_back(Make<v1::JournalEvent>(
      "journal_flag_changed",
      head + "flag_changed { what: RESOLVED " + Braced("flag", kFlag + std::string("resolution: SUPERSEDED")) + "}"));
  all.push_back(
      Make<v1::JournalEvent>("journal_flag_handled", head + R"(flag_handled { number: 3 by: "ada" note: "known"
                                         silenced_until_unix_micros: 1700003600000000 })"));
  all.push_back(
      Make<v1::JournalEvent>("journal_run_evicted", head + "run_evicted { ended_unix_micros: 1700000000000000 }"));
  all.push_back(Make<v1::JournalEvent>("journal_curve_kept", head + "curve_kept {" + kPhase + R"(
      writers { name: "rank3" incarnation: 2 last_sequence: 9 rewind_pending: true resume_step: 81 }
      series { metric: "train/loss" writer: "rank3" last_step: 90 last_value: 2.5 span_first: 7 span_last: 8 span_count: 2
               bins { first_step: 0 first_step: 10 steps: 0 steps: 80 count: 1 count: 40 mean: 3.25 mean: 2.75
                      mean_step: 50.5 m2: 0.5 last_value: 2.5 } }
      branches { rewound_to: 81 bins { first_step: 81 steps: 0 count: 1 mean: 2 } }
      rewinds: 81 rewind_count: 1 state: COMPLETED reopened: true last_point_unix_micros: 1700000000000001
      ended_unix_micros: 1700000000000002 phase_began_unix_micros: 1700000000000003 forecast_steps: 40
      shows_forecast: true settles: true batches: 2 points: 43 rows_skipped: 1 rows_replaced: 1 })"));
}

}  // namespace

std::vector<GoldenMessage> GoldenMessages() {
  std::vector<GoldenMessage> all;
  all.push_back(Make<v1::Run>("run", kRun));
  all.push_back(Make<v1::Run>("run_with_knots", R"(project: "demo" run_id: "b" )" + std::string(kKnots)));
  AddIngest(all);
  AddQuery(all);
  AddFlags(all);
  AddJournal(all);
  return all;
}

std::vector<std::string> GoldenRunFile() {
  const std::string texts[] = {Braced("run", kRun), Braced("points", kPoints), "rewind { from_step: 81 }",
                               R"(points { metric: "eval/accuracy" step: 81 value: 0.5 })", "end { state: FAILED }"};
  std::vector<std::string> lines;
  for (const std::string& text : texts) {
    const GoldenMessage line = Make<v1::RunFileLine>("line", text);
    lines.emplace_back();
    CURVECAST_CHECK(google::protobuf::util::MessageToJsonString(*line.message, &lines.back()).ok());
  }
  return lines;
}

}  // namespace curvecast
