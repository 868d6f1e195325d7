#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The layout of SQLite's table leaves and records (sqlite.org/fileformat2.html, sections 1.6 and 2.1), as far as table
// `event` uses it. Pure, and for bytes that may be anything.
namespace curvecast {

// One cell of a leaf: the row's id, and as much of its record as lies on this page.
struct LeafCell {
  int64_t id = 0;
  uint64_t record_size = 0;
  std::string_view local;      // Its first bytes.
  uint32_t overflow_page = 0;  // Where it goes on; 0 if it is all here.
};

// The cells of a page that is a table leaf, those that do not fit on it left out. Not of page 1, which has the file's
// header before it and holds no event.
std::vector<LeafCell> LeafCells(std::string_view page);

// What a record of table event holds besides its id.
struct EventRecord {
  int64_t crc32 = 0;
  std::string_view data;
};
std::optional<EventRecord> ParseEventRecord(std::string_view record);

}  // namespace curvecast
