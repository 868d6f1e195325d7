// Any bytes in a journal's row: an event, or DATA_LOSS. What decodes encodes to bytes that decode to the same.

#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "daemon/store/event_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::StatusOr<curvecast::Event> event = curvecast::DecodeEvent({reinterpret_cast<const char*>(data), size});
  if (!event.ok()) {
    CURVECAST_CHECK(absl::IsDataLoss(event.status()));
    return 0;
  }
  const std::string encoded = curvecast::EncodeEvent(*event);
  const absl::StatusOr<curvecast::Event> again = curvecast::DecodeEvent(encoded);
  CURVECAST_CHECK(again.ok());
  CURVECAST_CHECK(curvecast::EncodeEvent(*again) == encoded);
  return 0;
}
