#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "client/cli/exit_code.h"
#include "google/protobuf/message.h"

// The two ends of a command: what people see, and what scripts see.
namespace curvecast {

struct TerminalSize {
  size_t columns = 0;  // 0: stdout is no terminal.
  size_t rows = 0;
};
TerminalSize StdoutSize();

// True if the locale's character set is not UTF-8, so that braille would be rubbish.
bool LocaleIsAscii();

void Print(const std::string& text);  // To stdout, flushed.
void PrintJson(const google::protobuf::Message& message, bool one_line);
void Complain(const std::string& text);  // "curvecast: text" to stderr.

// Complains, and says which exit code that is.
ExitCode Fail(const absl::Status& status);

}  // namespace curvecast
