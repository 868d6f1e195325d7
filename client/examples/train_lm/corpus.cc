#include "client/examples/train_lm/corpus.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "client/examples/train_lm/random.h"
#include "fmt/format.h"

namespace curvecast::train_lm {
namespace {

namespace fs = std::filesystem;

bool IsText(const fs::path& path) {
  static constexpr std::array<std::string_view, 7> kEndings = {".md", ".h", ".cc", ".proto", ".py", ".ts", ".sh"};
  const std::string ending = path.extension().string();
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

bool IsLeftOut(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name.starts_with(".") || name.starts_with("build") || name == "node_modules";
}

std::vector<fs::path> TextFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_directory(error) && IsLeftOut(it->path())) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file(error) && IsText(it->path())) {
      files.push_back(it->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

absl::StatusOr<Corpus> Corpus::Read(const std::string& path, int context) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return absl::NotFoundError(
        fmt::format("--text: \"{}\" does not exist; name a text file or a folder of text", path));
  }
  std::string text;
  if (fs::is_directory(path, error)) {
    for (const fs::path& file : TextFiles(path)) text += Contents(file);
  } else {
    text = Contents(path);
  }
  absl::StatusOr<Corpus> corpus = FromText(text, context);
  if (!corpus.ok()) {
    return absl::InvalidArgumentError(fmt::format("--text {}: {}", path, std::string(corpus.status().message())));
  }
  return corpus;
}

absl::StatusOr<Corpus> Corpus::FromText(const std::string& text, int context) {
  if (text.size() < kMinBytes) {
    return absl::InvalidArgumentError(
        fmt::format("{} bytes of text are too few, at least {} are needed; name a longer file, "
                    "or a folder that holds more *.md, *.h, *.cc, *.proto or *.py",
                    text.size(), kMinBytes));
  }
  std::array<int, 256> symbol_of_byte;
  symbol_of_byte.fill(-1);
  Corpus corpus;
  corpus.context_ = context;
  corpus.symbols_.reserve(text.size());
  for (const char c : text) {
    int& symbol = symbol_of_byte[static_cast<uint8_t>(c)];
    if (symbol < 0) symbol = corpus.vocabulary_++;
    corpus.symbols_.push_back(static_cast<uint8_t>(symbol));
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % kBlock < static_cast<size_t>(context)) continue;
    (i / kBlock % 10 == 9 ? corpus.held_out_ : corpus.training_).push_back(i);
  }
  return corpus;
}

Batch Corpus::Windows(const std::vector<size_t>& ends) const {
  const auto size = static_cast<Eigen::Index>(ends.size());
  Batch batch{Eigen::MatrixXi(context_, size), Eigen::VectorXi(size)};
  for (Eigen::Index b = 0; b < size; ++b) {
    const size_t end = ends[static_cast<size_t>(b)];
    const size_t start = end - static_cast<size_t>(context_);
    for (Eigen::Index c = 0; c < context_; ++c) batch.context(c, b) = symbols_[start + static_cast<size_t>(c)];
    batch.target(b) = symbols_[end];
  }
  return batch;
}

Batch Corpus::TrainingBatch(uint64_t seed, int64_t step, int size) const {
  Random random(Mix(seed, static_cast<uint64_t>(step)));
  std::vector<size_t> ends(static_cast<size_t>(size));
  for (size_t& end : ends) end = training_[random.Below(training_.size())];
  return Windows(ends);
}

Batch Corpus::HeldOutBatch(int size) const {
  Random random(1);
  std::vector<size_t> ends(static_cast<size_t>(size));
  for (size_t& end : ends) end = held_out_[random.Below(held_out_.size())];
  return Windows(ends);
}

}  // namespace curvecast::train_lm
