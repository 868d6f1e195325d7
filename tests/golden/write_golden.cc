// Writes what is missing in proto/golden: write_golden FOLDER. It never changes a file that is there: those are for
// ever.

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"
#include "tests/golden/golden_messages.h"

namespace fs = std::filesystem;

namespace curvecast {
namespace {

// A file that is new, or nothing.
std::ofstream Create(const fs::path& path) {
  std::ofstream out;
  if (fs::exists(path)) return out;
  std::cout << path.string() << "\n";
  out.open(path, std::ios::binary);
  return out;
}

void WriteMessages(const fs::path& folder) {
  for (const GoldenMessage& golden : GoldenMessages()) {
    std::ofstream out = Create(folder / (golden.name + ".binpb"));
    if (out.is_open()) golden.message->SerializeToOstream(&out);
  }
}

void WriteRunFile(const fs::path& folder) {
  std::ofstream out = Create(folder / "run_file.jsonl");
  for (const std::string& line : GoldenRunFile()) {
    if (out.is_open()) out << line << "\n";
  }
}

// The one of version 1 was written by a version that wrote no other.
bool WriteJournal(const fs::path& folder) {
  const fs::path file = folder / "journal_v2.db";
  if (fs::exists(file)) return true;
  const fs::path store = folder / "store_to_be_removed";
  auto journal = SqliteJournal::Open(store);
  if (!journal.ok() || !(*journal)->Append(FinishedRun(12)).ok()) return false;
  if (!(*journal)->Replace(ReplacementOf(FinishedRunKey(), **journal)).ok()) return false;
  journal->reset();
  std::cout << file.string() << "\n";
  fs::rename(store / "journal.db", file);
  fs::remove_all(store);
  return true;
}

}  // namespace
}  // namespace curvecast

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  curvecast::WriteMessages(argv[1]);
  curvecast::WriteRunFile(argv[1]);
  return curvecast::WriteJournal(argv[1]) ? 0 : 1;
}
