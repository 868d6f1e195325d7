#include "daemon/query/refusals.h"

#include "absl/strings/str_cat.h"
#include "daemon/query/answers.h"

namespace curvecast {

absl::Status Replaying() { return absl::UnavailableError("the journal is still being read; try again in a moment"); }

absl::Status TooManyQuestions() {
  return absl::UnavailableError("too many questions are waiting, or the daemon is stopping; try again in a moment");
}

absl::Status NoSuchRun(const RunKey& key) {
  return absl::NotFoundError(absl::StrCat("no run \"", key.run_id, "\" in project \"", key.project, "\""));
}

absl::Status BadPageToken(const std::string& token) {
  return absl::InvalidArgumentError(
      absl::StrCat("page_token: is \"", token, "\"; pass next_page_token of the answer before"));
}

absl::Status CheckPageSize(int page_size) {
  if (page_size >= 0 && page_size <= Answers::kMaxPageSize) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("page_size: is ", page_size, "; write 1 to ", Answers::kMaxPageSize,
                                                 ", or 0 for ", Answers::kDefaultPageSize));
}

}  // namespace curvecast
