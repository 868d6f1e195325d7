#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/check.h"

// State as bytes and back, for the same build on the same machine: numbers lie as they lie in memory, and nothing says
// what they are. Whoever keeps the bytes adds which build they are of, and a checksum (daemon/store does).
//
// A class that is state lists its members once, for both directions, const members excepted: those come by its
// constructor.
//
//   template <class Archive>
//   void Fields(Archive& archive) { archive(bins_, spans_, points_); }
//
// Known besides: numbers, enums, std::string, array, vector, deque, optional, pair, map, bitset, unique_ptr, shared_ptr
// to const, and Eigen's types of fixed size.
namespace curvecast {

template <typename T>
concept ArchivedNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;
template <typename T>
concept ArchivedEigen = requires(T value) {
  typename T::Scalar;
  value.data();
  requires T::SizeAtCompileTime >
  0;
};

class ArchiveWriter {
 public:
  static constexpr bool kReads = false;

  // Appends to `bytes`, which outlives this.
  explicit ArchiveWriter(std::string& bytes) : bytes_(bytes) {}

  template <typename... T>
  void operator()(const T&... values) {
    (Write(values), ...);
  }

 private:
  template <typename T>
  void Write(const T& value) {
    if constexpr (ArchivedNumber<T>) {
      Append(&value, sizeof(T));
    } else if constexpr (ArchivedEigen<T>) {
      Append(value.data(), sizeof(typename T::Scalar) * static_cast<size_t>(T::SizeAtCompileTime));
    } else {
      const_cast<T&>(value).Fields(*this);  // One list of fields serves both directions; writing changes none.
    }
  }
  void Write(const std::string& text) {
    WriteSize(text.size());
    Append(text.data(), text.size());
  }
  template <typename T, size_t kSize>
  void Write(const std::array<T, kSize>& array) {
    WriteEach(array);
  }
  template <typename T>
  void Write(const std::vector<T>& list) {
    WriteSize(list.size());
    WriteEach(list);
  }
  template <typename T>
  void Write(const std::deque<T>& list) {
    WriteSize(list.size());
    for (const T& value : list) Write(value);
  }
  template <typename K, typename V, typename C>
  void Write(const std::map<K, V, C>& map) {
    WriteSize(map.size());
    for (const auto& [key, value] : map) {
      Write(key);
      Write(value);
    }
  }
  template <typename A, typename B>
  void Write(const std::pair<A, B>& pair) {
    Write(pair.first);
    Write(pair.second);
  }
  template <size_t kSize>
  void Write(const std::bitset<kSize>& bits) {
    Write(bits.to_ullong());
  }
  template <typename T>
  void Write(const std::optional<T>& value) {
    Write(value.has_value());
    if (value) Write(*value);
  }
  template <typename T>
  void Write(const std::shared_ptr<const T>& value) {
    Write(value != nullptr);
    if (value != nullptr) Write(*value);
  }
  template <typename T>
  void Write(const std::unique_ptr<T>& value) {
    Write(value != nullptr);
    if (value != nullptr) Write(*value);
  }

  template <typename List>
  void WriteEach(const List& list) {
    if constexpr (ArchivedNumber<typename List::value_type>) {
      Append(list.data(), sizeof(typename List::value_type) * list.size());
    } else {
      for (const auto& value : list) Write(value);
    }
  }
  void WriteSize(size_t size) {
    CURVECAST_CHECK(size <= std::numeric_limits<uint32_t>::max());
    Write(static_cast<uint32_t>(size));
  }
  void Append(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  std::string& bytes_;
};

// Reads what a writer wrote. Bytes that are cut short, or are none of a writer's, make it fail: it never reads past
// them, nor takes more memory than a constant times their size. What is read after that is empty. It does not know
// which numbers make sense.
class ArchiveReader {
 public:
  static constexpr bool kReads = true;

  // `bytes` outlive this.
  explicit ArchiveReader(std::string_view bytes) : left_(bytes) {}

  template <typename... T>
  void operator()(T&... values) {
    (Read(values), ...);
  }

  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }
  void Fail() {
    ok_ = false;
    left_ = {};
  }

 private:
  template <typename T>
  void Read(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = 0;
      Take(&byte, 1);
      if (byte > 1) Fail();
      value = byte == 1;
    } else if constexpr (ArchivedNumber<T>) {
      value = T{};
      Take(&value, sizeof(T));
    } else if constexpr (ArchivedEigen<T>) {
      Take(value.data(), sizeof(typename T::Scalar) * static_cast<size_t>(T::SizeAtCompileTime));
    } else {
      value.Fields(*this);
    }
  }
  void Read(std::string& text) {
    const size_t size = ReadSize();
    if (size > left_.size()) return Fail();
    text.assign(left_.data(), size);
    left_.remove_prefix(size);
  }
  template <typename T, size_t kSize>
  void Read(std::array<T, kSize>& array) {
    ReadEach(array);
  }
  template <typename T>
  void Read(std::vector<T>& list) {
    const size_t size = ReadSize();
    list.clear();
    if constexpr (ArchivedNumber<T> && !std::is_same_v<T, bool>) {
      if (size > left_.size() / sizeof(T)) return Fail();
      list.resize(size);
      ReadEach(list);
    } else {
      if (size > left_.size()) return Fail();  // Each takes a byte at least.
      for (size_t i = 0; i < size && ok_; ++i) Read(list.emplace_back());
    }
  }
  template <typename T>
  void Read(std::deque<T>& list) {
    const size_t size = ReadSize();
    list.clear();
    for (size_t i = 0; i < size && ok_; ++i) Read(list.emplace_back());
  }
  template <typename K, typename V, typename C>
  void Read(std::map<K, V, C>& map) {
    const size_t size = ReadSize();
    map.clear();
    for (size_t i = 0; i < size && ok_; ++i) {
      K key{};
      Read(key);
      Read(map.emplace_hint(map.end(), std::move(key), V{})->second);
    }
  }
  template <typename A, typename B>
  void Read(std::pair<A, B>& pair) {
    Read(pair.first);
    Read(pair.second);
  }
  template <size_t kSize>
  void Read(std::bitset<kSize>& bits) {
    unsigned long long word = 0;
    Read(word);
    bits = word;
  }
  template <typename T>
  void Read(std::optional<T>& value) {
    value.reset();
    if (!ReadPresence()) return;
    T read{};  // Not emplace(): of a class with default values nested in another, clang 14 says there that it has none.
    Read(read);
    value = std::move(read);
  }
  template <typename T>
  void Read(std::shared_ptr<const T>& value) {
    value = nullptr;
    if (!ReadPresence()) return;
    auto read = std::make_shared<T>();
    Read(*read);
    value = std::move(read);
  }
  template <typename T>
  void Read(std::unique_ptr<T>& value) {
    value = nullptr;
    if (!ReadPresence()) return;
    value = std::make_unique<T>();
    Read(*value);
  }

  template <typename List>
  void ReadEach(List& list) {
    using T = typename List::value_type;
    if constexpr (ArchivedNumber<T> && !std::is_same_v<T, bool>) {
      Take(list.data(), sizeof(T) * list.size());
    } else {
      for (T& value : list) Read(value);
    }
  }
  size_t ReadSize() {
    uint32_t size = 0;
    Read(size);
    return size;
  }
  bool ReadPresence() {
    bool present = false;
    Read(present);
    return present;
  }
  void Take(void* data, size_t size) {
    if (size > left_.size()) return Fail();
    std::memcpy(data, left_.data(), size);
    left_.remove_prefix(size);
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace curvecast
