#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/run_view.h"
#include "curvecast/v1/query.pb.h"

// What the daemon says of flags, as text. Pure: the time comes in.
namespace curvecast {

// "#3 SPIKE WARNING": how people call it.
std::string FlagName(const v1::Flag& flag);

// "#3 SPIKE WARNING since step 1200: ..." or "#3 SPIKE WARNING step 1200, resolved at 1240: ...", then what people did
// with it.
std::string FlagText(const v1::Flag& flag, int64_t now_unix_seconds);

// What people did with it and what they said: "acknowledged by ada: looks fine". Empty if nothing is in force.
std::string FlagNote(const v1::Flag& flag, int64_t now_unix_seconds);

// True if it is shown as a flag of its run: neither resolved nor acknowledged nor silenced.
bool IsShown(const v1::Flag& flag, int64_t now_unix_seconds);

// The gravest of a run's active flags and how many more there are: "DIVERGENCE +2"; empty if there is none.
std::string FlagsCell(const v1::RunSummary& run);

// Of one run, a line each: those that are shown, as facts; all others under a title. Empty if there are none.
std::string ShownFlagsText(const v1::GetRunResponse& run, const ViewStyle& style);
std::string OtherFlagsText(const v1::GetRunResponse& run, const ViewStyle& style);

// A row a flag.
std::string FlagTableText(const std::vector<v1::RunFlag>& flags, const ViewStyle& style);

// What a person did, in one sentence with a newline: "demo/a #3 SPIKE WARNING is acknowledged by ada."
std::string AcknowledgedText(const std::string& run, const v1::Flag& flag);
std::string SilencedText(const std::string& run, const v1::Flag& flag, int64_t now_unix_seconds);

}  // namespace curvecast
