// Any text as a configuration: a Config that prints and loads again as the same, or INVALID_ARGUMENT with a place.

#include <google/protobuf/util/message_differencer.h>

#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "daemon/config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<curvecast::v1::Config> config = curvecast::ParseConfig(text, "fuzz");
  if (!config.ok()) {
    CURVECAST_CHECK(absl::IsInvalidArgument(config.status()));
    CURVECAST_CHECK(std::string(config.status().message()).rfind("fuzz:", 0) == 0);
    return 0;
  }
  const absl::StatusOr<curvecast::v1::Config> again =
      curvecast::ParseConfig(curvecast::PrintConfig(*config), "printed");
  CURVECAST_CHECK(again.ok());
  CURVECAST_CHECK(google::protobuf::util::MessageDifferencer::Equals(*config, *again));
  return 0;
}
