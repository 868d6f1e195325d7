#include "client/examples/train_lm/options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "fmt/format.h"

namespace curvecast::train_lm {
namespace {

const std::map<std::string, Decay> kDecays = {
    {"cosine", Decay::kCosine}, {"linear", Decay::kLinear}, {"constant", Decay::kConstant}, {"wsd", Decay::kWsd}};
const std::map<std::string, Activation> kActivations = {{"gelu", Activation::kGelu}, {"tanh", Activation::kTanh}};

void AddTraining(CLI::App& app, Options& options) {
  app.add_option("--text", options.text, "A text file, or a folder whose sources and pages are the text")
      ->capture_default_str();
  app.add_option("--width", options.shape.width, "Units of each hidden layer")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--layers", options.shape.layers, "Hidden layers")->check(CLI::Range(1, 8))->capture_default_str();
  app.add_option("--context", options.shape.context, "Characters seen before the one that is predicted")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--embedding", options.shape.embedding, "Numbers per character")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--activation", options.shape.activation, "gelu or tanh")
      ->transform(CLI::CheckedTransformer(kActivations));
  app.add_option("--steps", options.rate.total_steps, "Length of the run")
      ->check(CLI::Range(100, 10000000))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Samples of one step")->check(CLI::Range(1, 65536))->capture_default_str();
  app.add_option("--peak-rate", options.rate.peak, "Highest learning rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warmup", options.rate.warmup_steps, "Steps of warm-up (default: 2 % of the run)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--schedule", options.rate.decay, "cosine, linear, constant or wsd (default: cosine)")
      ->transform(CLI::CheckedTransformer(kDecays));
  app.add_option("--seed", options.seed, "Of the weights and of the order of the text")->capture_default_str();
}

void AddReporting(CLI::App& app, Options& options) {
  app.add_option("--project", options.project)->capture_default_str();
  app.add_option("--run-id", options.run_id, "Default: width, schedule, rate and seed");
  app.add_option("--family", options.family, "Runs that should look alike (default: all of this size and length)");
  app.add_option("--address", options.address,
                 "host:port of curvecastd (default: $CURVECAST_ADDRESS, else 127.0.0.1:7461)");
  app.add_flag("--offline", options.offline, "Report to nobody");
  app.add_option("--write-run-file", options.write_run_file,
                 "Write the run as JSON Lines too (a resumed run is appended)");
  app.add_option("--report-every", options.report_every, "Steps whose mean loss is one point of train/loss")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--eval-every", options.eval_every, "Steps between two points of eval/loss")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
}

void AddCheckpoints(CLI::App& app, Options& options) {
  app.add_option("--save", options.save, "Keep a checkpoint in this file");
  app.add_option("--save-every", options.save_every, "Steps between two checkpoints; a multiple of --report-every")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  app.add_flag("--resume", options.resume, "Go on from the checkpoint of --save");
}

void AddFaults(CLI::App& app, Options& options, std::string& break_rate) {
  app.add_option("--break-rate", break_rate, "STEP:FACTOR, the learning rate is multiplied from this step on");
  app.add_option("--break-labels", options.break_labels_at, "From this step on the answers of a batch are shuffled");
  app.add_option("--break-nan", options.break_nan_at, "At this step one weight becomes NaN");
  app.add_option("--crash-at", options.crash_at, "After this step the process dies without a word (exit status 3)");
}

// True if `text` is STEP:FACTOR.
bool ReadBreakRate(const std::string& text, Options& options) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return false;
  int64_t step = 0;
  if (!CLI::detail::lexical_cast(text.substr(0, colon), step)) return false;
  options.break_rate_at = step;
  return CLI::detail::lexical_cast(text.substr(colon + 1), options.break_rate_factor);
}

std::string Complaint(const Options& options, const std::string& break_rate_problem) {
  if (!break_rate_problem.empty()) {
    return fmt::format("--break-rate: \"{}\" is not STEP:FACTOR, such as 2000:100", break_rate_problem);
  }
  if (options.save_every % options.report_every != 0) {
    return fmt::format("--save-every {}: not a multiple of --report-every {}", options.save_every,
                       options.report_every);
  }
  if (options.resume && options.save.empty()) return "--resume: name the checkpoint with --save FILE";
  if (options.rate.warmup_steps >= options.rate.total_steps) return "--warmup: not shorter than the run (--steps)";
  return "";
}

}  // namespace

std::optional<int> ReadOptions(int argc, char** argv, Options& options) {
  CLI::App app("train_lm: trains a small character-level language model and reports its curve to curvecastd");
  std::string break_rate;
  AddTraining(app, options);
  AddReporting(app, options);
  AddCheckpoints(app, options);
  AddFaults(app, options, break_rate);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.rate.warmup_steps < 0) options.rate.warmup_steps = options.rate.total_steps / 50;
  const bool bad_break_rate = !break_rate.empty() && !ReadBreakRate(break_rate, options);
  const std::string complaint = Complaint(options, bad_break_rate ? break_rate : "");
  if (!complaint.empty()) {
    std::cerr << complaint << "\n";
    return 2;
  }
  return std::nullopt;
}

ReportedRun Describe(const Options& options, int64_t parameters) {
  std::string schedule;
  for (const auto& [name, decay] : kDecays) {
    if (decay == options.rate.decay) schedule = name;
  }
  ReportedRun run;
  run.project = options.project;
  run.run_id = options.run_id;
  if (run.run_id.empty()) {
    run.run_id = fmt::format("w{}_{}_lr{:g}_s{}", options.shape.width, schedule, options.rate.peak, options.seed);
  }
  run.family = options.family;
  if (run.family.empty()) {
    run.family = fmt::format("{}/w{}x{}/{}", options.project, options.shape.width, options.shape.layers,
                             options.rate.total_steps);
  }
  run.total_steps = options.rate.total_steps;
  run.parameters = static_cast<double>(parameters);
  run.tokens_per_step = options.batch;
  run.schedule = options.rate.Reported();
  run.labels = {{"optimizer", "adam"}, {"schedule", schedule}, {"seed", std::to_string(options.seed)}};
  return run;
}

}  // namespace curvecast::train_lm
