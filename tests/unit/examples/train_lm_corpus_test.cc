#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "client/examples/train_lm/corpus.h"

namespace curvecast::train_lm {
namespace {

// Long enough, and its byte at i tells whether i lies in a held-out block.
std::string MarkedText() {
  std::string text;
  for (size_t i = 0; i < 2 * Corpus::kMinBytes; ++i) text += i / Corpus::kBlock % 10 == 9 ? 'h' : 't';
  return text;
}

TEST(CorpusTest, TrainsOnNothingThatIsHeldOut) {
  const auto corpus = Corpus::FromText(MarkedText(), 8);
  ASSERT_TRUE(corpus.ok());
  EXPECT_EQ(corpus->vocabulary(), 2);
  for (int64_t step = 1; step <= 50; ++step) {
    const Batch batch = corpus->TrainingBatch(3, step, 64);
    EXPECT_TRUE((batch.context.array() == 0).all());  // 't' comes first in the text, so it is symbol 0.
    EXPECT_TRUE((batch.target.array() == 0).all());
  }
  const Batch held_out = corpus->HeldOutBatch(64);
  EXPECT_TRUE((held_out.context.array() == 1).all());
  EXPECT_TRUE((held_out.target.array() == 1).all());
}

TEST(CorpusTest, AStepsBatchDependsOnSeedAndStepAlone) {
  std::string text;
  for (size_t i = 0; i < Corpus::kMinBytes; ++i) text += static_cast<char>('a' + i * i % 23);
  const auto corpus = Corpus::FromText(text, 8);
  ASSERT_TRUE(corpus.ok());
  const Batch batch = corpus->TrainingBatch(1, 5, 32);
  EXPECT_EQ(batch.context, corpus->TrainingBatch(1, 5, 32).context);
  EXPECT_NE(batch.context, corpus->TrainingBatch(1, 6, 32).context);
  EXPECT_NE(batch.context, corpus->TrainingBatch(2, 5, 32).context);
}

TEST(CorpusTest, SaysThatThereIsTooLittleText) {
  const auto corpus = Corpus::FromText("a few words", 8);
  EXPECT_EQ(corpus.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(corpus.status().message()).find("11 bytes"), std::string::npos);
  EXPECT_EQ(Corpus::Read("/no/such/text", 8).status().code(), absl::StatusCode::kNotFound);
}

TEST(CorpusTest, ReadsSourcesAndPagesOfAFolderButNothingHiddenOrBuilt) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "train_lm_corpus_test";
  const auto write = [&](const std::string& name, size_t bytes) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << std::string(bytes, 'x');
  };
  write("a.md", Corpus::kMinBytes);
  write("room/b.cc", 1000);
  write("room/picture.png", 5000);
  write("build/c.h", 5000);
  write(".hidden/d.py", 5000);
  const auto corpus = Corpus::Read(folder.string(), 8);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(corpus.ok());
  EXPECT_EQ(corpus->bytes(), Corpus::kMinBytes + 1000);
}

}  // namespace
}  // namespace curvecast::train_lm
