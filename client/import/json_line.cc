#include "client/import/json_line.h"

#include <google/protobuf/util/json_util.h>

#include <string_view>

namespace curvecast {
namespace {

constexpr size_t kMaxQuoted = 200;  // Bytes of somebody else's text in a message of ours.

// Protobuf's messages span lines and draw carets; a message of ours is one line of printable text.
std::string OneLine(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxQuoted)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool printable = byte >= 0x20 && byte < 0x7f;
    if (printable && !(c == ' ' && !out.empty() && out.back() == ' ')) {
      out += c;
    } else if (c == '\n') {
      out += ' ';
    } else if (!printable) {
      out += '?';
    }
  }
  return text.size() > kMaxQuoted ? out + "..." : out;
}

}  // namespace

absl::Status ParseJsonLine(const std::string& json, v1::RunFileLine& line) {
  const auto status = google::protobuf::util::JsonStringToMessage(json, &line);
  if (!status.ok()) {
    return absl::InvalidArgumentError("expected a JSON object of one run, points, rewind or end; " +
                                      OneLine(std::string_view(status.message().data(), status.message().size())));
  }
  if (line.line_case() == v1::RunFileLine::LINE_NOT_SET) {
    return absl::InvalidArgumentError("expected one of \"run\", \"points\", \"rewind\", \"end\"; found " +
                                      OneLine(json));
  }
  return absl::OkStatus();
}

}  // namespace curvecast
