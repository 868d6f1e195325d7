#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/law/forecast.h"
#include "core/watch/raised_flag.h"

namespace curvecast {

// What forecasts say of a run, as they are made for each per cent of its progress:
//   OFF_LAW      the end that is forecast has moved far outside (kOff standard deviations) of the interval of an
//   earlier
//                forecast, the last that the run agreed with.
//   OFF_FAMILY   the curve lies far outside of what the finished runs of its project said of it before its points.
// Only for the worse. Each must hold for kInRow forecasts.
class ForecastCheck {
 public:
  static constexpr double kOff = 5, kBack = 2;
  static constexpr int kInRow = 2;

  ForecastCheck(std::string objective, bool maximize) : objective_(std::move(objective)), maximize_(maximize) {}

  // `busy`: the curve is flagged as it is, and what follows from that is no news.
  void Take(const Forecast& forecast, bool busy, std::vector<FlagChange>& changes);
  void Supersede(Step from, std::vector<FlagChange>& changes);
  void End(Step newest, std::vector<FlagChange>& changes);
  const RaisedFlag& off_law() const { return off_law_; }
  const RaisedFlag& off_family() const { return off_family_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(anchor_, law_row_, family_row_, off_law_, off_family_);
  }

 private:
  struct Anchor {
    Step step = 0;
    double progress = 0;
    double median = 0, sd = 0;  // Of the objective's end.

    template <class Archive>
    void Fields(Archive& archive) {
      archive(step, progress, median, sd);
    }
  };
  struct Row {
    int off = 0, back = 0;
    Step since = 0;

    template <class Archive>
    void Fields(Archive& archive) {
      archive(off, back, since);
    }
  };
  Anchor AnchorAt(const Forecast& forecast) const;
  void Judge(const Forecast& forecast, FlagKind kind, double deviation, double expected, double seen, double sd,
             bool busy, Row& row, RaisedFlag& flag, std::vector<FlagChange>& changes);

  const std::string objective_;
  const bool maximize_;
  std::optional<Anchor> anchor_;
  Row law_row_, family_row_;
  RaisedFlag off_law_, off_family_;
};

}  // namespace curvecast
