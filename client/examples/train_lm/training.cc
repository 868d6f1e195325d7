#include "client/examples/train_lm/training.h"

#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>
#include <utility>

#include "client/examples/train_lm/adam.h"
#include "client/examples/train_lm/checkpoint.h"
#include "client/examples/train_lm/random.h"
#include "client/examples/train_lm/recorder.h"
#include "fmt/format.h"

namespace curvecast::train_lm {
namespace {

constexpr int kHeldOutSamples = 2048;
constexpr int kCrashStatus = 3;

bool From(const std::optional<int64_t>& start, int64_t step) { return start && step >= *start; }

// Fisher and Yates: every answer stays in the batch, but beside another question.
void Shuffle(Eigen::VectorXi& target, uint64_t seed) {
  Random random(seed);
  for (Eigen::Index i = target.size() - 1; i > 0; --i) {
    std::swap(target(i), target(static_cast<Eigen::Index>(random.Below(static_cast<uint64_t>(i) + 1))));
  }
}

// One training job: what ten lines of it look like is Run().
class Job {
 public:
  Job(const Options& options, const Corpus& corpus, Model<float>& model, Adam& adam, Recorder& recorder)
      : options_(options),
        corpus_(corpus),
        model_(model),
        adam_(adam),
        recorder_(recorder),
        held_out_(corpus.HeldOutBatch(kHeldOutSamples)) {}

  absl::Status Run(int64_t resumed_from) {
    double sum = 0;
    for (int64_t step = resumed_from + 1; step <= options_.rate.total_steps; ++step) {
      sum += TakeStep(step);
      if (step % options_.report_every == 0) {
        const double loss = std::exchange(sum, 0.0) / static_cast<double>(options_.report_every);
        recorder_.Log(step, "train/loss", loss);
        recorder_.Log(step, "lr", Rate(step));
        Remember(step, loss);
      }
      if (step % options_.eval_every == 0 || step == options_.rate.total_steps) Evaluate(step);
      if (!options_.save.empty() && step % options_.save_every == 0) {
        recorder_.Flush();
        if (auto saved = SaveCheckpoint(options_.save, step, model_.parameters(), adam_); !saved.ok()) return saved;
      }
      if (options_.crash_at == step) Crash();
    }
    return absl::OkStatus();
  }

  // The mean of train/loss over the last hundredth of the run: what its forecast is measured against.
  double reached() const { return end_sum_ / end_points_; }

 private:
  double Rate(int64_t step) const {
    const double planned = options_.rate.RateAt(step);
    return From(options_.break_rate_at, step) ? planned * options_.break_rate_factor : planned;
  }

  double TakeStep(int64_t step) {
    if (options_.break_nan_at == step) model_.parameters()(0) = std::numeric_limits<float>::quiet_NaN();
    Batch batch = corpus_.TrainingBatch(options_.seed, step, options_.batch);
    if (From(options_.break_labels_at, step)) Shuffle(batch.target, Mix(options_.seed, static_cast<uint64_t>(step)));
    const double loss = model_.LossAndGradient(batch, gradient_);
    adam_.Update(step, Rate(step), gradient_, model_.parameters());
    return loss;
  }

  void Evaluate(int64_t step) {
    const double loss = model_.Loss(held_out_);
    recorder_.Log(step, "eval/loss", loss);
    std::cout << fmt::format("step {:>7}  train/loss {:.4f}  eval/loss {:.4f}  lr {:.2e}", step, last_loss_, loss,
                             Rate(step))
              << std::endl;
  }

  void Remember(int64_t step, double loss) {
    last_loss_ = loss;
    if (step * 100 > options_.rate.total_steps * 99) {
      end_sum_ += loss;
      end_points_ += 1;
    }
  }

  [[noreturn]] void Crash() const {
    std::cerr << fmt::format("train_lm: dying on purpose; {} points acknowledged\n", recorder_.stats().acknowledged);
    std::_Exit(kCrashStatus);
  }

  const Options& options_;
  const Corpus& corpus_;
  Model<float>& model_;
  Adam& adam_;
  Recorder& recorder_;
  const Batch held_out_;
  Eigen::VectorXf gradient_;
  double last_loss_ = 0;
  double end_sum_ = 0;
  double end_points_ = 0;
};

}  // namespace

absl::Status Train(const Options& options, const Corpus& corpus) {
  Model<float> model(options.shape, options.seed);
  Adam adam(model.parameters().size());
  int64_t resumed_from = 0;
  if (options.resume) {
    const absl::StatusOr<int64_t> step = LoadCheckpoint(options.save, model.parameters(), adam);
    if (!step.ok()) return step.status();
    resumed_from = *step;
  }
  const ReportedRun run = Describe(options, model.parameters().size());
  absl::StatusOr<Recorder> recorder = Recorder::Open(options, run, resumed_from);
  if (!recorder.ok()) return recorder.status();
  std::cout << fmt::format("{}/{}: {} weights, {} characters of text, from step {} to {}", run.project, run.run_id,
                           model.parameters().size(), corpus.bytes(), resumed_from, options.rate.total_steps)
            << std::endl;
  Job job(options, corpus, model, adam, *recorder);
  if (absl::Status trained = job.Run(resumed_from); !trained.ok()) return trained;
  recorder->Finish();
  const Reporter::Stats stats = recorder->stats();
  std::cout << fmt::format("{}/{}: reached {:.4f}; logged {}, acknowledged {}, dropped {}, reconnects {}", run.project,
                           run.run_id, job.reached(), stats.logged, stats.acknowledged, stats.dropped, stats.reconnects)
            << std::endl;
  return absl::OkStatus();
}

}  // namespace curvecast::train_lm
