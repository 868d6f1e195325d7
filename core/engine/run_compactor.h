#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "core/engine/event.h"

namespace curvecast {

// An event as a journal holds it.
struct StoredEvent {
  int64_t id = 0;
  size_t bytes = 0;  // What it takes, about.
  Event event;
};

// Rows of one run, in order, and the event (a CurveKept) that says what they have made of the run. It is to stand where
// the last of them stands.
struct Replacement {
  std::vector<int64_t> ids;
  Event kept;
  int64_t bytes = 0;          // That the rows take, about.
  int64_t points_before = 0;  // Of the kept event's points those that another one of the rows stood for.
};

// In order, neighbours and what overlaps as one.
std::vector<CurveKept::Rows> Joined(std::vector<CurveKept::Rows> rows);

// Finds out what of one run's rows can go: is handed its events in order, folds them, and puts what its batches have
// made of it in their place. Opens, forecasts and flags stay where they are. Pure: it changes no journal.
//
// It does so up to an end of the run that is known, and leaves alone what came once the run was taken up again or had
// another end: while a run is under way its watch has seen every point, and a fold needs them to have the same watch.
//
// A run that was evicted is over, and what comes under its name behind that is another run.
//
// A run may have several such places: one wherever something took it into its project's past or out of it, because that
// past is in order of who came last; and where enough rows have gathered for one transaction (the next one then takes
// the place of this one too). After any number of them the journal folds to what it folded to before.
class RunCompactor {
 public:
  struct Options {
    size_t max_rows = 2048;  // In one replacement: it is one transaction, and others wait for it.
    size_t max_bytes = 1 << 20;
    int64_t least_gain = 1024;  // Bytes; a place that gives less is not made.
  };
  // Past this many places a run is left as it is: they would take more than its points.
  static constexpr int kMaxPlaces = 8;

  // `prior` as the engine's; outlives this. `ended_at`: Run::ended_at as some event that is to come has made it, and
  // perhaps not the newest.
  RunCompactor(const Prior& prior, int64_t ended_at, Options options)
      : prior_(prior), ended_at_(ended_at), options_(options) {}

  // The next event of the run. A replacement if one is due. An error if the run is none that can be compacted: then
  // nothing more is to be done to it; what was replaced so far is right.
  absl::StatusOr<std::optional<Replacement>> Take(StoredEvent stored);
  // There are no more events. NOT_FOUND if none of them was that end.
  absl::StatusOr<std::optional<Replacement>> Finish();

 private:
  // An event of the run, and the row that it is if that can go.
  struct Item {
    Event event;
    std::optional<int64_t> id = std::nullopt;
    size_t bytes = 0;
  };

  struct Place {
    bool settles = false;  // As CurveKept has it.
    bool stays = false;    // A later one does not take its place.
  };

  absl::StatusOr<std::optional<Replacement>> TakeRow(StoredEvent stored, const Engine::Effect& effect);
  absl::StatusOr<std::optional<Replacement>> Cut(const Place& place);
  bool Pays(const CurveKept& kept) const;
  std::vector<Item>::const_iterator Newest() const;  // The last row of items_, which has one.
  Replacement Make(CurveKept kept);
  void Leave();
  bool Verify() const;

  const Prior& prior_;
  const int64_t ended_at_;
  const Options options_;
  RunKey key_;
  bool at_end_ = false;             // It has ended then ...
  bool past_end_ = false;           // ... and went on, or ended anew: nothing more is replaced.
  std::unique_ptr<Engine> engine_;  // From the first event on.
  std::vector<Event> done_;         // What the journal will hold of the run up to items_.
  std::vector<Item> items_;         // Since then.
  size_t rows_ = 0, bytes_ = 0;     // Of items_, that can go.
  size_t next_try_ = 0;             // Rows: fewer did not pay.
  std::optional<CurveKept> kept_;   // The run after the newest row of items_, if something has come since.
  int places_ = 0;
};

}  // namespace curvecast
