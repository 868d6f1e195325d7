#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/ports/compactable_journal.h"

// Every journal there is, each on disks that fail in the ways that disks do, for tests that all must pass.
namespace curvecast {

// A journal and the disk below it.
class JournalOnDisk {
 public:
  virtual ~JournalOnDisk() = default;
  virtual CompactableJournal& journal() = 0;
  // As if the process had been killed.
  virtual void Restart() = 0;
  // The next Append or Replace fails; those after it do not.
  virtual void BreakNextAppend() = 0;
};

struct JournalKind {
  friend void PrintTo(const JournalKind& kind, std::ostream* out) { *out << kind.name; }

  std::string name;
  std::function<std::unique_ptr<JournalOnDisk>()> make;
};
std::vector<JournalKind> JournalKinds();

// Their bytes stand for events: equal bytes are equal events, NaN included, and the codec has tests of its own. A hash
// of them makes for messages that can be read.
std::vector<std::string> Digests(const std::vector<Event>& events);

// All events, in order.
std::vector<Event> Replayed(Journal& journal);

}  // namespace curvecast
