#include "core/law/prior.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "core/base/check.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr std::string_view kShippedText =
#include "core/law/prior_shipped.inc"
    ;

constexpr std::string_view kFirstLine = "curvecast-prior 1";
constexpr std::array<std::string_view, kRateKinds> kKindNames = {"unknown", "constant", "decaying"};

std::vector<Node> PlainNodes() {
  std::vector<Node> nodes;
  for (double a : {0.05, 0.3, 0.6, 1.0}) nodes.push_back({a, Anneal::kNone, 0});
  return nodes;
}

std::vector<Node> AnnealNodes() {
  std::vector<Node> nodes;
  for (double a : {0.05, 0.4, 0.8}) {
    for (double p : {0.5, 0.75, 1.1}) nodes.push_back({a, Anneal::kRatePower, p});
    for (double lag : {0.03, 0.15}) nodes.push_back({a, Anneal::kMomentum, lag});
    for (double c : {100.0, 3000.0}) nodes.push_back({a, Anneal::kMultiPower, c});
  }
  return nodes;
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

  bool NextCount(int& value) {
    double read = 0;
    if (!Next(read) || read < 0 || read > 1e9) return false;
    value = static_cast<int>(read);
    return true;
  }

 private:
  std::string_view rest_;
};

bool IsUsable(const NodePrior& p) {
  return p.var22 > 0 && p.var33 > 0 && p.var22 * p.var33 > p.var23 * p.var23 && p.stray > 0;
}

// Reads one line after the first into the prior. False: it is not one of this version.
class Reader {
 public:
  explicit Reader(Prior& prior) : prior_(prior) {}

  bool Read(std::string_view line) {
    Words words(line);
    const std::string_view key = words.Next();
    if (key.empty() || key.front() == '#') return true;
    if (key == "kind") return ReadKind(words.Next());
    if (kind_ == nullptr) return false;
    if (key == "widen") {
      for (double& factor : kind_->widen) {
        if (!words.Next(factor) || factor <= 0) return false;
      }
      return true;
    }
    if (key == "archetype") return ReadArchetype(words);
    return key == "node" && ReadNode(words);
  }

 private:
  bool ReadKind(std::string_view name) {
    for (size_t k = 0; k < kRateKinds; ++k) {
      if (kKindNames[k] != name) continue;
      kind_ = &prior_.kinds[k];
      return true;
    }
    return false;
  }

  bool ReadArchetype(Words& words) {
    Archetype archetype;
    archetype.name = words.Next();
    if (archetype.name.empty() || words.Next() != "runs" || !words.NextCount(archetype.runs)) return false;
    if (words.Next() != "families" || !words.NextCount(archetype.families)) return false;
    kind_->archetypes.push_back(std::move(archetype));
    return true;
  }

  bool ReadNode(Words& words) {
    if (kind_->archetypes.empty()) return false;
    NodePrior p;
    const bool read = words.Next(p.mean2) && words.Next(p.mean3) && words.Next(p.var22) && words.Next(p.var23) &&
                      words.Next(p.var33) && words.Next(p.stray);
    if (!read || !IsUsable(p)) return false;
    kind_->archetypes.back().nodes.push_back(p);
    return true;
  }

  Prior& prior_;
  Prior::Kind* kind_ = nullptr;
};

}  // namespace

const std::vector<Node>& Bank(RateKind kind) {
  static const auto& plain = *new std::vector<Node>(PlainNodes());
  static const auto& anneal = *new std::vector<Node>(AnnealNodes());
  return kind == RateKind::kDecaying ? anneal : plain;
}

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
  for (size_t k = 0; k < kRateKinds; ++k) {
    const size_t nodes = Bank(static_cast<RateKind>(k)).size();
    if (prior.kinds[k].archetypes.empty()) {
      return absl::InvalidArgumentError(fmt::format("kind {}: no archetype; give at least one", kKindNames[k]));
    }
    for (const Archetype& a : prior.kinds[k].archetypes) {
      if (a.nodes.size() == nodes) continue;
      return absl::InvalidArgumentError(fmt::format("kind {}: archetype {} has {} nodes; the bank has {}",
                                                    kKindNames[k], a.name, a.nodes.size(), nodes));
    }
  }
  return prior;
}

std::string Prior::Format() const {
  std::string text = std::string(kFirstLine) + "\n";
  for (size_t k = 0; k < kRateKinds; ++k) {
    text += fmt::format("kind {}\nwiden", kKindNames[k]);
    for (double factor : kinds[k].widen) text += fmt::format(" {:.4g}", factor);
    text += "\n";
    for (const Archetype& a : kinds[k].archetypes) {
      text += fmt::format("archetype {} runs {} families {}\n", a.name, a.runs, a.families);
      for (const NodePrior& p : a.nodes) {
        text += fmt::format("node {:.5g} {:.5g} {:.5g} {:.5g} {:.5g} {:.4g}\n", p.mean2, p.mean3, p.var22, p.var23,
                            p.var33, p.stray);
      }
    }
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
