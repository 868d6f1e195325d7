#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/import/run_file.h"

namespace curvecast {

// Sends many finished or unfinished runs over one stream, a channel for each, without waiting for one before the next.
// What is on its way is bounded; Send() waits when that is full. gRPC stays behind this header.
class Uploader {
 public:
  static constexpr size_t kMaxUnanswered = 256;  // Opens and batches.
  static constexpr size_t kMaxPointsPerBatch = 4096;

  struct Summary {
    size_t runs = 0;    // Of which the daemon took at least the declaration.
    size_t points = 0;  // On the daemon's disk.
    size_t refused_points = 0;
    std::vector<std::string> refused;  // "source: field: what is wrong", the first of each run.
  };

  explicit Uploader(const std::string& address);
  ~Uploader();

  // `source` names the run in messages. UNAVAILABLE once the stream is broken, INVALID_ARGUMENT if the address is
  // wrong.
  absl::Status Send(const ReadRun& run, const std::string& source);
  // Waits until everything is answered.
  absl::StatusOr<Summary> Finish();

 private:
  class Stream;
  absl::Status no_endpoint_;  // Why there is no stream.
  std::unique_ptr<Stream> stream_;
};

}  // namespace curvecast
