#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "absl/status/status.h"
#include "core/base/step.h"

namespace curvecast {

struct OpenedReply {
  uint64_t expected_sequence = 1;
  std::optional<Step> last_step;  // Of the objective.
};
struct AckReply {
  uint64_t sequence = 0;
  absl::Status left_out = absl::OkStatus();  // Not OK: "field: why" some metrics of the batch were left out.
};
struct RejectedReply {
  uint64_t sequence = 0;  // 0: the open.
  absl::Status status;    // "field: what is wrong".
};
struct Reply {
  uint32_t channel = 0;
  std::variant<OpenedReply, AckReply, RejectedReply> body;
};

// Where the engine's answers to one stream go. Called on the engine's thread; must not block.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void Deliver(const Reply& reply) = 0;
};

}  // namespace curvecast
