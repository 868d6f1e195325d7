#include "daemon/store/snapshot_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/base/archive.h"
#include "core/base/stable_hash.h"
#include "daemon/store/fold_digest.h"
#include "daemon/store/page_file.h"
#include "daemon/store/store_folder.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "CvCtSnap";
constexpr uint32_t kFormat = 1;
constexpr size_t kFrameHead = 8;  // Bytes: size and checksum.
constexpr size_t kSyncBytes =
    8u << 20U;  // After so many, so that no sync takes long and holds up those of the journal.

// The head of a frame: how many bytes follow, and a checksum over its number and them.
struct FrameHead {
  uint32_t size = 0;
  uint32_t crc32 = 0;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(size, crc32);
  }
};

FrameHead HeadOf(uint64_t number, std::string_view bytes) {
  const uLong of_number = crc32_z(0, reinterpret_cast<const Bytef*>(&number), sizeof number);
  const uLong crc = crc32_z(of_number, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return {static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(crc)};
}

// The first frame. What stands behind the format may change with it.
struct Title {
  uint32_t format = kFormat;
  std::string build;
  SnapshotOf of;
};

class FileWriting final : public SnapshotStore::Writing {
 public:
  FileWriting(std::string file, int descriptor)
      : file_(std::move(file)), unfinished_(file_ + ".new"), descriptor_(descriptor) {}
  ~FileWriting() override {
    if (descriptor_ < 0) return;
    close(descriptor_);
    unlink(unfinished_.c_str());
  }

  absl::Status Add(std::string_view piece) override {
    std::string head;
    ArchiveWriter archive(head);
    archive(HeadOf(frames_++, piece));
    if (absl::Status status = Append(head); !status.ok()) return status;
    if (absl::Status status = Append(piece); !status.ok()) return status;
    if (unsynced_ < kSyncBytes) return absl::OkStatus();
    unsynced_ = 0;
    return fdatasync(descriptor_) == 0 ? absl::OkStatus() : Failed();
  }
  absl::Status Finish() override {
    if (absl::Status status = Add(""); !status.ok()) return status;
    if (fsync(descriptor_) != 0) return Failed();
    close(std::exchange(descriptor_, -1));
    std::error_code error;
    fs::rename(unfinished_, file_, error);
    if (error) return absl::UnavailableError(fmt::format("{}: cannot be renamed ({})", unfinished_, error.message()));
    return SyncFolder(fs::path(file_).parent_path());
  }
  absl::Status Append(std::string_view bytes) {
    unsynced_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed();
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Failed() const {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    const std::string why = fmt::format("{}: cannot be written ({})", unfinished_, std::strerror(errno));
    return full ? absl::ResourceExhaustedError(why) : absl::UnavailableError(why);
  }

  const std::string file_, unfinished_;
  int descriptor_;
  uint64_t frames_ = 0;
  size_t unsynced_ = 0;
};

// Frames of a file, one after the other.
class FrameReader {
 public:
  FrameReader(const PageFile& file, const std::string& name) : file_(file), name_(name) {}

  // Empty: the last one, and the file ends there.
  absl::StatusOr<std::string> Next() {
    FrameHead head;
    const std::string head_bytes = file_.Read(at_, kFrameHead);
    ArchiveReader archive(head_bytes);
    archive(head);
    at_ += static_cast<int64_t>(kFrameHead);
    if (!archive.ok() || head.size > file_.size() - at_) return Damaged("is cut short");
    std::string bytes = file_.Read(at_, head.size);
    at_ += static_cast<int64_t>(head.size);
    if (bytes.size() != head.size) return Damaged("cannot be read");
    const FrameHead expected = HeadOf(number_, bytes);
    if (head.crc32 != expected.crc32) return Damaged("does not fit its checksum");
    ++number_;
    if (bytes.empty() && at_ != file_.size()) return Damaged("is the last, and more follows");
    return bytes;
  }
  absl::Status Damaged(std::string_view what) const {
    return absl::DataLossError(fmt::format("{}: damaged: piece {} {}", name_, number_, what));
  }

 private:
  const PageFile& file_;
  const std::string& name_;
  int64_t at_ = static_cast<int64_t>(kMagic.size());
  uint64_t number_ = 0;
};

}  // namespace

SnapshotFile::SnapshotFile(const std::string& directory, std::string build)
    : file_(fs::path(directory) / "journal.snapshot"), build_(std::move(build)) {}

std::string SnapshotFile::ThisBuild() {
  std::string results;
  ArchiveWriter archive(results);
  for (int i = 1; i <= 500; ++i) {
    const double x = 0.01237 * i;
    archive(std::exp(-x), std::exp2(x), std::log(x), std::pow(x, 0.7), std::sin(x), std::log1p(x), std::hypot(x, 1));
  }
  return fmt::format("{} {:016x}", FoldDigest(), StableHash(results));
}

absl::StatusOr<std::unique_ptr<SnapshotStore::Writing>> SnapshotFile::Write(const SnapshotOf& of) {
  const std::string unfinished = file_ + ".new";
  const int descriptor = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return absl::UnavailableError(fmt::format("{}: cannot be made ({})", unfinished, std::strerror(errno)));
  }
  auto writing = std::make_unique<FileWriting>(file_, descriptor);
  std::string title;
  ArchiveWriter archive(title);
  archive(kFormat, build_, of);
  if (absl::Status status = writing->Append(kMagic); !status.ok()) return status;
  if (absl::Status status = writing->Add(title); !status.ok()) return status;
  return writing;
}

absl::Status SnapshotFile::Read(absl::FunctionRef<absl::Status(const SnapshotOf&)> accept,
                                absl::FunctionRef<absl::Status(std::string_view)> take) {
  const absl::StatusOr<PageFile> file = PageFile::Open(file_);
  if (!file.ok()) return file.status();
  if (file->Read(0, kMagic.size()) != kMagic) {
    return absl::DataLossError(fmt::format("{}: damaged: it does not begin as a snapshot does", file_));
  }
  FrameReader frames(*file, file_);
  absl::StatusOr<std::string> bytes = frames.Next();
  if (!bytes.ok()) return bytes.status();
  Title title;
  ArchiveReader archive(*bytes);
  archive(title.format);
  if (archive.ok() && title.format == kFormat) archive(title.build, title.of);
  if (!archive.ok()) return frames.Damaged("holds no title");
  if (title.format != kFormat || title.build != build_) {
    return absl::FailedPreconditionError(fmt::format("{}: another build of curvecast wrote it", file_));
  }
  if (absl::Status status = accept(title.of); !status.ok()) {
    return absl::Status(status.code(), fmt::format("{}: {}", file_, std::string(status.message())));
  }
  while (true) {
    bytes = frames.Next();
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) return absl::OkStatus();
    if (absl::Status status = take(*bytes); !status.ok()) {
      return absl::Status(status.code(), fmt::format("{}: {}", file_, std::string(status.message())));
    }
  }
}

}  // namespace curvecast
