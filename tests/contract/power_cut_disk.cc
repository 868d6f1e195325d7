#include "tests/contract/power_cut_disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace curvecast {
namespace {

std::string ReadFile(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Put(std::string& content, int64_t at, std::string_view bytes, char hole) {
  const size_t end = static_cast<size_t>(at) + bytes.size();
  if (content.size() < end) content.resize(end, hole);
  content.replace(static_cast<size_t>(at), bytes.size(), bytes);
}

}  // namespace

bool PowerCutDisk::GoesOut() {
  if (left_ > 0 && --left_ == 0) out_ = true;
  return out_;
}

int PowerCutDisk::Open(const std::string& name) {
  if (out_) return SQLITE_CANTOPEN;
  if (!images_.contains(name) && std::filesystem::exists(name)) images_[name].durable = ReadFile(name);
  return SQLITE_OK;
}

int PowerCutDisk::Delete(const std::string& name, bool sync_folder) {
  if (out_) return SQLITE_IOERR_DELETE;
  Image& image = images_[name];
  image.since.push_back({.kind = Change::Kind::kDelete});
  if (GoesOut()) return SQLITE_IOERR_DELETE;
  if (sync_folder) image = {};
  return VfsLayer::Delete(name, sync_folder);
}

int PowerCutDisk::Read(File& file, void* to, int size, int64_t at) {
  return out_ ? SQLITE_IOERR_READ : file.Read(to, size, at);
}

int PowerCutDisk::Write(File& file, const void* from, int size, int64_t at) {
  if (out_) return SQLITE_IOERR_WRITE;
  images_[file.name()].since.push_back(
      {Change::Kind::kWrite, at, std::string(static_cast<const char*>(from), static_cast<size_t>(size))});
  return GoesOut() ? SQLITE_IOERR_WRITE : file.Write(from, size, at);
}

int PowerCutDisk::Truncate(File& file, int64_t size) {
  if (out_) return SQLITE_IOERR_TRUNCATE;
  images_[file.name()].since.push_back({.kind = Change::Kind::kTruncate, .at = size});
  return GoesOut() ? SQLITE_IOERR_TRUNCATE : file.Truncate(size);
}

int PowerCutDisk::Sync(File& file, int) {
  if (out_ || GoesOut()) return SQLITE_IOERR_FSYNC;
  Image& image = images_[file.name()];
  if (syncs_left_ > 0 && --syncs_left_ == 0) {
    image = {.durable = Survivors(image, random_), .since = {}};
    return SQLITE_IOERR_FSYNC;
  }
  for (const Change& change : image.since) {
    std::string& content = image.durable ? *image.durable : image.durable.emplace();
    switch (change.kind) {
      case Change::Kind::kWrite:
        Put(content, change.at, change.bytes, 0);
        break;
      case Change::Kind::kTruncate:
        content.resize(static_cast<size_t>(change.at));
        break;
      case Change::Kind::kDelete:
        content.clear();
        break;
    }
  }
  image.since.clear();
  return SQLITE_OK;  // No real sync: the real machine's power stays.
}

std::optional<std::string> PowerCutDisk::Survivors(const Image& image, std::mt19937_64& random) {
  const int64_t sector = random() % 2 == 0 ? 512 : 4096;
  const char hole = random() % 2 == 0 ? 0 : static_cast<char>(random());  // What a file that grew shows in its gaps.
  const uint64_t kept_of_8 = random() % 9;
  const auto survives = [&] { return random() % 8 < kept_of_8; };
  std::optional<std::string> content = image.durable;
  for (const Change& change : image.since) {
    switch (change.kind) {
      case Change::Kind::kDelete:
        // Names are kept in order: if this removal was not, nothing that was written to a file of that name later was.
        if (!survives()) return content;
        content.reset();
        break;
      case Change::Kind::kTruncate:
        if (content && survives()) content->resize(static_cast<size_t>(change.at), hole);
        break;
      case Change::Kind::kWrite: {
        const auto end = change.at + static_cast<int64_t>(change.bytes.size());
        for (int64_t from = change.at; from < end;) {
          const int64_t to = std::min(end, (from / sector + 1) * sector);
          const auto bytes = std::string_view(change.bytes)
                                 .substr(static_cast<size_t>(from - change.at), static_cast<size_t>(to - from));
          if (survives()) Put(content ? *content : content.emplace(), from, bytes, hole);
          from = to;
        }
        break;
      }
    }
  }
  return content;
}

void PowerCutDisk::Restore(uint64_t seed) {
  std::mt19937_64 random(seed);
  for (auto& [name, image] : images_) {
    const bool removed = std::any_of(image.since.begin(), image.since.end(),
                                     [](const Change& change) { return change.kind == Change::Kind::kDelete; });
    if (!removed && !std::filesystem::exists(name)) continue;  // Renamed or removed without us.
    const std::optional<std::string> content = Survivors(image, random);
    if (content) {
      std::ofstream(name, std::ios::binary) << *content;
    } else {
      std::filesystem::remove(name);
    }
  }
  images_.clear();
  left_ = syncs_left_ = 0;
  out_ = false;
}

}  // namespace curvecast
