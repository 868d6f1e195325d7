#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/event.h"

// Between an event of core and the bytes that the journal keeps of it: a JournalEvent of journal.proto.
namespace curvecast {

// The same event gives the same bytes. A forecast loses its path.
std::string EncodeEvent(const Event& event);

// Checks all that was checked before the event was journaled. DATA_LOSS if the bytes are no such event.
absl::StatusOr<Event> DecodeEvent(std::string_view bytes);

// Whether they are those of a CurveKept. Cheap.
bool HoldsCurveKept(std::string_view bytes);

}  // namespace curvecast
