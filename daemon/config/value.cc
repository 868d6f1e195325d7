#include "daemon/config/value.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "core/base/check.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

using google::protobuf::FieldDescriptor;

struct Range {
  double min;
  double max;
};

// Wide enough for any sane machine, narrow enough to catch a unit mistaken for another. Every number has its range
// here.
const Range& RangeOf(const Key& key) {
  static const auto& ranges = *new std::map<std::string, Range, std::less<>>{
      {"store.snapshot_after_events", {1, 1'000'000'000'000}},
      {"store.snapshot_after_points", {1, 1'000'000'000'000}},
      {"limits.max_runs", {1, 10'000'000}},
      {"limits.max_metrics_per_run", {1, 10'000}},
      {"limits.max_points_per_batch", {1, 1'000'000}},
      {"limits.max_inbox_batches", {1, 1'000'000}},
      {"limits.max_streams", {1, 100'000}},
      {"limits.max_message_bytes", {1024, 268'435'456}},
      {"limits.max_grpc_memory_bytes", {16'777'216, 1'099'511'627'776}},
      {"limits.max_exported_runs", {0, 1'000'000}},
      {"limits.max_finished_runs", {1, 10'000'000}},
      {"forecasting.threads", {1, 256}},
      {"forecasting.refit_progress", {0.00001, 1}},
      {"forecasting.refit_interval_ms", {1, 3'600'000}},
      {"forecasting.publish_interval_ms", {10, 60'000}},
      {"forecasting.exported_after_end_ms", {0, 604'800'000}},
      {"watch.false_alarms_per_1000_run_days", {0.001, 1'000'000}},
      {"watch.mean_points_between_false_alarms", {1000, 1'000'000'000'000}},
      {"watch.silent_after_seconds", {1, 2'592'000}},
      {"retention.raw_points_days", {0, 36'500}},
      {"retention.max_journal_bytes", {0, 1'125'899'906'842'624}},
      {"retention.grace_hours", {0, 87'600}},
  };
  const auto found = ranges.find(key.name);
  CURVECAST_CHECK(found != ranges.end());
  return found->second;
}

// What a text may be, beyond being one.
struct Form {
  bool (*fits)(std::string_view text);
  const char* allowed;
};

bool IsAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  const bool bracketed = host.front() == '[' && host.back() == ']' && host.size() > 2;
  if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) return false;
  // Of a name, an address, or a scope such as fe80::1%eth0; nothing that a log or YAML could not show.
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("._-:[]%").find(c) != std::string_view::npos;
  };
  if (!std::all_of(host.begin(), host.end(), plain)) return false;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  return error == std::errc() && end == port_text.data() + port_text.size() && port <= 65535;
}

bool IsLevel(std::string_view text) {
  return text == "debug" || text == "info" || text == "warning" || text == "error";
}

// A path that is no UTF-8, or holds what YAML forbids, could not be printed and loaded again.
bool SurvivesYaml(std::string_view text) {
  YAML::Emitter out;
  out << YAML::DoubleQuoted << std::string(text);
  return YAML::Load(out.c_str()).Scalar() == text;
}

bool IsPath(std::string_view text) {
  return !text.empty() && text.find('\0') == std::string_view::npos && SurvivesYaml(text);
}

bool IsPathOrNone(std::string_view text) { return text.empty() || IsPath(text); }

const Form& FormOf(const Key& key) {
  static const auto& forms = *new std::map<std::string, Form, std::less<>>{
      {"listen.grpc", {IsAddress, "host:port with a port from 0 to 65535, such as 127.0.0.1:7461 or [::1]:7461"}},
      {"listen.http", {IsAddress, "host:port with a port from 0 to 65535, such as 127.0.0.1:7462 or [::1]:7462"}},
      {"listen.tls_certificate", {IsPathOrNone, "the path of a file in PEM, in UTF-8, or nothing"}},
      {"listen.tls_key", {IsPathOrNone, "the path of a file in PEM, in UTF-8, or nothing"}},
      {"listen.tls_client_ca", {IsPathOrNone, "the path of a file in PEM, in UTF-8, or nothing"}},
      {"store.directory", {IsPath, "the path of a folder, in UTF-8"}},
      {"log.level", {IsLevel, "debug, info, warning or error"}},
  };
  const auto found = forms.find(key.name);
  CURVECAST_CHECK(found != forms.end());
  return found->second;
}

template <typename Number>
std::optional<Number> Parse(const std::string& text, const Range& range) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || parsed != end) return std::nullopt;
  // Written so that NaN is refused. The ranges are whole numbers that a double holds exactly.
  const auto value = static_cast<double>(number);
  if (!(value >= range.min && value <= range.max)) return std::nullopt;
  return number;
}

// Sets the field if the text is what may stand there.
bool TrySet(v1::Config& config, const Key& key, const std::string& text) {
  google::protobuf::Message& section = *config.GetReflection()->MutableMessage(&config, key.section);
  const google::protobuf::Reflection& reflection = *section.GetReflection();
  switch (key.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      if (const auto number = Parse<int64_t>(text, RangeOf(key)))
        return reflection.SetInt64(&section, key.field, *number), true;
      return false;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (const auto number = Parse<double>(text, RangeOf(key)))
        return reflection.SetDouble(&section, key.field, *number), true;
      return false;
    case FieldDescriptor::CPPTYPE_STRING:
      if (FormOf(key).fits(text)) return reflection.SetString(&section, key.field, text), true;
      return false;
    default:
      CURVECAST_CHECK(!"a type that config.proto does not use");
      return false;
  }
}

std::string Shortened(const std::string& text) {
  constexpr size_t kShown = 60;
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

}  // namespace

absl::Status SetField(v1::Config& config, const Key& key, const std::string& text) {
  if (TrySet(config, key, text)) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("is \"{}\"; write {}", Shortened(text), Allowed(key)));
}

std::string GetField(const v1::Config& config, const Key& key) {
  const google::protobuf::Message& section = config.GetReflection()->GetMessage(config, key.section);
  const google::protobuf::Reflection& reflection = *section.GetReflection();
  switch (key.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return fmt::format("{}", reflection.GetInt64(section, key.field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return fmt::format("{}", reflection.GetDouble(section, key.field));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(section, key.field);
    default:
      CURVECAST_CHECK(!"a type that config.proto does not use");
      return "";
  }
}

std::string Allowed(const Key& key) {
  if (key.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return FormOf(key).allowed;
  const bool whole = key.field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
  const Range& range = RangeOf(key);
  if (whole) return fmt::format("a whole number from {:.0f} to {:.0f}", range.min, range.max);
  return fmt::format("a number from {} to {}", range.min, range.max);
}

}  // namespace curvecast
