#include "daemon/query/answers.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/convert/run_convert.h"
#include "daemon/convert/view_convert.h"
#include "daemon/query/refusals.h"

namespace curvecast {
namespace {

bool Matches(const v1::ListRunsRequest& request, const RunView& run) {
  if (!request.project().empty() && request.project() != run.spec->key.project) return false;
  return request.states().empty() ||
         std::find(request.states().begin(), request.states().end(), ToProto(run.state)) != request.states().end();
}

// A page token is the last key of the page before: "project/run_id". Neither part can hold a slash.
std::string TokenOf(const RunKey& key) { return absl::StrCat(key.project, "/", key.run_id); }

absl::StatusOr<RunKey> KeyOf(const std::string& token) {
  const size_t slash = token.find('/');
  if (slash == std::string::npos) return BadPageToken(token);
  return RunKey{token.substr(0, slash), token.substr(slash + 1)};
}

v1::GetCurveResponse ToResponse(const std::string& metric, const Curve& curve) {
  v1::GetCurveResponse response;
  response.set_metric(metric);
  for (const Bin& bin : curve.bins()) {
    response.add_step(bin.mean_step);
    response.add_value(bin.mean);
    response.add_stddev(bin.count > 1 ? std::sqrt(bin.m2 / static_cast<double>(bin.count - 1)) : 0);
    response.add_count(bin.count);
  }
  return response;
}

void AddBranches(const Run& run, v1::GetCurveResponse& response) {
  for (const Branch& branch : run.branches()) {
    v1::Branch* out = response.add_superseded();
    out->set_rewound_to_step(branch.rewound_to);
    for (const Bin& bin : branch.bins) {
      out->add_step(bin.mean_step);
      out->add_value(bin.mean);
    }
  }
}

absl::StatusOr<v1::GetCurveResponse> CurveOf(const absl::StatusOr<FoundRun>& found, std::string metric) {
  if (!found.ok()) return found.status();
  const Run* run = found->run;
  const RunKey& key = run->spec().key;
  const bool is_objective = metric.empty() || metric == run->spec().objective;
  if (metric.empty()) metric = run->spec().objective;
  const Curve* curve = run->FindCurve(metric);
  if (curve == nullptr && !is_objective) {
    return absl::NotFoundError(absl::StrCat("run \"", key.run_id, "\" has no metric \"", metric, "\""));
  }
  v1::GetCurveResponse response = ToResponse(metric, curve == nullptr ? run->objective() : *curve);
  if (is_objective) AddBranches(*run, response);
  return response;
}

// What a run is to be forecast under, and the answer but for the forecasts.
struct AskedPlans {
  std::vector<Plan> plans;  // As planned and, if something is asked, as asked.
  v1::ForecastRunResponse response;
};

void Describe(const std::optional<Step>& total_steps, const std::optional<ScheduleSpec>& schedule,
              v1::PlannedForecast& planned) {
  if (total_steps) planned.set_total_steps(*total_steps);
  if (schedule) *planned.mutable_schedule() = ToProto(*schedule);
}

absl::StatusOr<AskedPlans> PlansOf(const Run& run, const WhatIf& what_if) {
  const RunSpec& spec = run.spec();
  AskedPlans asked;
  const RunPlan planned = PlanRun(spec, run.objective().last_step(), run.LoggedRates());
  RatePlan rates{.total_steps = spec.total_steps, .schedule = spec.schedule};
  if (planned.inferred) {
    rates.schedule = planned.inferred->schedule;
    rates.so_far = planned.inferred->so_far;
  }
  asked.plans.push_back(planned.plan);
  v1::PlannedForecast& declared = *asked.response.mutable_declared();
  Describe(rates.total_steps, rates.schedule, declared);
  declared.set_plan(planned.inferred_words);
  if (what_if == WhatIf{}) return asked;
  if (run.objective().empty()) {
    return absl::FailedPreconditionError(absl::StrCat("no point of ", spec.objective,
                                                      " has come yet, so there is no step to go on from; ask for the "
                                                      "run as planned, or wait"));
  }
  const absl::StatusOr<WhatIfPlan> other = MakeWhatIfPlan(rates, run.objective().last_step(), what_if);
  if (!other.ok()) return other.status();
  RunSpec other_spec = spec;
  other_spec.total_steps = other->total_steps;
  other_spec.schedule = other->schedule;
  asked.plans.push_back(MakePlan(other_spec));
  v1::PlannedForecast& answer = *asked.response.mutable_what_if();
  Describe(other->total_steps, other->schedule, answer);
  answer.set_plan(other->words);
  return asked;
}

}  // namespace

absl::StatusOr<v1::ListRunsResponse> Answers::ListRuns(const v1::ListRunsRequest& request) const {
  if (absl::Status status = CheckPageSize(request.page_size()); !status.ok()) return status;
  const std::shared_ptr<const Board> board = boards_.Get();
  if (board->replaying) return Replaying();
  auto run = board->runs.begin();
  if (!request.page_token().empty()) {
    absl::StatusOr<RunKey> after = KeyOf(request.page_token());
    if (!after.ok()) return after.status();
    run = std::upper_bound(board->runs.begin(), board->runs.end(), *after,
                           [](const RunKey& key, const auto& view) { return key < view->spec->key; });
  }
  const int page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  const int64_t now = clock_.NowUnixMicros();
  v1::ListRunsResponse response;
  for (; run != board->runs.end(); ++run) {
    if (!Matches(request, **run)) continue;
    if (response.runs_size() == page_size) {
      const v1::Run& last = response.runs(page_size - 1).run();
      response.set_next_page_token(TokenOf({last.project(), last.run_id()}));
      break;
    }
    *response.add_runs() = ToSummary(**run, WithPath::kNo, now);
  }
  return response;
}

absl::StatusOr<v1::GetRunResponse> Answers::GetRun(const v1::GetRunRequest& request) const {
  const std::shared_ptr<const Board> board = boards_.Get();
  if (board->replaying) return Replaying();
  const RunKey key{request.project(), request.run_id()};
  const RunView* view = board->Find(key);
  if (view == nullptr) return NoSuchRun(key);
  return ToGetRunResponse(*view, clock_.NowUnixMicros());
}

void Answers::GetCurve(const v1::GetCurveRequest& request,
                       std::function<void(absl::StatusOr<v1::GetCurveResponse>)> done) const {
  if (boards_.Get()->replaying) return done(Replaying());
  RunKey key{request.project(), request.run_id()};
  auto answer = [metric = request.metric(), done](const absl::StatusOr<FoundRun>& found) {
    done(CurveOf(found, metric));
  };
  if (!inbox_.Push(Question{key, std::move(answer)})) {
    done(TooManyQuestions());
  }
}

void Answers::ForecastRun(const v1::ForecastRunRequest& request,
                          std::function<void(absl::StatusOr<v1::ForecastRunResponse>)> done) const {
  if (boards_.Get()->replaying) return done(Replaying());
  absl::StatusOr<WhatIf> what_if = ToWhatIf(request);
  if (!what_if.ok()) return done(what_if.status());
  auto answer = [&fitters = fitters_, what_if = *std::move(what_if), done](const absl::StatusOr<FoundRun>& found) {
    if (!found.ok()) return done(found.status());
    const Run& run = *found->run;
    absl::StatusOr<AskedPlans> asked = PlansOf(run, what_if);
    if (!asked.ok()) return done(asked.status());
    auto deliver = [response = std::move(asked->response), done](absl::StatusOr<std::vector<Forecast>> made) mutable {
      if (!made.ok()) return done(made.status());
      *response.mutable_declared()->mutable_forecast() = ToProto((*made)[0], WithPath::kYes);
      if (made->size() > 1) *response.mutable_what_if()->mutable_forecast() = ToProto((*made)[1], WithPath::kYes);
      done(std::move(response));
    };
    fitters.Submit({run.shared_spec(), run.objective(), std::move(asked->plans), found->past, std::move(deliver)});
  };
  if (!inbox_.Push(Question{{request.project(), request.run_id()}, std::move(answer)})) done(TooManyQuestions());
}

}  // namespace curvecast
