#include <cmath>
#include <string>

#include "client/cli/laws/project_laws.h"

namespace curvecast {
namespace {

using google::protobuf::Struct;

Struct& Object(Struct& in, const char* name) { return *(*in.mutable_fields())[name].mutable_struct_value(); }
google::protobuf::ListValue& List(Struct& in, const char* name) {
  return *(*in.mutable_fields())[name].mutable_list_value();
}
void Put(Struct& in, const char* name, double value) { (*in.mutable_fields())[name].set_number_value(value); }
void Put(Struct& in, const char* name, size_t value) { Put(in, name, static_cast<double>(value)); }
void Put(Struct& in, const char* name, const std::string& value) {
  (*in.mutable_fields())[name].set_string_value(value);
}

// A published constant has no error.
void Put(Struct& in, const char* name, const Estimate& estimate) {
  Struct& object = Object(in, name);
  Put(object, "value", estimate.value);
  if (estimate.sd > 0) Put(object, "standardError", estimate.sd);
}

void PutLaw(Struct& in, const ChinchillaLaw& law) {
  Put(in, "alpha", law.alpha);
  Put(in, "beta", law.beta);
  if (law.floor_told) Put(in, "E", law.irreducible);
  Put(in, "lnA", law.log_a);
  Put(in, "lnB", law.log_b);
}

void PutFit(Struct& in, const ScalingFit& fit) {
  if (!fit.law.has_value()) return Put(in, "notIdentified", fit.why_no_law);
  PutLaw(in, *fit.law);
  Put(in, "residualSd", fit.law->residual_sd);
}

void PutPowerLaw(Struct& in, const std::optional<PowerLaw>& law, const std::string& why_not) {
  if (!law.has_value()) return Put(in, "notIdentified", why_not);
  Put(in, "exponent", law->exponent);
  Put(in, "cells", law->points);
  Put(in, "residualSd", law->residual_sd);
}

void PutStepLaw(Struct& in, const StepLaw& law) {
  Put(in, "alphaS", law.alpha_s);
  Put(in, "lnSc", law.log_sc);
  if (law.alpha_n.has_value()) Put(in, "alphaN", *law.alpha_n);
  if (law.log_nc.has_value()) Put(in, "lnNc", *law.log_nc);
}

void PutSteps(Struct& in, const StepFit& fit) {
  Put(in, "runs", fit.runs);
  Put(in, "families", fit.families);
  Put(in, "sizes", fit.sizes);
  if (!fit.law.has_value()) return Put(in, "notIdentified", fit.why_no_law);
  PutStepLaw(in, *fit.law);
  Put(in, "residualSd", fit.law->residual_sd);
  if (!fit.why_no_size.empty()) Put(in, "alphaNNotIdentified", fit.why_no_size);
}

void PutCells(Struct& in, const ProjectLaws& laws) {
  const ScalingFit& fit = laws.typical;
  for (size_t i = 0; i < fit.cells.cells.size(); ++i) {
    const ScalingCell& c = fit.cells.cells[i];
    Struct& cell = *List(in, "cells").add_values()->mutable_struct_value();
    Put(cell, "parameters", std::exp(c.log_parameters));
    Put(cell, "tokens", std::exp(c.log_tokens));
    Put(cell, "runs", c.runs);
    Put(cell, "medianLoss", std::exp(c.log_loss));
    Put(cell, "bestLoss", std::exp(laws.best.cells.cells[i].log_loss));
    if (fit.law.has_value()) Put(cell, "residual", c.log_loss - fit.law->LogLoss(c.log_parameters, c.log_tokens));
  }
}

void PutCheck(Struct& in, const char* name, const std::optional<LevelCheck>& check) {
  if (!check.has_value()) return;
  Struct& object = Object(Object(in, "check"), name);
  Put(object, "runs", check->runs);
  Put(object, "answered", check->answered);
  Put(object, "cover90", check->cover);
  Put(object, "medianError", check->median_error);
}

}  // namespace

Struct LawsJson(const ProjectLaws& laws) {
  Struct json;
  Put(json, "project", laws.project);
  Put(json, "objective", laws.objective);
  Put(json, "runs", laws.runs);
  for (const auto& [why, count] : laws.left_out) Put(Object(json, "leftOut"), why.c_str(), count);
  Struct& chinchilla = Object(json, "chinchilla");
  Put(chinchilla, "runs", laws.paced);
  Put(chinchilla, "sizes", laws.typical.cells.sizes);
  Put(chinchilla, "lengths", laws.typical.cells.lengths);
  Put(chinchilla, "withinSd", laws.typical.cells.within_sd);
  PutLaw(Object(chinchilla, "published"), PublishedChinchilla());
  PutFit(Object(chinchilla, "median"), laws.typical);
  PutFit(Object(chinchilla, "best"), laws.best);
  PutPowerLaw(Object(json, "inTokens"), laws.typical.in_tokens, laws.typical.why_not_in_tokens);
  PutPowerLaw(Object(json, "inSize"), laws.typical.in_size, laws.typical.why_not_in_size);
  PutStepLaw(Object(Object(json, "kaplan"), "published"), PublishedStepLaw());
  PutSteps(Object(Object(json, "kaplan"), "stepsAsGiven"), laws.steps);
  PutSteps(Object(Object(json, "kaplan"), "minimumSteps"), laws.minimum_steps);
  PutCheck(json, "withoutCell", laws.without_cell);
  PutCheck(json, "withoutSize", laws.without_size);
  PutCells(json, laws);
  for (const FamilyResidual& r : laws.steps.residuals) {
    Struct& family = *List(json, "families").add_values()->mutable_struct_value();
    Put(family, "family", r.family);
    Put(family, "parameters", r.parameters);
    Put(family, "runs", r.runs);
    Put(family, "residual", r.mean);
    Put(family, "residualSd", r.sd);
  }
  return json;
}

}  // namespace curvecast
