// Many lives of a daemon under faults, each from one seed. A failure names its seed; to see that one alone:
//   CURVECAST_SIM_FIRST_SEED=1234 CURVECAST_SIM_SEEDS=1 build/dev/bin/simulation_test

#include "tests/sim/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace curvecast {
namespace {

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(SimulationTest, KeepsEveryPromiseWhateverTheSeedDoes) {
  const uint64_t first = Setting("CURVECAST_SIM_FIRST_SEED", 1);
  const uint64_t seeds = Setting("CURVECAST_SIM_SEEDS", 500);
  size_t events = 0;
  size_t flags = 0, evicted = 0;
  int deaths = 0, from_snapshots = 0, compactions = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    Simulation simulation(seed);
    ASSERT_EQ(simulation.Run(), "") << "seed " << seed;
    events += simulation.events();
    deaths += simulation.deaths();
    flags += simulation.flags();
    evicted += simulation.evicted();
    from_snapshots += simulation.started_from_snapshots();
    compactions += simulation.compactions();
  }
  // Otherwise nothing was tried.
  EXPECT_GT(events, 50 * seeds);
  EXPECT_GT(deaths, static_cast<int>(seeds));
  EXPECT_GT(flags, 3 * seeds);
  EXPECT_GT(from_snapshots, static_cast<int>(seeds));
  EXPECT_GT(compactions, static_cast<int>(seeds));
  EXPECT_GT(evicted, seeds / 2);
}

TEST(SimulationTest, LivesTheSameLifeFromTheSameSeed) {
  Simulation one(7), other(7);
  EXPECT_EQ(one.Run(), other.Run());
  EXPECT_EQ(one.events(), other.events());
  EXPECT_EQ(one.deaths(), other.deaths());
}

}  // namespace
}  // namespace curvecast
