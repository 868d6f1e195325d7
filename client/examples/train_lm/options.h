#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/cpp/reporter.h"
#include "client/examples/train_lm/model.h"
#include "client/examples/train_lm/schedule.h"

namespace curvecast::train_lm {

// What the command line says; the help text of each is in options.cc.
struct Options {
  std::string text = ".";
  Shape shape{
      .vocabulary = 0, .context = 8, .embedding = 16, .width = 64, .layers = 1, .activation = Activation::kGelu};
  RateSchedule rate{.peak = 5e-3, .warmup_steps = -1, .total_steps = 4000, .decay = Decay::kCosine};
  int batch = 1024;
  uint64_t seed = 1;
  int64_t report_every = 5;
  int64_t eval_every = 100;

  std::string project = "train_lm";
  std::string run_id;
  std::string family;
  std::string address;
  bool offline = false;
  std::string write_run_file;

  std::string save;
  int64_t save_every = 500;
  bool resume = false;

  std::optional<int64_t> break_rate_at;
  double break_rate_factor = 1;
  std::optional<int64_t> break_labels_at;
  std::optional<int64_t> break_nan_at;
  std::optional<int64_t> crash_at;
};

// Reads the command line. On a mistake, or for --help, says so and returns the exit status instead.
std::optional<int> ReadOptions(int argc, char** argv, Options& options);

// What the job declares of itself.
ReportedRun Describe(const Options& options, int64_t parameters);

}  // namespace curvecast::train_lm
