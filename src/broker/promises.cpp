// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/promises.hpp"

#include <algorithm>
#include <bit>

namespace hermod::broker {

void Promises::note_committed(core::CommitNumber commit) {
  committed_ = commit;
  for (There& there : there_) {
    while (!there.written.empty() && there.written.front().first <= commit) {
      there.safe = there.written.front().second;
      there.written.pop_front();
    }
  }
}

Promises::Due Promises::take_due(core::CommitNumber commit) {
  Due due{.commit = commit};
  for (core::ShardSet left = std::exchange(touched_, 0); left != 0; left &= left - 1) {
    const auto to = static_cast<std::uint16_t>(std::countr_zero(left));
    due.others.emplace_back(to, sent_[to]);
  }
  return due;
}

bool Promises::is_met(const Due& due) const {
  return due.commit <= committed_ && std::ranges::all_of(due.others, [this](const auto& other) {
           return there_[other.first].safe >= other.second;
         });
}

}  // namespace hermod::broker
