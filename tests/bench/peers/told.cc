#include "tests/bench/peers/told.h"

#include <cmath>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace curvecast::peers {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

const Value* Field(const Struct& object, const char* name) {
  const auto it = object.fields().find(name);
  return it == object.fields().end() ? nullptr : &it->second;
}

std::optional<double> Number(const Struct& object, const char* name) {
  const Value* value = Field(object, name);
  if (value == nullptr || value->kind_case() != Value::kNumberValue) return std::nullopt;
  return value->number_value();
}

Told ToldIn(const Struct& forecast) {
  const Value* status = Field(forecast, "status");
  const Value* quantiles = Field(forecast, "quantiles");
  if (status == nullptr || status->string_value() != "OK" || quantiles == nullptr) return {};
  const auto low = Number(quantiles->struct_value(), "0.05"), end = Number(quantiles->struct_value(), "0.5"),
             high = Number(quantiles->struct_value(), "0.95");
  if (!low || !end || !high) return {};
  return {.end = *end, .range = std::pair(*low, *high)};
}

}  // namespace

int FractionKey(double fraction) { return static_cast<int>(std::lround(fraction * 1e4)); }

absl::StatusOr<ToldByCurvecast> ReadForecasts(std::istream& in, const std::string& name) {
  ToldByCurvecast told;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    Struct object;
    const Value *project = nullptr, *run = nullptr, *forecast = nullptr;
    if (google::protobuf::util::JsonStringToMessage(line, &object).ok()) {
      project = Field(object, "project");
      run = Field(object, "runId");
      forecast = Field(object, "forecast");
    }
    const std::optional<double> fraction = Number(object, "fraction");
    if (project == nullptr || run == nullptr || forecast == nullptr || !fraction ||
        !(*fraction > 0 && *fraction <= 1)) {
      return absl::InvalidArgumentError(name + ":" + std::to_string(number) +
                                        ": expected a line of `curvecast backtest -o json`");
    }
    told[{project->string_value(), run->string_value(), FractionKey(*fraction)}] = ToldIn(forecast->struct_value());
  }
  return told;
}

}  // namespace curvecast::peers
