// SPDX-License-Identifier: Apache-2.0
#include "journal.hpp"

namespace hermod::sim {

core::CommitNumber SlowJournal::append(const core::Run& run, std::span<core::Position> positions) {
  const core::CommitNumber number = MemoryJournal::append(run, positions);
  if (hollow_) return number;
  for (const model::Message* message : run.messages) {
    const auto label = read_payload(message->payload, message->destination.address);
    if (label) under_way_.emplace_back(number, key_of(*label));
  }
  return number;
}

void SlowJournal::submit(bool, core::CommitNumber) {
  if (hollow_ || busy_ || idle()) return;
  busy_ = true;
  writer_([this, upto = last()] {
    busy_ = false;
    committed_ = upto;
    std::size_t safe = 0;
    while (safe < under_way_.size() && under_way_[safe].first <= upto) {
      kept_.insert(under_way_[safe++].second);
    }
    under_way_.erase(under_way_.begin(), under_way_.begin() + static_cast<std::ptrdiff_t>(safe));
    on_committed_();
    submit(true, committed_);
  });
}

}  // namespace hermod::sim
