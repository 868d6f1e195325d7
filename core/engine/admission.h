#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "core/engine/event.h"

namespace curvecast {

struct EngineLimits {
  size_t max_runs = 20000;            // That are not over.
  size_t max_finished_runs = 100000;  // That are: past it Engine::Evict lets go of the oldest.
  size_t max_metrics_per_run = 64;
};

// Decides, before anything is journaled, whether an event may join the transaction that is being staged. It sees the
// engine's state and what has been staged since, so that an open and its batches can share a transaction.
class Admission {
 public:
  enum class Verdict {
    kStage,  // Journal it.
    kKnown,  // A resend, or a reopening that says nothing new: answer, and journal nothing.
  };

  Admission(const Engine& engine, EngineLimits limits) : engine_(engine), limits_(limits) {}

  struct Admitted {
    Verdict verdict = Verdict::kStage;
    // OK; or RESOURCE_EXHAUSTED: the metrics that max_metrics_per_run has no room for were taken out of the batch.
    absl::Status left_out = absl::OkStatus();
  };

  // Where something came from: a channel of a stream. Without a stream: from within.
  struct Channel {
    std::shared_ptr<const void> stream;
    uint32_t number = 0;
  };

  // FAILED_PRECONDITION for a batch of a writer that has not opened the run or of an incarnation that was taken over;
  // RESOURCE_EXHAUSTED for a new run past max_runs; NOT_FOUND for a FlagHandled of a run or a flag that is not there.
  // None changes anything, but that behind a batch with FAILED_PRECONDITION nothing is taken on its channel until that
  // opens again: a sequence with a gap would make the refused batch look like one that is safe.
  absl::StatusOr<Admitted> Admit(Event& event, const Channel& channel);
  absl::StatusOr<Admitted> Admit(Event& event) { return Admit(event, Channel{}); }

  // The sequence this writer is expected to send next; 1 if nothing is known of it. Counts what is staged.
  uint64_t ExpectedSequence(const RunKey& key, const std::string& writer, uint64_t incarnation) const;

  // After the staged events were applied, or given up.
  void Clear();

 private:
  struct Staged {
    uint64_t incarnation = 0;
    uint64_t last_sequence = 0;
  };
  using WriterKey = std::pair<RunKey, std::string>;

  absl::Status CheckRoom() const;
  absl::StatusOr<Admitted> AdmitOpen(const RunKey& key, const RunOpened& opened);
  absl::StatusOr<Admitted> AdmitBatch(const RunKey& key, BatchAppended& batch);
  absl::StatusOr<Admitted> AdmitBatchOn(const Channel& channel, const RunKey& key, BatchAppended& batch);
  absl::StatusOr<Admitted> AdmitHandled(const RunKey& key, const FlagHandled& handled) const;
  absl::Status LeaveOutNewMetrics(const RunKey& key, BatchAppended& batch);
  Staged Known(const WriterKey& writer) const;

  const Engine& engine_;
  const EngineLimits limits_;
  absl::flat_hash_map<WriterKey, Staged> staged_;
  absl::flat_hash_map<RunKey, std::string> staged_runs_;  // New ones, with their objective.
  absl::flat_hash_map<RunKey, absl::flat_hash_set<std::string>> staged_metrics_;
  // Those behind a refused batch. Of streams that are gone some for a while.
  absl::flat_hash_map<std::pair<const void*, uint32_t>, std::weak_ptr<const void>> refused_;
  size_t sweep_refused_at_ = 64;
};

}  // namespace curvecast
