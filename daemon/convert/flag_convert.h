#pragma once

#include "absl/status/statusor.h"
#include "core/engine/flag_book.h"
#include "curvecast/v1/flag.pb.h"

// Between the messages of flag.proto and the types of core. No gRPC: the store uses it.
namespace curvecast {

// What the watch says, as the journal keeps it: without number, sentence and times.
v1::Flag ToProto(const Flag& flag);
// Back. INVALID_ARGUMENT "kind: is 99, ..." for what this version does not know or no watch can have said.
absl::StatusOr<Flag> ToFlag(const v1::Flag& flag);

// All of a flag, with its sentence, as people see it.
v1::Flag ToProto(const BookedFlag& booked);
v1::Flag::Severity ToProto(Severity severity);

}  // namespace curvecast
