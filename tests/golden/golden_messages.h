#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

namespace curvecast {

// A message as version 1 writes it, kept in proto/golden/NAME.binpb.
struct GoldenMessage {
  std::string name;
  std::unique_ptr<google::protobuf::Message> message;
};

// Every kind of message that travels or is kept, with every field set in one of them. Never change one: its file must
// decode to it for ever. For a new field or kind add another.
std::vector<GoldenMessage> GoldenMessages();

// The lines of proto/golden/run_file.jsonl.
std::vector<std::string> GoldenRunFile();

}  // namespace curvecast
