#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/event.h"

namespace curvecast {

// What a run must be after its events, told a second time, as plainly as can be: every point by its step. It agrees
// with Run as long as no curve holds more points than it has bins, since then nothing is merged.
class NaiveRun {
 public:
  void Apply(const Event& event);

  // Empty if the engine's run is the same; otherwise what differs.
  std::string DiffersFrom(const Run& run) const;

 private:
  struct Writer {
    uint64_t incarnation = 0;
    uint64_t last_sequence = 0;
    bool must_say_where = false;
    std::optional<Step> resume_step;
  };
  struct Metric {
    std::map<Step, double> points;
    std::string writer;
  };

  struct NaiveFlag {  // By number less 1.
    FlagKind kind;
    std::string metric;
    bool active = true;
    bool acknowledged = false;
  };

  void Change(const FlagChange& change);
  void Handle(const FlagHandled& handled);
  std::string FlagsDiffer(const Run& run) const;
  void Open(const RunOpened& opened);
  void Append(const BatchAppended& batch);
  std::optional<Step> WhereTo(const Writer& writer, const BatchAppended& batch) const;

  std::string objective_;
  std::map<std::string, Writer> writers_;
  std::map<std::string, Metric> metrics_;
  std::vector<NaiveFlag> flags_;
  RunState state_ = RunState::kRunning;
};

}  // namespace curvecast
