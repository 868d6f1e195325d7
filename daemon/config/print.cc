#include <yaml-cpp/yaml.h>

#include <string>

#include "daemon/config/config.h"
#include "daemon/config/key.h"
#include "daemon/config/value.h"

namespace curvecast {

std::string PrintConfig(const v1::Config& config) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  const google::protobuf::FieldDescriptor* section = nullptr;
  for (const Key& key : Keys()) {
    if (key.section != section) {
      if (section != nullptr) out << YAML::EndMap;
      section = key.section;
      out << YAML::Key << section->name() << YAML::Value << YAML::BeginMap;
    }
    out << YAML::Key << key.field->name() << YAML::Value;
    if (key.field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) out << YAML::DoubleQuoted;
    out << GetField(config, key) << YAML::Comment(Allowed(key));
  }
  out << YAML::EndMap << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace curvecast
