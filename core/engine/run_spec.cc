#include "core/engine/run_spec.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

constexpr size_t kMaxNameLength = 128;
constexpr size_t kMaxLabels = 64;
constexpr size_t kMaxLabelKeyLength = 256;
constexpr size_t kMaxLabelValueLength = 1024;

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool IsName(std::string_view name, size_t max_length, std::string_view also) {
  if (name.empty() || name.size() > max_length) return false;
  for (char c : name) {
    if (!IsWordCharacter(c) && also.find(c) == std::string_view::npos) return false;
  }
  return true;
}

// What stands there, cut to what fits into a message.
std::string Quoted(std::string_view text) {
  constexpr size_t kMost = 80;
  std::string quoted = "\"";
  for (char c : text.substr(0, kMost)) quoted += (c >= 0x20 && c < 0x7f) ? c : '?';
  quoted += text.size() > kMost ? "...\"" : "\"";
  return quoted;
}

absl::Status Wrong(std::string_view field, std::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(field), ": ", std::string(problem)));
}

absl::Status CheckPositive(std::string_view field, const std::optional<double>& value) {
  if (!value || (std::isfinite(*value) && *value > 0)) return absl::OkStatus();
  return Wrong(field, absl::StrCat("is ", *value, "; write a finite number above 0, or leave it out"));
}

absl::Status CheckNames(const RunSpec& spec) {
  constexpr char kForm[] = "; write 1 to 128 characters of [A-Za-z0-9._+-]";
  if (!IsName(spec.key.project, kMaxNameLength, "+")) {
    return Wrong("project", absl::StrCat("is ", Quoted(spec.key.project), kForm));
  }
  if (!IsName(spec.key.run_id, kMaxNameLength, "+"))
    return Wrong("run_id", absl::StrCat("is ", Quoted(spec.key.run_id), kForm));
  if (!IsName(spec.family, kMaxNameLength, "+/")) {
    return Wrong("family",
                 absl::StrCat("is ", Quoted(spec.family), "; write at most 128 characters of [A-Za-z0-9._+/-]"));
  }
  if (!IsMetricName(spec.objective)) {
    return Wrong("objective", absl::StrCat("is ", Quoted(spec.objective),
                                           "; write a metric's name: 1 to 128 characters of "
                                           "[A-Za-z0-9._:/-], such as \"train/loss\""));
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(const RunSpec& spec) {
  if (spec.labels.size() > kMaxLabels) {
    return Wrong("labels", absl::StrCat("has ", spec.labels.size(), " entries; at most ", kMaxLabels, " are kept"));
  }
  for (const auto& [key, value] : spec.labels) {
    if (key.empty() || key.size() > kMaxLabelKeyLength || value.size() > kMaxLabelValueLength) {
      return Wrong(
          absl::StrCat("labels[", Quoted(key), "]"),
          absl::StrCat("has a key of ", key.size(), " and a value of ", value.size(), " bytes; keys take 1 to ",
                       kMaxLabelKeyLength, ", values at most ", kMaxLabelValueLength));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsMetricName(std::string_view name) { return IsName(name, kMaxNameLength, ":/"); }

void Normalize(RunSpec& spec) {
  if (spec.family.empty()) spec.family = spec.key.project;
  if (spec.objective.empty()) spec.objective = "train/loss";
}

absl::Status CheckRunSpec(const RunSpec& spec) {
  if (absl::Status status = CheckNames(spec); !status.ok()) return status;
  if (spec.total_steps && (*spec.total_steps < 1 || *spec.total_steps > kMaxStep)) {
    return Wrong("total_steps", absl::StrCat("is ", *spec.total_steps, "; write 1 to 2^53, or leave it out"));
  }
  if (absl::Status status = CheckPositive("parameters", spec.parameters); !status.ok()) return status;
  if (absl::Status status = CheckPositive("tokens_per_step", spec.tokens_per_step); !status.ok()) return status;
  if (spec.schedule) {
    if (absl::Status status = CheckSchedule(*spec.schedule, spec.total_steps); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("schedule.", status.message()));
    }
  }
  return CheckLabels(spec);
}

Plan MakePlan(const RunSpec& spec) {
  Plan plan;
  plan.total_steps = spec.total_steps;
  plan.parameters = spec.parameters;
  plan.tokens_per_step = spec.tokens_per_step;
  plan.maximize = spec.maximize;
  if (spec.schedule) {
    if (auto schedule = LrSchedule::Create(*spec.schedule, spec.total_steps); schedule.ok())
      plan.schedule = *std::move(schedule);
  }
  return plan;
}

Descent DescentOf(const RunSpec& spec) { return {spec.key.run_id, spec.family, spec.labels}; }

}  // namespace curvecast
