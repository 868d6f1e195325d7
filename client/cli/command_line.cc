#include "client/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <sstream>

#include "client/cli/flags/flag_options.h"
#include "client/cli/terminal.h"

#ifndef CURVECAST_VERSION
#define CURVECAST_VERSION "unknown"
#endif

namespace curvecast {
namespace {

constexpr char kAbout[] =
    "Looks at the training runs that a curvecastd holds, and feeds it run files.\n"
    "RUN is project/run_id, or the run id alone if no other project has it.";

constexpr char kFooter[] =
    "Examples:\n"
    "  curvecast runs                          what is there, with forecasts\n"
    "  curvecast show demo/seed1               one run and its curve\n"
    "  curvecast forecast seed1 --decay linear what if it decayed from here\n"
    "  curvecast flags --active                what is wrong now\n"
    "  curvecast import runs/                  take in a folder of run files\n"
    "`curvecast COMMAND --help` says more.\n\n"
    "Exit codes: 0 done; 1 something broke; 2 the command line is wrong; 3 no daemon answers;\n"
    "            4 no such run or file; 5 some input was refused, the rest was taken.";

void AddCommonOptions(CLI::App& app, CommonOptions& common) {
  app.add_option("--address", common.address, "HOST:PORT of the daemon, or tls://HOST:PORT")
      ->envname("CURVECAST_ADDRESS")
      ->default_str("127.0.0.1:7461");
  app.add_option_function<std::string>(
         "-o,--output",
         [&common](const std::string& format) {
           common.output = format == "json" ? OutputFormat::kJson : OutputFormat::kTable;
         },
         "table, for people (the default), or json, for programs")
      ->check(CLI::IsMember({"table", "json"}))
      ->option_text("table|json");
  app.add_flag("--ascii", common.ascii, "No braille and no box drawing");
}

// The commands and what they read into, which must outlive the parsing.
struct Commands {
  RunsCommand runs;
  ShowCommand show;
  WatchCommand watch;
  ForecastCommand forecast;
  PushCommand push;
  ImportCommand import;
  BacktestCommand backtest;
  PriorTrainCommand prior_train;
  LawsCommand laws;
  FlagCommandTexts flags;
};

void AddViewCommands(CLI::App& app, Commands& commands) {
  CLI::App* runs = app.add_subcommand("runs", "List the runs: where they are, and where they will end");
  runs->add_option("--project", commands.runs.project, "Only this project's");
  runs->footer("Example:\n  curvecast runs --project demo -o json");

  CLI::App* show = app.add_subcommand("show", "Show one run: facts, forecast, what was forecast before, the curve");
  show->add_option("RUN", commands.show.run, "project/run_id, or the run id alone")->required();
  show->add_option("--metric", commands.show.metric, "Draw this metric instead of the objective");
  show->add_option("--svg", commands.show.svg, "Draw the run, with its flags, into this file instead; - is stdout");
  show->footer(
      "Examples:\n  curvecast show demo/seed1 --metric eval/loss\n  curvecast show demo/seed1 --svg seed1.svg");

  CLI::App* watch = app.add_subcommand("watch", "Follow the runs, or one run until it ends");
  watch->add_option("RUN", commands.watch.run, "project/run_id, or the run id alone; all runs without it");
  watch->footer(
      "On a terminal the page is drawn anew; elsewhere each change is a line.\n\nExample:\n  curvecast watch seed1");
}

// A step or "now".
std::string CheckStart(const std::string& text) {
  int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (text == "now" || (error == std::errc() && end == text.data() + text.size() && step >= 0)) return "";
  return "\"" + text + "\" is no step; write a whole number, or now";
}

void AddForecastCommand(CLI::App& app, Commands& commands) {
  ForecastOptions& options = commands.forecast.options;
  CLI::App* forecast =
      app.add_subcommand("forecast", "What if: where a run would end under another total or another decay");
  forecast->add_option("RUN", commands.forecast.run, "project/run_id, or the run id alone")->required();
  forecast->add_option("--total-steps", options.total_steps, "The step at which it would end")
      ->check(CLI::PositiveNumber);
  CLI::Option* decay =
      forecast
          ->add_option("--decay", options.decay,
                       "Hold the present rate up to --decay-from, then fall like this; none: hold it to the end")
          ->check(CLI::IsMember({"cosine", "linear", "exponential", "one-minus-sqrt", "none"}))
          ->option_text("cosine|linear|exponential|one-minus-sqrt|none");
  forecast->add_option("--decay-from", options.decay_from, "The step at which the fall begins (default: now)")
      ->check(CheckStart)
      ->needs(decay)
      ->option_text("STEP|now");
  forecast
      ->add_option("--final-lr", options.final_lr,
                   "The rate at the end (default: as planned if that is below the present rate, else 0)")
      ->needs(decay);
  forecast->footer(
      "What was trained stays as it was. --total-steps alone stretches the rest of the planned schedule. Without any\n"
      "of these the run is forecast as planned.\n\n"
      "Examples:\n  curvecast forecast seed1 --decay linear          what if I decay from here\n"
      "  curvecast forecast seed1 --total-steps 8000     what if I train twice as long");
}

void AddFeedCommands(CLI::App& app, Commands& commands) {
  CLI::App* push = app.add_subcommand("push", "Replay one run file as if a job reported it");
  push->add_option("FILE", commands.push.options.file, "A run file; - reads stdin and follows it")->required();
  push->add_option("--rate", commands.push.options.points_per_second,
                   "Points per second; without it as fast as it goes")
      ->check(CLI::PositiveNumber);
  push->footer(
      "Examples:\n  curvecast push run.jsonl --rate 50\n  tail -n +1 -f run.jsonl | curvecast push -\n"
      "A daemon that restarts meanwhile is waited for.");

  CLI::App* import = app.add_subcommand("import", "Take in run files, or all *.jsonl below folders");
  import->add_option("PATH", commands.import.paths, "Run files and folders")->required();
  import->footer(
      "A file that breaks off is taken up to there; the fault is named as file:line. A run that is already there\nis "
      "replaced from its first imported step on.\n\nExample:\n  curvecast import runs/ extra.jsonl");
}

void AddBacktestCommand(CLI::App& app, Commands& commands) {
  BacktestArguments& arguments = commands.backtest.arguments;
  CLI::App* backtest =
      app.add_subcommand("backtest", "Forecast finished runs from their first part, and compare; needs no daemon");
  backtest->add_option("PATH", arguments.paths, "Run files and folders")->required();
  backtest->add_option("--at", arguments.fractions, "Shares of the run to forecast from")->capture_default_str();
  backtest
      ->add_option("--history", arguments.history,
                   "What the forecast may lean on: none; project, the finished runs of its project but of other\n"
                   "families; family:K, those and K finished siblings. Never the run itself")
      ->capture_default_str();
  backtest->add_option("--history-runs", arguments.history_runs,
                       "Run files and folders of finished runs to lean on, besides those of PATH");
  backtest->add_option("--prior", arguments.prior_file, "A prior in its text form instead of the shipped one");
  backtest->add_option("--threads", arguments.threads, "0: one for each core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  backtest->footer(
      "The table counts a run from where it has 4 points on.\n\n"
      "Examples:\n  curvecast backtest runs/ --at 0.2,0.5,0.8 -o json\n  curvecast backtest runs/ --history family:10");
}

void AddPriorCommand(CLI::App& app, Commands& commands) {
  PriorTrainArguments& arguments = commands.prior_train.arguments;
  CLI::App* prior = app.add_subcommand("prior", "What forecasts know before a run's first point; needs no daemon");
  prior->require_subcommand(1);
  CLI::App* train = prior->add_subcommand("train", "Learn a prior from finished runs, each project a source");
  train->add_option("PATH", arguments.paths, "Run files and folders")->required();
  train->add_option("-o,--out", arguments.output_file, "The file to write; - is stdout")->required();
  train->add_option("--leave-out", arguments.leave_out, "A project that the prior must not see")
      ->allow_extra_args(false);
  train
      ->add_option("--apart", arguments.apart,
                   "A project of another sort, such as vision beside language: it stays out of what the\n"
                   "others have in common")
      ->allow_extra_args(false);
  train->add_flag("--no-intervals", arguments.no_intervals, "Quick: do not learn how wide intervals have to be");
  train->add_option("--threads", arguments.threads, "0: one for each core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  train->footer("Example:\n  curvecast prior train runs/ -o prior.txt && curvecast backtest other/ --prior prior.txt");
}

void AddLawsCommand(CLI::App& app, Commands& commands) {
  LawsArguments& arguments = commands.laws.arguments;
  CLI::App* laws =
      app.add_subcommand("laws", "Fit the scaling laws of a project's finished runs, beside the published ones");
  auto* project = laws->add_option("PROJECT", arguments.project, "A project that the daemon has runs of");
  laws->add_option("--runs", arguments.files, "Run files and folders instead; needs no daemon")->excludes(project);
  laws->add_flag("--check", arguments.check,
                 "Leave out each size and length, then each size, and foretell its final losses");
  laws->footer(
      "L(N, D) needs runs that declare parameters and tokensPerStep, L(N, S) parameters; what the runs do not "
      "identify\n"
      "is said so, with the reason.\n\nExamples:\n  curvecast laws demo\n  curvecast laws --runs runs/ -o json");
}

// CLI11 only says that a command is missing.
std::string UnknownCommand(const CLI::App& app) {
  if (!app.get_subcommands().empty()) return "";
  for (const std::string& word : app.remaining()) {
    if (word.rfind("-", 0) != 0) return word;
  }
  return "";
}

}  // namespace

ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments) {
  CommandLine line;
  line.common.address = "127.0.0.1:7461";
  Commands commands;
  CLI::App app(kAbout, "curvecast");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("curvecast ") + CURVECAST_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // --address may stand after the command too.
  AddCommonOptions(app, line.common);
  AddViewCommands(app, commands);
  AddForecastCommand(app, commands);
  AddFeedCommands(app, commands);
  AddBacktestCommand(app, commands);
  AddPriorCommand(app, commands);
  AddLawsCommand(app, commands);
  AddFlagCommands(app, commands.flags);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // As CLI11 wants it.
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (const std::string unknown = UnknownCommand(app); !unknown.empty()) {
      return {std::nullopt, "there is no command \"" + unknown + "\"; `curvecast --help` lists those there are\n",
              ExitCode::kUsage};
    }
    std::ostringstream out;
    const int code = app.exit(error, out, out);
    return {std::nullopt, out.str(), code == 0 ? ExitCode::kOk : ExitCode::kUsage};
  }
  line.common.ascii |= LocaleIsAscii();
  if (app.got_subcommand("runs")) line.command = commands.runs;
  if (app.got_subcommand("show")) line.command = commands.show;
  if (app.got_subcommand("watch")) line.command = commands.watch;
  if (app.got_subcommand("forecast")) line.command = commands.forecast;
  if (app.got_subcommand("push")) line.command = commands.push;
  if (app.got_subcommand("import")) line.command = commands.import;
  if (app.got_subcommand("backtest")) line.command = commands.backtest;
  if (app.got_subcommand("prior")) line.command = commands.prior_train;
  if (app.got_subcommand("laws")) line.command = commands.laws;
  if (app.got_subcommand("flags")) line.command = FlagsCommand{commands.flags.flags};
  if (app.got_subcommand("ack")) line.command = AckCommand{commands.flags.ack};
  if (app.got_subcommand("silence")) line.command = SilenceCommand{commands.flags.silence, commands.flags.silence_for};
  return {line, "", ExitCode::kOk};
}

}  // namespace curvecast
