#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "core/engine/event.h"
#include "core/engine/project.h"
#include "core/engine/run.h"
#include "daemon/loop/reply_sink.h"

namespace curvecast {

// An open or a batch from a stream, with the address of its answer.
struct Ingest {
  Event event;
  uint32_t channel = 0;
  std::shared_ptr<ReplySink> sink;
};

// A forecast that a fitter has made.
struct FitResult {
  RunKey key;
  Forecast forecast;
  int64_t rewinds = 0;  // Of the run when it was taken: a result for a curve that was rewound since is dropped.
  std::string inferred_schedule = {};  // What the run's logged rates say, where it declares no schedule.
};

// A run, for as long as the call lasts that gives it, and the past that it leans on: null if there is none.
struct FoundRun {
  const Run* run = nullptr;
  std::shared_ptr<const ProjectPast> past;
};

// A question that only the run itself can answer. `answer` is called once on the engine's thread: with the run, with
// NOT_FOUND, or with UNAVAILABLE if the engine ends. It must not block.
struct Question {
  RunKey key;
  std::function<void(absl::StatusOr<FoundRun>)> answer;
};

// What a person did with a flag. `answer` is called once on the engine's thread: with the flag as it is once that is in
// the journal and on the board; with NOT_FOUND; or with UNAVAILABLE if the engine ends. It must not block.
struct Handling {
  Event event;  // Its body is a FlagHandled.
  std::function<void(absl::StatusOr<BookedFlag>)> answer;
};

// The one door to the engine's thread: a bounded queue with many writers and one reader.
class Inbox {
 public:
  struct Limits {
    size_t max_batches = 4096;      // limits.max_inbox_batches
    size_t max_points = 8'000'000;  // Of all batches waiting: 128 MB.
    size_t max_questions = 1024;    // And handlings.
  };
  using Item = std::variant<Ingest, FitResult, Question, Handling>;

  explicit Inbox(Limits limits) : limits_(limits) {}

  enum class PushResult { kTaken, kFull, kClosed };
  // kFull: nothing was taken, and `on_room` is called once, from another thread, when it is worth trying again. One
  // waits for each sink: a later one takes the place of an earlier.
  PushResult Push(Ingest& ingest, std::function<void()> on_room);
  // Its on_room is not called any more, unless that is under way.
  void Forget(const ReplySink* sink);
  // Never refused while open: a fitter has at most one result in flight for each run.
  void Push(FitResult result);
  // False past max_questions or after Close.
  bool Push(Question question);
  bool Push(Handling handling);

  // Everything that waits, in order of arrival within each kind: what writers sent first. Blocks until there is
  // something, the time is over, or the inbox is closed.
  std::vector<Item> Drain(std::chrono::milliseconds timeout);

  // Refuses what comes from now on. What waits can still be drained.
  void Close();

 private:
  bool PushQuestion(Item item);

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable news_;
  bool closed_ = false;
  size_t batches_ = 0;
  size_t points_ = 0;
  size_t questions_ = 0;
  std::vector<Item> items_;
  absl::flat_hash_map<const ReplySink*, std::function<void()>> waiting_for_room_;
};

}  // namespace curvecast
