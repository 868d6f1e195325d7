#include "core/base/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "Eigen/Core"

namespace curvecast {
namespace {

enum class Colour { kRed = 3, kBlue = 70000 };

struct Leaf {
  int64_t number = 0;
  std::string text;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(number, text);
  }
  friend bool operator==(const Leaf&, const Leaf&) = default;
};

// One of everything that an archive knows.
struct Everything {
  bool yes = false;
  double number = 0;
  float small = 0;
  Colour colour = Colour::kRed;
  std::string text;
  std::array<double, 3> row = {};
  std::vector<int64_t> numbers;
  std::vector<Leaf> leaves;
  std::deque<Leaf> queue;
  std::optional<Leaf> maybe, never;
  std::pair<std::string, int> pair;
  std::map<std::string, Leaf, std::less<>> map;
  std::bitset<8> bits;
  std::unique_ptr<Leaf> owned, none;
  std::shared_ptr<const std::vector<Leaf>> shared, nobody;
  Eigen::Matrix<double, 2, 3> matrix = Eigen::Matrix<double, 2, 3>::Zero();
  Eigen::Array<float, 1, 4> array = Eigen::Array<float, 1, 4>::Zero();

  template <class Archive>
  void Fields(Archive& archive) {
    archive(yes, number, small, colour, text, row, numbers, leaves, queue, maybe, never, pair, map, bits, owned, none);
    archive(shared, nobody, matrix, array);
  }
};

Everything Sample() {
  Everything e;
  e.yes = true;
  e.number = -0.0;
  e.small = 1e-40f;
  e.colour = Colour::kBlue;
  e.text = std::string("a\0b", 3);
  e.row = {1, std::numeric_limits<double>::infinity(), 5e-324};
  e.numbers = {1, -1, std::numeric_limits<int64_t>::min()};
  e.leaves = {{1, "one"}, {2, ""}};
  e.queue = {{3, "three"}};
  e.maybe = Leaf{4, "four"};
  e.pair = {"key", 5};
  e.map = {{"x", {6, "six"}}, {"a", {7, "seven"}}};
  e.bits = 0b10100101;
  e.owned = std::make_unique<Leaf>(Leaf{8, "eight"});
  e.shared = std::make_shared<const std::vector<Leaf>>(std::vector<Leaf>{{9, "nine"}});
  e.matrix << 1, 2, 3, 4, 5, 6;
  e.array << 1, 2, 3, 4;
  return e;
}

std::string BytesOf(const Everything& e) {
  std::string bytes;
  ArchiveWriter archive(bytes);
  archive(e);
  return bytes;
}

TEST(ArchiveTest, ReadsBackEverythingThatItWrote) {
  const Everything e = Sample();
  const std::string bytes = BytesOf(e);
  Everything read;
  ArchiveReader archive(bytes);
  archive(read);
  EXPECT_TRUE(archive.ok());
  EXPECT_TRUE(archive.at_end());
  EXPECT_EQ(BytesOf(read), bytes);
  EXPECT_TRUE(std::signbit(read.number));
  EXPECT_EQ(read.colour, Colour::kBlue);
  EXPECT_EQ(read.text, e.text);
  EXPECT_EQ(read.numbers, e.numbers);
  EXPECT_EQ(read.leaves, e.leaves);
  EXPECT_EQ(read.queue, e.queue);
  EXPECT_EQ(read.maybe, e.maybe);
  EXPECT_EQ(read.never, std::nullopt);
  EXPECT_EQ(read.map, e.map);
  EXPECT_EQ(read.bits, e.bits);
  EXPECT_EQ(*read.owned, *e.owned);
  EXPECT_EQ(read.none, nullptr);
  EXPECT_EQ(*read.shared, *e.shared);
  EXPECT_EQ(read.nobody, nullptr);
  EXPECT_EQ(read.matrix, e.matrix);
}

TEST(ArchiveTest, WhatIsReadTakesThePlaceOfWhatWasThere) {
  const std::string bytes = BytesOf(Everything{});
  Everything read = Sample();
  ArchiveReader archive(bytes);
  archive(read);
  EXPECT_EQ(BytesOf(read), bytes);
}

TEST(ArchiveTest, KeepsEveryBitOfANan) {
  const double nan = -std::nan("12345");
  std::string bytes;
  ArchiveWriter writer(bytes);
  writer(nan);
  double read = 0;
  ArchiveReader archive(bytes);
  archive(read);
  EXPECT_EQ(std::memcmp(&read, &nan, sizeof nan), 0);
}

TEST(ArchiveTest, FailsWhereverTheBytesAreCutShort) {
  const std::string bytes = BytesOf(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    Everything read;
    ArchiveReader archive(std::string_view(bytes).substr(0, size));
    archive(read);
    EXPECT_FALSE(archive.ok()) << "cut to " << size;
  }
}

TEST(ArchiveTest, TakesNoAbsurdSizeAtItsWord) {
  const std::string bytes(8, '\xff');
  std::vector<Leaf> leaves;
  std::vector<double> numbers;
  std::deque<Leaf> queue;
  std::string text;
  std::map<std::string, Leaf> map;
  const auto fails = [&](auto& value) {
    ArchiveReader archive(bytes);
    archive(value);
    return !archive.ok();
  };
  EXPECT_TRUE(fails(leaves) && leaves.size() < 8);
  EXPECT_TRUE(fails(numbers) && numbers.empty());
  EXPECT_TRUE(fails(queue) && queue.size() < 8);
  EXPECT_TRUE(fails(text) && text.empty());
  EXPECT_TRUE(fails(map) && map.size() < 8);
}

TEST(ArchiveTest, AnyBytesAreReadOrRefusedAndNeverCrash) {
  const std::string bytes = BytesOf(Sample());
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = bytes;
    for (uint64_t n = 1 + random() % 3; n > 0; --n) damaged[random() % damaged.size()] = static_cast<char>(random());
    Everything read;
    ArchiveReader archive(damaged);
    archive(read);
  }
}

}  // namespace
}  // namespace curvecast
