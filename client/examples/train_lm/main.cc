// train_lm: a real, small training job that reports to curvecastd. See client/examples/README.md.

#include <iostream>
#include <optional>
#include <string>

#include "client/examples/train_lm/corpus.h"
#include "client/examples/train_lm/options.h"
#include "client/examples/train_lm/training.h"

int main(int argc, char** argv) {
  curvecast::train_lm::Options options;
  if (const std::optional<int> status = curvecast::train_lm::ReadOptions(argc, argv, options)) return *status;
  auto corpus = curvecast::train_lm::Corpus::Read(options.text, options.shape.context);
  absl::Status done = corpus.status();
  if (corpus.ok()) {
    options.shape.vocabulary = corpus->vocabulary();
    done = curvecast::train_lm::Train(options, *corpus);
  }
  if (done.ok()) return 0;
  std::cerr << "train_lm: " << std::string(done.message()) << "\n";
  return 1;
}
