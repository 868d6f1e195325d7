#include "daemon/config/key.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "curvecast/v1/config.pb.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace curvecast {
namespace {

std::vector<Key> MakeKeys() {
  std::vector<Key> keys;
  const google::protobuf::Descriptor* config = v1::Config::descriptor();
  for (int s = 0; s < config->field_count(); ++s) {
    const google::protobuf::FieldDescriptor* section = config->field(s);
    for (int f = 0; f < section->message_type()->field_count(); ++f) {
      const google::protobuf::FieldDescriptor* field = section->message_type()->field(f);
      keys.push_back({section->name() + "." + field->name(), section, field});
    }
  }
  return keys;
}

// Edits (insert, delete, replace a character) from one word to another.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string_view Section(std::string_view name) { return name.substr(0, name.find('.')); }

// "runs" of "limits.runs"; all of it if there is no dot.
std::string_view Leaf(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::vector<std::string> Sections() {
  std::vector<std::string> sections;
  const google::protobuf::Descriptor* config = v1::Config::descriptor();
  for (int s = 0; s < config->field_count(); ++s) sections.push_back(config->field(s)->name());
  return sections;
}

// The nearest name, if it is near enough to be a slip.
std::optional<std::string> Nearest(std::string_view unknown, const std::vector<std::string>& names) {
  const auto distance = [&](const std::string& name) { return EditDistance(unknown, name); };
  const auto nearest = std::min_element(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return distance(a) < distance(b);
  });
  if (nearest == names.end() || distance(*nearest) > std::max<size_t>(2, nearest->size() / 4)) return std::nullopt;
  return *nearest;
}

}  // namespace

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = MakeKeys();
  return keys;
}

const Key* FindKey(std::string_view name) {
  const auto found = std::find_if(Keys().begin(), Keys().end(), [&](const Key& key) { return key.name == name; });
  return found == Keys().end() ? nullptr : &*found;
}

std::string Advise(std::string_view unknown) {
  constexpr size_t kLongest = 80;  // Of what could be a slip in one of our names.
  std::vector<std::string> names = Sections();
  std::vector<std::string> siblings;
  for (const Key& key : Keys()) {
    names.push_back(key.name);
    if (Section(key.name) == Section(unknown)) siblings.push_back(key.name);
    if (Leaf(key.name) == Leaf(unknown)) return fmt::format("did you mean {}?", key.name);
  }
  if (unknown.size() <= kLongest) {
    if (const auto nearest = Nearest(unknown, names)) return fmt::format("did you mean {}?", *nearest);
  }
  if (!siblings.empty()) return fmt::format("there are {}", fmt::join(siblings, ", "));
  return fmt::format("there are {}", fmt::join(Sections(), ", "));
}

}  // namespace curvecast
