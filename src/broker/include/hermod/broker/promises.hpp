// SPDX-License-Identifier: Apache-2.0
// What this shard may only say once something is safe: its own records, and what other shards keep
// of its publications. Each of those says by letter how many it has written, and which commit
// covers them.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "hermod/core/journal.hpp"
#include "hermod/core/match_cache.hpp"

namespace hermod::broker {

class Promises {
 public:
  explicit Promises(std::uint16_t shards) : sent_(shards), there_(shards) {}

  /// What has to be there before something may be said.
  struct Due {
    core::CommitNumber commit = 0;
    std::vector<std::pair<std::uint16_t, std::uint64_t>> others;  ///< shard, letters to it
  };

  /// A publication that `to` has to keep goes there.
  void note_sent(std::uint16_t to) {
    ++sent_[to];
    touched_ |= core::ShardSet{1} << to;
  }
  /// `from` has written the first `count` of what went there; `commit` covers them.
  void note_written(std::uint16_t from, std::uint64_t count, core::CommitNumber commit) {
    there_[from].written.emplace_back(commit, count);
  }
  /// Everything up to `commit` is safe.
  void note_committed(core::CommitNumber commit);

  /// What has gone out since the last call, together with this shard's own `commit`.
  [[nodiscard]] Due take_due(core::CommitNumber commit);
  [[nodiscard]] bool is_met(const Due& due) const;

 private:
  struct There {
    std::deque<std::pair<core::CommitNumber, std::uint64_t>> written;
    std::uint64_t safe = 0;
  };
  core::CommitNumber committed_ = 0;
  core::ShardSet touched_ = 0;
  std::vector<std::uint64_t> sent_;  // by receiver
  std::vector<There> there_;
};

}  // namespace hermod::broker
