#pragma once

namespace curvecast {

// What a daemon asks of its process before it starts a thread:
// * absl::Mutex looks for no deadlocks. In Debian's build it does, as if for debugging, at every lock of gRPC's: 4 % of
//   the CPU with 1000 streams.
// * as many open files as the machine allows: the usual 1024 are fewer than limits.max_streams.
void SetUpProcess();

}  // namespace curvecast
