#include "client/cli/flags/flag_view.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "client/cli/printable.h"
#include "client/cli/table.h"

namespace curvecast {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return text;
}

// A newer daemon may say what this program has no name for.
std::string KindName(v1::Flag::Kind kind) {
  const std::string& name = v1::Flag::Kind_Name(kind);
  return name.empty() ? fmt::format("KIND_{}", static_cast<int>(kind)) : name;
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(time.seconds())));
}

bool IsSilenced(const v1::Flag& flag, int64_t now) { return flag.silenced_until().seconds() > now; }

std::string Said(const std::string& note) { return note.empty() ? "" : ": " + Printable(note); }

// "since step 1200", "step 1200, resolved at 1240 (superseded)".
std::string WhenText(const v1::Flag& flag) {
  if (flag.resolution() == v1::Flag::ACTIVE) return fmt::format("since step {}", flag.began_step());
  const std::string how =
      flag.resolution() == v1::Flag::RECOVERED ? "" : " (" + Lower(v1::Flag::Resolution_Name(flag.resolution())) + ")";
  return fmt::format("step {}, resolved at {}{}", flag.began_step(), flag.updated_at_step(), how);
}

// What became of it, in one or two words.
std::string StateText(const v1::Flag& flag, int64_t now) {
  if (flag.resolution() != v1::Flag::ACTIVE) return Lower(v1::Flag::Resolution_Name(flag.resolution()));
  if (flag.has_acknowledged_at()) return "acknowledged";
  return IsSilenced(flag, now) ? "silenced" : "active";
}

}  // namespace

std::string FlagName(const v1::Flag& flag) {
  return fmt::format("#{} {} {}", flag.number(), KindName(flag.kind()), v1::Flag::Severity_Name(flag.severity()));
}

std::string FlagNote(const v1::Flag& flag, int64_t now) {
  std::string note;
  if (flag.has_acknowledged_at()) note = "acknowledged by " + Printable(flag.acknowledged_by());
  if (IsSilenced(flag, now)) {
    note += (note.empty() ? "" : ", ") +
            fmt::format("silenced by {} until {}", Printable(flag.silenced_by()), TimeText(flag.silenced_until()));
  }
  return note.empty() ? "" : note + Said(flag.note());
}

std::string FlagText(const v1::Flag& flag, int64_t now) {
  const std::string note = FlagNote(flag, now);
  return fmt::format("{} {}: {}{}", FlagName(flag), WhenText(flag), Printable(flag.sentence()),
                     note.empty() ? "" : " [" + note + "]");
}

bool IsShown(const v1::Flag& flag, int64_t now) {
  return flag.resolution() == v1::Flag::ACTIVE && !flag.has_acknowledged_at() && !IsSilenced(flag, now);
}

std::string FlagsCell(const v1::RunSummary& run) {
  if (run.flags().empty()) return "";
  const std::string more = run.flags_size() > 1 ? fmt::format(" +{}", run.flags_size() - 1) : "";
  return KindName(run.flags(0).kind()) + more;
}

std::string ShownFlagsText(const v1::GetRunResponse& run, const ViewStyle& style) {
  std::vector<const v1::Flag*> shown;
  for (const v1::Flag& flag : run.flags()) {
    if (IsShown(flag, style.now_unix_seconds)) shown.push_back(&flag);
  }
  std::stable_sort(shown.begin(), shown.end(),
                   [](const v1::Flag* a, const v1::Flag* b) { return a->severity() > b->severity(); });
  std::string out;
  for (const v1::Flag* flag : shown)
    out += fmt::format("  {:<12}{}\n", "FLAG", FlagText(*flag, style.now_unix_seconds));
  return out;
}

std::string OtherFlagsText(const v1::GetRunResponse& run, const ViewStyle& style) {
  std::string out;
  for (const v1::Flag& flag : run.flags()) {
    if (!IsShown(flag, style.now_unix_seconds)) out += "  " + FlagText(flag, style.now_unix_seconds) + "\n";
  }
  return out.empty() ? "" : "\nFlags that are over, or that were seen:\n" + out;
}

std::string FlagTableText(const std::vector<v1::RunFlag>& flags, const ViewStyle& style) {
  if (flags.empty()) return "no flags\n";
  using enum Table::Align;
  Table table;
  table.columns = {{"project", kLeft, true}, {"run", kLeft, true}, {"#", kRight},    {"kind", kLeft},
                   {"severity", kLeft},      {"step", kRight},     {"state", kLeft}, {"what", kLeft, true}};
  for (const v1::RunFlag& row : flags) {
    const v1::Flag& flag = row.flag();
    table.rows.push_back({row.project(), row.run_id(), std::to_string(flag.number()), KindName(flag.kind()),
                          Lower(v1::Flag::Severity_Name(flag.severity())), std::to_string(flag.began_step()),
                          StateText(flag, style.now_unix_seconds), Printable(flag.sentence())});
  }
  return Render(table, style.width, style.ascii ? ".." : "…");
}

std::string AcknowledgedText(const std::string& run, const v1::Flag& flag) {
  return fmt::format("{} {} is acknowledged by {}.\n", run, FlagName(flag), Printable(flag.acknowledged_by()));
}

std::string SilencedText(const std::string& run, const v1::Flag& flag, int64_t now) {
  if (!IsSilenced(flag, now)) return fmt::format("{} {} is not silenced any more.\n", run, FlagName(flag));
  return fmt::format("{} {} is silenced by {} until {}.\n", run, FlagName(flag), Printable(flag.silenced_by()),
                     TimeText(flag.silenced_until()));
}

}  // namespace curvecast
