#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/ports/memory_journal.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/stepped_daemon.h"

namespace curvecast {

// A daemon, its disk and its clients, all moved by one seed: the same seed, the same life.
class Simulation {
 public:
  explicit Simulation(uint64_t seed);

  // Lives for a while with faults, then in peace until everything is acknowledged. Empty, or which invariant broke:
  // * what was acknowledged is in the journal, after every crash;
  // * a batch is in the journal once;
  // * an open is told to go on right behind what was acknowledged;
  // * the engine, which may have started from a snapshot, is what a fresh replay of the journal makes, bit for bit, and
  //   what the plain retelling of it says;
  // * a compaction, of runs that are over or were, changes nothing of that;
  // * in peace everything is acknowledged in the end.
  std::string Run();

  size_t events() const { return journal_.events().size(); }
  int deaths() const { return deaths_; }
  size_t flags() const;  // Events about flags.
  size_t evicted() const { return Evictions().size(); }
  int started_from_snapshots() const { return daemon_.started_from_snapshots(); }
  int compactions() const { return compactions_; }

 private:
  struct Held {  // A stream, its client's or one that the client has left.
    std::shared_ptr<SimStream> stream;
    SimClient* client;
  };

  void ActClients();
  void TurnDaemon();
  void Settle();
  std::vector<SteppedDaemon::Request> TakeRequests(size_t most);
  void Answer(SimClient& client, const SimStream* stream, const SteppedDaemon::Answer& answer);
  void HoldStreams();
  void NoticeEnds();
  void Compact();
  std::set<RunKey> Evictions() const;
  std::vector<Event> Told() const;  // What the journal was ever told, compacted or not.
  void Check();
  void CheckAcknowledged();
  void CheckFold();
  void Fail(std::string what);

  std::mt19937_64 random_;
  MemoryJournal journal_;
  std::map<int64_t, Event> replaced_;   // By their ids.
  std::map<RunKey, int64_t> ended_at_;  // As it was seen last: a run may have been taken up since.
  SteppedDaemon daemon_;
  std::vector<SimClient> clients_;
  std::vector<Held> streams_;
  int64_t now_ = 1'700'000'000'000'000;
  int deaths_ = 0;
  int compactions_ = 0;
  std::string broken_;
};

}  // namespace curvecast
