#include "daemon/store/tip_mark.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "fmt/format.h"

namespace curvecast {
namespace {

// Of one length, so that a newer one covers an older one; far below a sector, so that it is not torn.
std::string TextOf(int64_t id) {
  const std::string number = fmt::format("{:020}", id);
  const uLong checksum = crc32_z(0, reinterpret_cast<const Bytef*>(number.data()), number.size());
  return fmt::format("{} {:08x}\n", number, checksum);
}

}  // namespace

absl::StatusOr<int64_t> ParseTipMark(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c == 0; })) return 0;
  const int64_t id = std::strtoll(text.c_str(), nullptr, 10);
  if (id >= 0 && text == TextOf(id)) return id;
  return absl::DataLossError("is damaged: it does not fit its checksum");
}

absl::StatusOr<TipMark> TipMark::Open(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0 && (errno == ENOSPC || errno == EDQUOT)) {
    return absl::ResourceExhaustedError(
        fmt::format("{}: cannot be made ({}): free some space on its disk", file, std::strerror(errno)));
  }
  if (descriptor < 0) {
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be written ({}): give the daemon's user that right on it", file, std::strerror(errno)));
  }
  TipMark mark(descriptor, 0);
  std::string text(64, '\0');
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  if (size < 0) return absl::UnavailableError(fmt::format("{}: cannot be read ({})", file, std::strerror(errno)));
  text.resize(static_cast<size_t>(size));
  absl::StatusOr<int64_t> id = ParseTipMark(text);
  if (!id.ok()) {
    return absl::DataLossError(
        fmt::format("{}: {}; it says which event was acknowledged last: remove it to start without that check", file,
                    std::string(id.status().message())));
  }
  mark.acknowledged_ = *id;
  return mark;
}

TipMark::TipMark(TipMark&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), acknowledged_(other.acknowledged_) {}

TipMark::~TipMark() {
  if (descriptor_ >= 0) close(descriptor_);
}

void TipMark::Set(int64_t last_id) {
  const std::string text = TextOf(last_id);
  if (pwrite(descriptor_, text.data(), text.size(), 0) < 0) return;
  acknowledged_ = last_id;
}

}  // namespace curvecast
