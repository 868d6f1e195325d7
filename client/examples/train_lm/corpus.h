#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/examples/train_lm/model.h"

namespace curvecast::train_lm {

// Text as numbers: each byte that occurs is one symbol. The text is cut into blocks of which every tenth is held out,
// and a window never crosses the border of a block, so that no held-out byte is ever trained on.
class Corpus {
 public:
  static constexpr size_t kBlock = 1024;
  static constexpr size_t kMinBytes = 40000;  // Less is learned by heart rather than modelled.

  // Reads one file, or of a folder every *.md, *.h, *.cc, *.proto, *.py, *.ts and *.sh below it, in order of path;
  // folders that are hidden or named build* or node_modules are left out. INVALID_ARGUMENT if there is too little text
  // for `context`.
  static absl::StatusOr<Corpus> Read(const std::string& path, int context);
  static absl::StatusOr<Corpus> FromText(const std::string& text, int context);

  int vocabulary() const { return vocabulary_; }
  size_t bytes() const { return symbols_.size(); }

  // The batch of one step: the same for the same seed and step, so that a resumed run sees what it would have seen.
  Batch TrainingBatch(uint64_t seed, int64_t step, int size) const;
  // Some fixed windows of the held-out blocks.
  Batch HeldOutBatch(int size) const;

 private:
  Batch Windows(const std::vector<size_t>& ends) const;

  std::vector<uint8_t> symbols_;
  std::vector<size_t> training_;  // Positions that may be predicted, each with a whole context before it.
  std::vector<size_t> held_out_;
  int vocabulary_ = 0;
  int context_ = 0;
};

}  // namespace curvecast::train_lm
