#include "daemon/store/leaf_page.h"

#include <algorithm>
#include <array>

namespace curvecast {
namespace {

constexpr uint8_t kTableLeaf = 0x0d;
constexpr size_t kLeafHeader = 8;

// Reads on from `at`; what does not fit in the bytes makes it fail, and then it stays so.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, size_t at) : bytes_(bytes), at_(at), ok_(at <= bytes.size()) {}

  uint64_t Number(size_t size) {  // The highest byte first.
    uint64_t value = 0;
    for (const char c : Take(size)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int i = 0; i < 9 && ok_; ++i) {
      const uint64_t byte = Number(1);
      if (i == 8) return value << 8 | byte;
      value = value << 7 | (byte & 0x7f);
      if (byte < 0x80) break;
    }
    return value;
  }
  std::string_view Take(size_t size) {
    ok_ = ok_ && size <= bytes_.size() - at_;
    if (!ok_) return {};
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  bool ok() const { return ok_; }
  size_t at() const { return at_; }

 private:
  std::string_view bytes_;
  size_t at_;
  bool ok_;
};

// How much of a record lies on its leaf: all of it up to page - 35 bytes; of a longer one as much as leaves its last
// overflow page full, if that fits, or else the least.
uint64_t LocalSize(uint64_t record, uint64_t page) {
  const uint64_t most = page - 35;
  if (record <= most) return record;
  const uint64_t least = (page - 12) * 32 / 255 - 23;
  const uint64_t filling = least + (record - least) % (page - 4);
  return filling <= most ? filling : least;
}

std::optional<LeafCell> CellAt(std::string_view page, size_t at) {
  ByteReader reader(page, at);
  LeafCell cell;
  cell.record_size = reader.Varint();
  cell.id = static_cast<int64_t>(reader.Varint());
  const uint64_t local = LocalSize(cell.record_size, page.size());
  cell.local = reader.Take(local);
  if (local < cell.record_size) cell.overflow_page = static_cast<uint32_t>(reader.Number(4));
  if (!reader.ok()) return std::nullopt;
  return cell;
}

// The bytes of an integer by its serial type; nothing for types that are no integer.
std::optional<size_t> IntegerSize(uint64_t type) {
  static constexpr std::array<size_t, 10> kSizes = {0, 1, 2, 3, 4, 6, 8, 0, 0, 0};
  if (type >= kSizes.size() || type == 0 || type == 7) return std::nullopt;
  return kSizes[type];
}

}  // namespace

std::vector<LeafCell> LeafCells(std::string_view page) {
  std::vector<LeafCell> cells;
  if (page.size() < 512 || static_cast<uint8_t>(page[0]) != kTableLeaf) return cells;
  const uint64_t count = ByteReader(page, 3).Number(2);
  ByteReader places(page, kLeafHeader);
  for (uint64_t i = 0; i < count && places.ok(); ++i) {
    const uint64_t at = places.Number(2);
    if (std::optional<LeafCell> cell = CellAt(page, at)) cells.push_back(*cell);
  }
  return cells;
}

std::optional<EventRecord> ParseEventRecord(std::string_view record) {
  ByteReader header(record, 0);
  const uint64_t header_size = header.Varint();
  const uint64_t id_type = header.Varint();
  const uint64_t crc_type = header.Varint();
  const uint64_t data_type = header.Varint();
  // The id is the row's number, so that its column holds NULL; the data are a blob.
  const std::optional<size_t> crc_size = IntegerSize(crc_type);
  const bool is_blob = data_type >= 12 && data_type % 2 == 0;
  if (!header.ok() || header.at() != header_size || id_type != 0 || !crc_size || !is_blob) return std::nullopt;
  ByteReader body(record, header_size);
  EventRecord event;
  // A checksum has 32 bits, so that it is never negative; 8 and 9 are the numbers 0 and 1 themselves.
  event.crc32 = crc_type == 9 ? 1 : static_cast<int64_t>(body.Number(*crc_size));
  event.data = body.Take((data_type - 12) / 2);
  if (!body.ok()) return std::nullopt;
  return event;
}

}  // namespace curvecast
