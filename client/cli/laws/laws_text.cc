#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "client/cli/laws/project_laws.h"
#include "client/cli/number_text.h"
#include "client/cli/table.h"

namespace curvecast {
namespace {

constexpr size_t kMostFamilies = 40;  // Rows.
constexpr double kLog10 = 2.302585092994046;

std::string Percent(double log_ratio) { return fmt::format("{:+.2f}", std::expm1(log_ratio) * 100); }

class Writer {
 public:
  explicit Writer(bool ascii) : sign_(ascii ? " +- " : " ± ") {}

  std::string Told(const Estimate& e, double unit = 1) const {
    if (!(e.sd > 0)) return fmt::format("{:.4g}", e.value / unit);
    const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(e.sd / unit))), 0, 6);
    return fmt::format("{:.{}f}{}{:.{}f}", e.value / unit, decimals, sign_, e.sd / unit, decimals);
  }

 private:
  const std::string sign_;
};

// One row a constant: what was published, then what each fit gave.
Table ConstantsTable(const std::vector<std::string>& fits) {
  Table table;
  table.columns = {{.title = ""}, {.title = "published", .align = Table::Align::kRight}};
  for (const std::string& fit : fits) table.columns.push_back({.title = fit, .align = Table::Align::kRight});
  return table;
}

std::string ChinchillaText(const ProjectLaws& laws, const Writer& writer) {
  std::string text =
      "L(N, D) = E + A / N^alpha + B / D^beta, N parameters, D tokens at the end (Hoffmann 2022; published: Besiroglu "
      "2024)\n";
  if (laws.paced < laws.runs) {
    text += fmt::format("  {} of {} runs declare parameters and tokensPerStep\n", laws.paced, laws.runs);
  }
  if (!laws.typical.law.has_value()) text += "  not identified: " + laws.typical.why_no_law + "\n";
  if (!laws.best.law.has_value() && laws.best.why_no_law != laws.typical.why_no_law) {
    text += "  not identified from the best runs: " + laws.best.why_no_law + "\n";
  }
  std::vector<std::string> fits;
  std::vector<const ChinchillaLaw*> columns;
  for (const auto& [name, fit] : {std::pair("median runs", &laws.typical), std::pair("best runs", &laws.best)}) {
    if (!fit->law.has_value()) continue;
    fits.push_back(name);
    columns.push_back(&*fit->law);
  }
  if (columns.empty()) return text;
  const ChinchillaLaw published = PublishedChinchilla();
  Table table = ConstantsTable(fits);
  const auto add = [&](const char* name, Estimate ChinchillaLaw::*member, double unit) {
    std::vector<std::string> row = {name, writer.Told(published.*member, unit)};
    for (const ChinchillaLaw* law : columns) row.push_back(writer.Told(law->*member, unit));
    table.rows.push_back(std::move(row));
  };
  add("  alpha", &ChinchillaLaw::alpha, 1);
  add("  beta", &ChinchillaLaw::beta, 1);
  std::vector<std::string> floor = {"  E", writer.Told(published.irreducible)};
  for (const ChinchillaLaw* law : columns)
    floor.push_back(law->floor_told ? writer.Told(law->irreducible) : "not told");
  table.rows.push_back(std::move(floor));
  add("  log10 A", &ChinchillaLaw::log_a, kLog10);
  add("  log10 B", &ChinchillaLaw::log_b, kLog10);
  std::vector<std::string> off = {"  off, sd %", ""};
  for (const ChinchillaLaw* law : columns) off.push_back(fmt::format("{:.2f}", law->residual_sd * 100));
  table.rows.push_back(std::move(off));
  if (std::any_of(columns.begin(), columns.end(), [](const ChinchillaLaw* law) { return !law->floor_told; })) {
    text += "  E not told: without a floor the fit is best, and the exponents are those of a law without one\n";
  }
  return text + Render(table, 0, "");
}

std::string PowerLawsText(const ScalingFit& fit, const Writer& writer) {
  std::string text = "Single power laws of the medians, without a floor (Kaplan 2020, eq. 1.1 and 1.2)\n";
  const auto add = [&](const char* name, const char* published, const std::optional<PowerLaw>& law,
                       const std::string& why_not) {
    text += fmt::format("  {}: ", name);
    text += law.has_value() ? fmt::format("{} over {} cells, off by {:.2f} %; published {}\n",
                                          writer.Told(law->exponent), law->points, law->residual_sd * 100, published)
                            : "not identified: " + why_not + "\n";
  };
  add("L(D) at equal N, alphaD", "0.095", fit.in_tokens, fit.why_not_in_tokens);
  add("L(N) at equal D, alphaN", "0.076", fit.in_size, fit.why_not_in_size);
  return text;
}

std::string StepLawText(const ProjectLaws& laws, const Writer& writer) {
  std::string text = fmt::format(
      "L(N, S) = (Nc / N)^alphaN + (Sc / S)^alphaS, S steps, of points after warm-up (Kaplan 2020, eq. 1.6 and 5.6)\n"
      "  {} runs, {} families and sizes, {} sizes; S_min: corrected for the batch by Kaplan's constants\n",
      laws.steps.runs, laws.steps.families, laws.steps.sizes);
  std::vector<std::string> fits;
  std::vector<const StepLaw*> columns;
  for (const auto& [name, fit] : {std::pair("S as given", &laws.steps), std::pair("S_min", &laws.minimum_steps)}) {
    if (!fit->law.has_value()) {
      text += fmt::format("  {}: not identified: {}\n", name, fit->why_no_law);
      continue;
    }
    if (!fit->law->alpha_n.has_value()) {
      text += fmt::format("  {}: alphaN not identified, so each size has a floor: {}\n", name, fit->why_no_size);
    }
    fits.push_back(name);
    columns.push_back(&*fit->law);
  }
  if (columns.empty()) return text;
  const StepLaw published = PublishedStepLaw();
  Table table = ConstantsTable(fits);
  const auto add = [&](const char* name, double unit, const auto& get) {
    std::vector<std::string> row = {name};
    const auto cell = [&](const std::optional<Estimate>& e) {
      row.push_back(e.has_value() ? writer.Told(*e, unit) : "-");
    };
    cell(get(published));
    for (const StepLaw* law : columns) cell(get(*law));
    table.rows.push_back(std::move(row));
  };
  add("  alphaS", 1, [](const StepLaw& law) { return std::optional(law.alpha_s); });
  add("  alphaN", 1, [](const StepLaw& law) { return law.alpha_n; });
  add("  log10 Sc", kLog10, [](const StepLaw& law) { return std::optional(law.log_sc); });
  add("  log10 Nc", kLog10, [](const StepLaw& law) { return law.log_nc; });
  std::vector<std::string> off = {"  off, sd %", ""};
  for (const StepLaw* law : columns) off.push_back(fmt::format("{:.2f}", law->residual_sd * 100));
  table.rows.push_back(std::move(off));
  return text + Render(table, 0, "");
}

Table::Column Right(const char* title) { return {.title = title, .align = Table::Align::kRight}; }

std::string CellsText(const ProjectLaws& laws) {
  const ScalingFit& fit = laws.typical;
  if (fit.cells.cells.empty()) return "";
  Table table;
  table.columns = {Right("  parameters"), Right("tokens"), Right("runs"), Right("median loss"), Right("best loss")};
  if (fit.law.has_value()) table.columns.push_back(Right("median off L(N, D) %"));
  for (size_t i = 0; i < fit.cells.cells.size(); ++i) {
    const ScalingCell& c = fit.cells.cells[i];
    std::vector<std::string> row = {fmt::format("{:.3g}", std::exp(c.log_parameters)),
                                    fmt::format("{:.3g}", std::exp(c.log_tokens)), fmt::format("{}", c.runs),
                                    NumberText(std::exp(c.log_loss)),
                                    NumberText(std::exp(laws.best.cells.cells[i].log_loss))};
    if (fit.law.has_value()) row.push_back(Percent(c.log_loss - fit.law->LogLoss(c.log_parameters, c.log_tokens)));
    table.rows.push_back(std::move(row));
  }
  return fmt::format("\nFinished runs by size and length; runs of one stray by {:.2f} % (sd)\n",
                     fit.cells.within_sd * 100) +
         Render(table, 0, "");
}

std::string CheckText(const char* what, const std::optional<LevelCheck>& check) {
  if (!check.has_value()) return "";
  std::string text = fmt::format("  without {}: {} of {} runs answered", what, check->answered, check->runs);
  if (check->answered == 0) return text + "\n";
  return text + fmt::format(", median error {:.2f} %, {:.2f} of them inside the 90 % interval\n",
                            check->median_error * 100, check->cover);
}

std::string ChecksText(const ProjectLaws& laws) {
  if (!laws.without_cell.has_value()) return "";
  return "\nFinal losses foretold from size and length alone, by the law of the other runs; what is left out weighs "
         "alike\n" +
         CheckText("its size and length", laws.without_cell) + CheckText("its size", laws.without_size);
}

std::string FamiliesText(const StepFit& fit) {
  if (fit.residuals.empty()) return "";
  Table table;
  table.columns = {{.title = "  family"}, Right("parameters"), Right("runs"), Right("off L(N, S) %"), Right("sd %")};
  for (const FamilyResidual& r : fit.residuals) {
    if (table.rows.size() == kMostFamilies) break;
    table.rows.push_back({"  " + r.family, fmt::format("{:.3g}", r.parameters), fmt::format("{}", r.runs),
                          Percent(r.mean), fmt::format("{:.2f}", r.sd * 100)});
  }
  std::string text =
      "\nCurves of families, their mean distance from L(N, S), S as given, and its spread\n" + Render(table, 0, "");
  if (fit.residuals.size() > kMostFamilies)
    text += fmt::format("  and {} more; -o json has them all\n", fit.residuals.size() - kMostFamilies);
  return text;
}

}  // namespace

std::string LawsText(const ProjectLaws& laws, bool ascii) {
  const Writer writer(ascii);
  std::string text = fmt::format("{}: {} finished runs", laws.project, laws.runs);
  if (laws.runs > 0) text += ", objective " + laws.objective;
  text += "\n";
  for (const auto& [why, count] : laws.left_out) text += fmt::format("  left out: {} ({})\n", count, why);
  if (laws.runs == 0) return text;
  text += "\n" + ChinchillaText(laws, writer);
  text += PowerLawsText(laws.typical, writer);
  text += "\n" + StepLawText(laws, writer);
  return text + ChecksText(laws) + CellsText(laws) + FamiliesText(laws.steps) +
         "\nAfter the sign: one standard error.\n";
}

}  // namespace curvecast
