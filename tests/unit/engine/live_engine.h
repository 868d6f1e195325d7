#pragma once

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "core/engine/engine.h"
#include "tests/unit/engine/busy_life.h"

namespace curvecast::testing {

// As the journal keeps it.
inline Event Journaled(Event event) {
  if (auto* made = std::get_if<ForecastMade>(&event.body)) made->forecast.path.clear();
  return event;
}

// The engine of a daemon: it applies what its watch says, looks at the time, and shows what no journal keeps.
class LiveEngine {
 public:
  explicit LiveEngine(uint64_t seed) : life_(seed) {}

  // One event, and those that follow from it.
  std::vector<Event> Act() {
    std::vector<Event> journaled;
    Apply(life_.Next(engine_), journaled);
    if (life_.Below(4) == 0) {
      for (Event& event : engine_.Tick(life_.now())) Apply(std::move(event), journaled);
    }
    if (life_.Below(100) == 0) engine_.Resume(life_.now());
    if (life_.Below(10) == 0) {
      Run* run = engine_.FindMutable(life_.AnyKey());
      Forecast shown;
      shown.step = run->objective().last_step();
      run->Show(shown);
      run->ShowInferred("looks like a cosine");
    }
    return journaled;
  }
  Engine& engine() { return engine_; }

 private:
  void Apply(Event event, std::vector<Event>& journaled) {
    auto effect = engine_.Apply(event);
    ASSERT_TRUE(effect.ok()) << effect.status();
    std::vector<Event> follows;
    AddChanges(std::move(effect->flag_changes), event.key, event.time_unix_micros, follows);
    journaled.push_back(Journaled(std::move(event)));
    for (Event& change : follows) Apply(std::move(change), journaled);
  }

  BusyLife life_;
  Engine engine_;
};

// What the journal of such a life holds.
inline std::vector<Event> Lived(uint64_t seed, int acts) {
  LiveEngine live(seed);
  std::vector<Event> events;
  for (int i = 0; i < acts; ++i) {
    for (Event& event : live.Act()) events.push_back(std::move(event));
  }
  return events;
}

}  // namespace curvecast::testing
