#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/run_compactor.h"
#include "core/ports/compactable_journal.h"

namespace curvecast {

// When the run ended, as a journal's events say.
int64_t EndOf(const RunKey& key, CompactableJournal& journal);

// What takes the place of the run's batches in the journal, in one replacement.
Replacement ReplacementOf(const RunKey& key, CompactableJournal& journal);

// Events numbered from 1 on, as a journal holds them after the replacement.
std::vector<Event> Compacted(const std::vector<Event>& events, const Replacement& replacement);

}  // namespace curvecast
