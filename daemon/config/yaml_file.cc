#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/key.h"
#include "daemon/config/value.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace curvecast {
namespace {

constexpr size_t kMaxErrors = 20;
constexpr std::streamsize kMaxBytes = 1 << 20;

// Walks a YAML tree side by side with the schema, and collects what is wrong.
class Reader {
 public:
  Reader(std::string name, v1::Config& config) : name_(std::move(name)), config_(config) {}

  void ReadFile(const YAML::Node& root) {
    if (root.IsNull()) return;  // Nothing but comments: all defaults.
    if (!root.IsMap()) return Complain(root.Mark(), "", "is no configuration; write sections such as \"listen:\"");
    ForEachKey(root, "", [&](const YAML::Node& key, const YAML::Node& value) { ReadSection(key, value); });
  }

  absl::Status Result() const {
    if (errors_.empty()) return absl::OkStatus();
    std::string message = fmt::format("{}", fmt::join(errors_, "\n"));
    if (count_ > errors_.size()) message += fmt::format("\nand {} more", count_ - errors_.size());
    return absl::InvalidArgumentError(message);
  }

  // yaml-cpp counts lines and columns from 0, and has -1 for what has no place.
  void Complain(const YAML::Mark& mark, const std::string& key, const std::string& what) {
    if (++count_ > kMaxErrors) return;
    errors_.push_back(
        fmt::format("{}:{}:{}: {}{}{}", name_, mark.line + 1, mark.column + 1, key, key.empty() ? "" : ": ", what));
  }

 private:
  template <typename Visit>
  void ForEachKey(const YAML::Node& map, const std::string& prefix, Visit visit) {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) {
        Complain(key.Mark(), prefix, "has a key that is no word; write keys such as those of --print-config");
      } else if (!seen.insert(key.Scalar()).second) {
        Complain(key.Mark(), prefix + key.Scalar(), "is there twice; keep one");
      } else {
        visit(key, entry.second);
      }
    }
  }

  void ReadSection(const YAML::Node& key, const YAML::Node& value) {
    const std::string& section = key.Scalar();
    const auto known = [&](const Key& k) { return k.section->name() == section; };
    if (std::none_of(Keys().begin(), Keys().end(), known)) {
      Complain(key.Mark(), section, "unknown section; " + Advise(section));
    } else if (value.IsMap()) {
      ForEachKey(value, section + ".", [&](const YAML::Node& k, const YAML::Node& v) { ReadValue(section, k, v); });
    } else if (!value.IsNull()) {
      Complain(value.Mark(), section, "is a section; write its keys below it, indented");
    }
  }

  void ReadValue(const std::string& section, const YAML::Node& node, const YAML::Node& value) {
    const std::string name = section + "." + node.Scalar();
    const Key* key = FindKey(name);
    if (key == nullptr) return Complain(node.Mark(), name, "unknown key; " + Advise(name));
    if (!value.IsScalar()) {
      const char* is = value.IsNull() ? "has no value" : value.IsSequence() ? "is a list" : "is a map";
      const YAML::Mark mark = value.Mark().is_null() ? node.Mark() : value.Mark();
      return Complain(mark, name, fmt::format("{}; write {}", is, Allowed(*key)));
    }
    if (absl::Status status = SetField(config_, *key, value.Scalar()); !status.ok()) {
      Complain(value.Mark(), name, std::string(status.message()));
    }
  }

  const std::string name_;
  v1::Config& config_;
  std::vector<std::string> errors_;
  size_t count_ = 0;
};

// Where the documents of a text begin. YAML::LoadAll takes a bracket that nothing opened for an empty document, and for
// another one, without an end.
class Documents : public YAML::EventHandler {
 public:
  explicit Documents(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    while (starts_.size() < 2 && parser.HandleNextDocument(*this)) {
    }
  }
  // Of the second one, if there are two.
  const YAML::Mark* second() const { return starts_.size() < 2 ? nullptr : &starts_[1]; }

  void OnDocumentStart(const YAML::Mark& mark) override { starts_.push_back(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  std::vector<YAML::Mark> starts_;
};

}  // namespace

absl::StatusOr<v1::Config> ParseConfig(const std::string& text, const std::string& name) {
  v1::Config config = DefaultConfig();
  Reader reader(name, config);
  try {
    const Documents documents(text);
    reader.ReadFile(YAML::Load(text));
    if (const YAML::Mark* second = documents.second(); second != nullptr) {
      reader.Complain(*second, "", "is a second document, or a bracket that nothing opened; keep one document");
    }
  } catch (const YAML::Exception& error) {
    reader.Complain(error.mark, "", "is no YAML: " + error.msg);
  }
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

absl::StatusOr<v1::Config> LoadConfig(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return absl::NotFoundError(fmt::format("{}: cannot be opened; write the path of a file that can be read", path));
  std::string text(static_cast<size_t>(kMaxBytes) + 1, '\0');
  in.read(text.data(), kMaxBytes + 1);
  if (in.bad() || (in.fail() && !in.eof())) {
    return absl::InvalidArgumentError(fmt::format("{}: cannot be read; write the path of a file", path));
  }
  if (in.gcount() > kMaxBytes) {
    return absl::InvalidArgumentError(
        fmt::format("{}: is larger than {} bytes; it is no configuration", path, kMaxBytes));
  }
  text.resize(static_cast<size_t>(in.gcount()));
  return ParseConfig(text, path);
}

}  // namespace curvecast
