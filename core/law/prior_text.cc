#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "core/base/check.h"
#include "core/law/prior.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr std::string_view kShippedText =
#include "core/law/prior_shipped.inc"
    ;

constexpr std::string_view kFirstLine = "curvecast-prior 2";
constexpr std::string_view kLastName = "any";
constexpr std::array<std::string_view, kRateKinds> kKindNames = {"unknown", "known"};
constexpr std::array<std::string_view, kSupports> kSupportNames = {"none", "kin"};

template <size_t kSize>
std::optional<size_t> Find(const std::array<std::string_view, kSize>& names, std::string_view name) {
  for (size_t i = 0; i < kSize; ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

// Cuts words off one line.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view Next() {
    const size_t from = std::min(rest_.find_first_not_of(" \t\r"), rest_.size());
    rest_.remove_prefix(from);
    const size_t length = std::min(rest_.find_first_of(" \t\r"), rest_.size());
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

  bool Next(double& value) {
    const std::string_view word = Next();
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && end == word.data() + word.size() && std::isfinite(value);
  }

  bool NextPositive(double& value) { return Next(value) && value > 0; }
  bool NextWeight(double& value) { return Next(value) && value >= 0; }

  bool Next(std::span<double> values) {
    for (double& value : values) {
      if (!Next(value)) return false;
    }
    return true;
  }

  bool NextCount(int& value) {
    double read = 0;
    if (!Next(read) || read < 0 || read > 1e9) return false;
    value = static_cast<int>(read);
    return true;
  }

  bool Ended() { return Next().empty(); }

 private:
  std::string_view rest_;
};

// Row `row` of the lower triangle of a symmetric matrix.
bool ReadRow(Words& words, Eigen::Index row, CoefficientMatrix& matrix) {
  if (row >= matrix.rows()) return false;
  for (Eigen::Index k = 0; k <= row; ++k) {
    double value = 0;
    if (!words.Next(value)) return false;
    matrix(row, k) = matrix(k, row) = value;
  }
  return true;
}

// Reads one line after the first into the prior. False: it is not one of this version.
class Reader {
 public:
  explicit Reader(Prior& prior) : prior_(prior) {}

  bool Read(std::string_view line) {
    Words words(line);
    const std::string_view key = words.Next();
    if (key.empty() || key.front() == '#') return true;
    const bool read = key == "kind" ? ReadKind(words) : kind_ != nullptr && ReadInKind(key, words);
    return read && words.Ended();
  }

  // Nothing half read is left.
  bool Whole() const {
    for (const Prior::Kind& kind : prior_.kinds) {
      if (kind.archetypes.empty() || kind.any().name != kLastName) return false;
    }
    return ends_whole();
  }

 private:
  bool ReadKind(Words& words) {
    const std::optional<size_t> k = Find(kKindNames, words.Next());
    if (!k.has_value() || !ends_whole()) return false;
    kind_ = &prior_.kinds[*k];
    within_row_ = 0;
    return true;
  }

  bool ReadInKind(std::string_view key, Words& words) {
    Kinship& kinship = kind_->kinship;
    if (key == "factors") {
      const std::optional<size_t> s = Find(kSupportNames, words.Next());
      if (!s.has_value()) return false;
      for (double& factor : kind_->factors[*s]) {
        if (!words.NextPositive(factor)) return false;
      }
      return true;
    }
    if (key == "kinship") {
      return words.NextWeight(kinship.smooth) && words.NextWeight(kinship.family) && words.NextWeight(kinship.labels) &&
             words.NextPositive(kinship.own);
    }
    if (key == "kin_trait") {
      const std::optional<size_t> i = Find(Traits::kNames, words.Next());
      return i.has_value() && words.NextWeight(kinship.linear[*i]) && words.NextPositive(kinship.reach[*i]);
    }
    if (key == "within") return ReadRow(words, within_row_++, kinship.within);
    if (key == "archetype") return ReadArchetype(words);
    return !kind_->archetypes.empty() && ReadInArchetype(key, words, kind_->archetypes.back());
  }

  bool ReadArchetype(Words& words) {
    Archetype a;
    a.name = words.Next();
    if (row_ != kRows || a.name.empty() || words.Next() != "runs" || !words.NextCount(a.runs)) return false;
    if (words.Next() != "families" || !words.NextCount(a.families)) return false;
    kind_->archetypes.push_back(std::move(a));
    row_ = 0;
    return true;
  }

  bool ReadInArchetype(std::string_view key, Words& words, Archetype& a) {
    if (key == "apart") {
      a.apart = true;
      return true;
    }
    if (key == "level") {
      const std::string_view word = words.Next();
      a.knows_level = word == "known";
      return word == "known" || word == "free";
    }
    if (key == "spread") return words.NextPositive(a.stray) && words.NextPositive(a.noise);
    if (key == "mean") return words.Next(std::span<double>(a.mean.data(), kCoefficients));
    if (key == "trait") {
      const std::optional<size_t> i = Find(Traits::kNames, words.Next());
      if (!i.has_value() || !words.Next(a.center[*i]) || !words.Next(a.spread[*i]) || !words.Next(a.low[*i]) ||
          !words.Next(a.high[*i])) {
        return false;
      }
      std::array<double, kCoefficients> slopes = {};
      if (!words.Next(slopes) || a.low[*i] > a.high[*i]) return false;
      for (size_t k = 0; k < kCoefficients; ++k) {
        a.slopes(static_cast<Eigen::Index>(*i), static_cast<Eigen::Index>(k)) = slopes[k];
      }
      return true;
    }
    return key == "covariance" && ReadRow(words, row_++, a.covariance);
  }

  static constexpr auto kRows = static_cast<Eigen::Index>(kCoefficients);
  bool ends_whole() const { return row_ == kRows && within_row_ == kRows; }

  Prior& prior_;
  Prior::Kind* kind_ = nullptr;
  Eigen::Index row_ = kRows, within_row_ = kRows;  // Read so far of the archetype's and the kind's matrix.
};

void PrintRows(std::string_view name, const CoefficientMatrix& matrix, std::string& text) {
  for (Eigen::Index row = 0; row < matrix.rows(); ++row) {
    text += name;
    for (Eigen::Index k = 0; k <= row; ++k) text += fmt::format(" {:.8g}", matrix(row, k));
    text += "\n";
  }
}

void Print(const Archetype& a, std::string& text) {
  text += fmt::format("archetype {} runs {} families {}\n", a.name, a.runs, a.families);
  if (a.apart) text += "apart\n";
  text += fmt::format("level {}\nspread {:.4g} {:.4g}\nmean", a.knows_level ? "known" : "free", a.stray, a.noise);
  for (Eigen::Index k = 0; k < a.mean.size(); ++k) text += fmt::format(" {:.6g}", a.mean(k));
  text += "\n";
  for (size_t i = 0; i < kTraits; ++i) {
    const auto slopes = a.slopes.row(static_cast<Eigen::Index>(i));
    if (a.spread[i] == 0) continue;
    text += fmt::format("trait {} {:.5g} {:.4g} {:.5g} {:.5g}", Traits::kNames[i], a.center[i], a.spread[i], a.low[i],
                        a.high[i]);
    for (Eigen::Index k = 0; k < slopes.size(); ++k) text += fmt::format(" {:.5g}", slopes(k));
    text += "\n";
  }
  PrintRows("covariance", a.covariance, text);
}

}  // namespace

absl::StatusOr<Prior> Prior::Parse(std::string_view text) {
  Prior prior;
  Reader reader(prior);
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (number == 1 ? line != kFirstLine : !reader.Read(line)) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: \"{}\" does not belong into a file that starts with \"{}\"", number, line.substr(0, 80),
                      kFirstLine));
    }
  }
  if (!reader.Whole()) {
    return absl::InvalidArgumentError(
        fmt::format("the prior is cut short: the last archetype of every kind is \"{}\", and a matrix has {} rows",
                    kLastName, kCoefficients));
  }
  if (!prior.Prepare()) {
    return absl::InvalidArgumentError("a covariance is not positive definite; take the file as it was written");
  }
  return prior;
}

std::string Prior::Format() const {
  std::string text = std::string(kFirstLine) + "\n";
  for (size_t k = 0; k < kRateKinds; ++k) {
    text += fmt::format("kind {}\n", kKindNames[k]);
    for (size_t s = 0; s < kSupports; ++s) {
      text += fmt::format("factors {}", kSupportNames[s]);
      for (double factor : kinds[k].factors[s]) text += fmt::format(" {:.4g}", factor);
      text += "\n";
    }
    const Kinship& kinship = kinds[k].kinship;
    text += fmt::format("kinship {:.4g} {:.4g} {:.4g} {:.4g}\n", kinship.smooth, kinship.family, kinship.labels,
                        kinship.own);
    for (size_t i = 0; i < kTraits; ++i) {
      text += fmt::format("kin_trait {} {:.4g} {:.4g}\n", Traits::kNames[i], kinship.linear[i], kinship.reach[i]);
    }
    PrintRows("within", kinship.within, text);
    for (const Archetype& a : kinds[k].archetypes) Print(a, text);
  }
  return text;
}

const Prior& Prior::Shipped() {
  static const auto& prior = *new Prior([] {
    absl::StatusOr<Prior> parsed = Parse(kShippedText);
    CURVECAST_CHECK(parsed.ok());
    return *std::move(parsed);
  }());
  return prior;
}

}  // namespace curvecast
