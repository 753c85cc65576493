// SPDX-License-Identifier: Apache-2.0
#include "journal.hpp"

namespace hermod::sim {

core::CommitNumber SlowJournal::append(std::span<const core::Record> records) {
  ++number_;
  if (hollow_) return number_;
  for (const core::Record& record : records) {
    for (const model::Message* message : record.messages) {
      const auto label = read_payload(message->payload, message->destination.address);
      if (label) under_way_.emplace_back(number_, key_of(*label));
    }
  }
  if (!busy_) sync();
  return number_;
}

void SlowJournal::sync() {
  busy_ = true;
  writer_([this, upto = number_] {
    busy_ = false;
    committed_ = upto;
    std::size_t safe = 0;
    while (safe < under_way_.size() && under_way_[safe].first <= upto) {
      kept_.insert(under_way_[safe++].second);
    }
    under_way_.erase(under_way_.begin(), under_way_.begin() + static_cast<std::ptrdiff_t>(safe));
    on_committed_();
    if (number_ > committed_) sync();
  });
}

}  // namespace hermod::sim
