// The part of Answers that is about flags.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/convert/flag_convert.h"
#include "daemon/query/answers.h"
#include "daemon/query/refusals.h"

namespace curvecast {
namespace {

constexpr size_t kMaxBy = 128;
constexpr size_t kMaxNote = 1024;
constexpr double kMaxSilenceSeconds = 365.0 * 86400;

// Where a page ended: the flag with this number of this run. As a token "project/run_id/number".
struct PageEnd {
  RunKey key;
  int64_t number = 0;
};

std::string TokenOf(const PageEnd& end_of_page) {
  return absl::StrCat(end_of_page.key.project, "/", end_of_page.key.run_id, "/", end_of_page.number);
}

absl::StatusOr<PageEnd> EndOfPage(const std::string& token) {
  const size_t first = token.find('/');
  const size_t last = token.rfind('/');
  if (first != std::string::npos && first != last) {
    PageEnd end_of_page{{token.substr(0, first), token.substr(first + 1, last - first - 1)}, 0};
    const char* end = token.data() + token.size();
    const auto [at, error] = std::from_chars(token.data() + last + 1, end, end_of_page.number);
    if (error == std::errc() && at == end) return end_of_page;
  }
  return BadPageToken(token);
}

bool Matches(const v1::GetFlagsRequest& request, const RunKey& key) {
  return (request.project().empty() || request.project() == key.project) &&
         (request.run_id().empty() || request.run_id() == key.run_id);
}

bool Matches(const v1::GetFlagsRequest& request, const BookedFlag& flag, int64_t now) {
  return (!request.active_only() || flag.ShownAt(now)) && ToProto(flag.flag.severity) >= request.at_least();
}

absl::Status Check(const v1::GetFlagsRequest& request) {
  if (!v1::Flag::Severity_IsValid(request.at_least())) {
    return absl::InvalidArgumentError(absl::StrCat("at_least: is ", static_cast<int>(request.at_least()),
                                                   "; write INFO, WARNING or CRITICAL, or leave it out"));
  }
  return CheckPageSize(request.page_size());
}

// Of AcknowledgeFlagRequest and SilenceFlagRequest alike.
template <typename Request>
absl::StatusOr<FlagHandled> ToHandled(const Request& request) {
  if (request.number() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("number: is ", request.number(), "; write a flag's number, from 1: GetFlags has them"));
  }
  if (request.by().empty() || request.by().size() > kMaxBy) {
    return absl::InvalidArgumentError(
        absl::StrCat("by: has ", request.by().size(), " bytes; say who you are, in 1 to ", kMaxBy));
  }
  if (request.note().size() > kMaxNote) {
    return absl::InvalidArgumentError(
        absl::StrCat("note: has ", request.note().size(), " bytes; write at most ", kMaxNote));
  }
  return FlagHandled{request.number(), request.by(), request.note(), std::nullopt};
}

}  // namespace

absl::StatusOr<v1::GetFlagsResponse> Answers::GetFlags(const v1::GetFlagsRequest& request) const {
  if (absl::Status status = Check(request); !status.ok()) return status;
  const std::shared_ptr<const Board> board = boards_.Get();
  if (board->replaying) return Replaying();
  const RunKey asked{request.project(), request.run_id()};
  if (!asked.project.empty() && !asked.run_id.empty() && board->Find(asked) == nullptr) return NoSuchRun(asked);
  PageEnd after;
  if (!request.page_token().empty()) {
    absl::StatusOr<PageEnd> end_of_page = EndOfPage(request.page_token());
    if (!end_of_page.ok()) return end_of_page.status();
    after = *std::move(end_of_page);
  }
  const int page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  const int64_t now = clock_.NowUnixMicros();
  v1::GetFlagsResponse response;
  for (const std::shared_ptr<const RunView>& run : board->runs) {
    const RunKey& key = run->spec->key;
    if (key < after.key || !Matches(request, key)) continue;
    for (const BookedFlag& flag : *run->flags) {
      if ((key == after.key && flag.number <= after.number) || !Matches(request, flag, now)) continue;
      if (response.flags_size() == page_size) {
        const v1::RunFlag& last = response.flags(page_size - 1);
        response.set_next_page_token(TokenOf({{last.project(), last.run_id()}, last.flag().number()}));
        return response;
      }
      v1::RunFlag& out = *response.add_flags();
      out.set_project(key.project);
      out.set_run_id(key.run_id);
      *out.mutable_flag() = ToProto(flag);
    }
  }
  return response;
}

void Answers::AcknowledgeFlag(const v1::AcknowledgeFlagRequest& request,
                              std::function<void(absl::StatusOr<v1::Flag>)> done) const {
  absl::StatusOr<FlagHandled> handled = ToHandled(request);
  if (!handled.ok()) return done(handled.status());
  Handle({request.project(), request.run_id()}, *std::move(handled), std::move(done));
}

void Answers::SilenceFlag(const v1::SilenceFlagRequest& request,
                          std::function<void(absl::StatusOr<v1::Flag>)> done) const {
  absl::StatusOr<FlagHandled> handled = ToHandled(request);
  if (!handled.ok()) return done(handled.status());
  if (!(request.seconds() >= 0 && request.seconds() <= kMaxSilenceSeconds)) {
    return done(absl::InvalidArgumentError(
        absl::StrCat("seconds: is ", request.seconds(),
                     "; write for how long, at most 365 days (31536000), or 0 to end a silence")));
  }
  handled->silenced_until = clock_.NowUnixMicros() + static_cast<int64_t>(request.seconds() * 1e6);
  Handle({request.project(), request.run_id()}, *std::move(handled), std::move(done));
}

void Answers::Handle(RunKey key, FlagHandled handled, std::function<void(absl::StatusOr<v1::Flag>)> done) const {
  if (boards_.Get()->replaying) return done(Replaying());
  auto answer = [done](const absl::StatusOr<BookedFlag>& flag) {
    if (!flag.ok()) return done(flag.status());
    done(ToProto(*flag));
  };
  const Event event{clock_.NowUnixMicros(), std::move(key), std::move(handled)};
  if (!inbox_.Push(Handling{event, std::move(answer)})) done(TooManyQuestions());
}

}  // namespace curvecast
