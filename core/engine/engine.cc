#include "core/engine/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace curvecast {

absl::StatusOr<Engine::Effect> Engine::Apply(const Event& event) {
  auto at = runs_.find(event.key);
  if (const auto* opened = std::get_if<RunOpened>(&event.body)) {
    if (at == runs_.end()) {
      runs_[event.key].run = std::make_unique<Run>(*opened, event.time_unix_micros);
    } else {
      at->second.run->Apply(*opened);
    }
    return Effect{};
  }
  if (at == runs_.end()) {
    return absl::InternalError(absl::StrCat("an event of run ", event.key.project, "/", event.key.run_id,
                                            ", which no event before it has opened"));
  }
  if (const auto* batch = std::get_if<BatchAppended>(&event.body))
    return at->second.run->Apply(*batch, event.time_unix_micros);
  at->second.run->Apply(std::get<ForecastMade>(event.body));
  return Effect{};
}

const Run* Engine::Find(const RunKey& key) const {
  auto at = runs_.find(key);
  return at == runs_.end() ? nullptr : at->second.run.get();
}

Run* Engine::FindMutable(const RunKey& key) { return const_cast<Run*>(Find(key)); }

void Engine::ForEach(absl::FunctionRef<void(const Run&)> visit) const {
  for (const auto& [key, entry] : runs_) visit(*entry.run);
}

std::shared_ptr<const Board> Engine::Publish(int64_t now_unix_micros) {
  auto board = std::make_shared<Board>();
  board->published_at_unix_micros = now_unix_micros;
  board->runs.reserve(runs_.size());
  for (auto& [key, entry] : runs_) {
    if (entry.view == nullptr || entry.view_version != entry.run->version()) {
      entry.view = entry.run->View();
      entry.view_version = entry.run->version();
    }
    board->runs.push_back(entry.view);
  }
  return board;
}

}  // namespace curvecast
