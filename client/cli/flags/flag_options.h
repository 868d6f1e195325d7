#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "client/cli/commands.h"

namespace curvecast {

// What `flags`, `ack` and `silence` read into; must outlive the parsing.
struct FlagCommandTexts {
  FlagsArguments flags;
  FlagAnswer ack;
  FlagAnswer silence;
  std::string silence_for;
};

void AddFlagCommands(CLI::App& app, FlagCommandTexts& texts);

}  // namespace curvecast
