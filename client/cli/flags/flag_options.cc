#include "client/cli/flags/flag_options.h"

#include "client/cli/duration.h"

namespace curvecast {
namespace {

void AddFlags(CLI::App& app, FlagsArguments& arguments) {
  CLI::App* flags = app.add_subcommand(
      "flags", "How runs have left the law: what the daemon has flagged, or what it would flag in run files");
  CLI::Option* path = flags->add_option("PATH", arguments.paths, "Run files and folders to replay; needs no daemon");
  CLI::Option* project = flags->add_option("--project", arguments.project, "Only this project's");
  project->excludes(path);
  flags->add_option("--run", arguments.run, "Only this run's: project/run_id, or the run id alone")
      ->excludes(path)
      ->excludes(project);
  flags->add_flag("--active", arguments.active, "Leave out what is resolved, acknowledged or silenced");
  flags->add_option("--at-least", arguments.at_least, "Leave out what is less grave")
      ->check(CLI::IsMember({"info", "warning", "critical"}))
      ->option_text("info|warning|critical");
  flags->add_option("--svg", arguments.svg, "Draw the replayed run, with its flags, into this file; - is stdout")
      ->needs(path);
  flags
      ->add_option("--false-alarms", arguments.false_alarms,
                   "A replay has no times: mean points between two false alarms")
      ->needs(path)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  flags
      ->add_option("--history-runs", arguments.history_runs,
                   "Finished runs that a replayed run of their project leans on, as it would in the daemon")
      ->needs(path);
  flags->add_option("--threads", arguments.threads, "0: one for each core")
      ->needs(path)
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  flags->footer(
      "Examples:\n  curvecast flags --active --at-least warning    what is wrong now\n"
      "  curvecast flags --run demo/seed1 -o json       all that was flagged in one run\n"
      "  curvecast flags runs/ -o json                  what would be flagged in run files\n"
      "  curvecast flags new.jsonl --history-runs old/  ... by a watch that knows the runs of old/");
}

void AddAnswer(CLI::App& command, FlagAnswer& answer) {
  command.add_option("RUN", answer.run, "project/run_id, or the run id alone")->required();
  command.add_option("NUMBER", answer.number, "The flag's number within the run, as `curvecast flags` shows it")
      ->required()
      ->check(CLI::PositiveNumber);
  command.add_option("--note", answer.note, "Why, for those who look later");
  command.add_option("--by", answer.by, "Who")->envname("USER");
}

std::string CheckDuration(const std::string& text) {
  const auto seconds = ParseDuration(text);
  return seconds.ok() ? "" : std::string(seconds.status().message());
}

}  // namespace

void AddFlagCommands(CLI::App& app, FlagCommandTexts& texts) {
  AddFlags(app, texts.flags);
  CLI::App* ack = app.add_subcommand("ack", "Say that a flag was seen: it stays on record and is shown no more");
  AddAnswer(*ack, texts.ack);
  ack->footer("Example:\n  curvecast ack demo/seed1 3 --note \"the data loader was restarted\"");
  CLI::App* silence = app.add_subcommand("silence", "Hide a flag for a time, although it is active");
  AddAnswer(*silence, texts.silence);
  silence->add_option("--for", texts.silence_for, "How long from now on; 0 ends a silence")
      ->required()
      ->check(CheckDuration)
      ->option_text("90s|30m|2h|1d");
  silence->footer("Examples:\n  curvecast silence demo/seed1 3 --for 2h\n  curvecast silence demo/seed1 3 --for 0");
}

}  // namespace curvecast
