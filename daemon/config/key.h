#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

namespace curvecast {

// One setting, named by its section and its field: "limits.max_runs".
struct Key {
  std::string name;
  const google::protobuf::FieldDescriptor* section;
  const google::protobuf::FieldDescriptor* field;
};

// Every setting that config.proto knows, in its order.
const std::vector<Key>& Keys();

// Null if there is none.
const Key* FindKey(std::string_view name);

// What somebody who wrote `unknown` may have meant, as an advice: "did you mean limits.max_runs?", or the names there
// are. A section counts as a name.
std::string Advise(std::string_view unknown);

}  // namespace curvecast
