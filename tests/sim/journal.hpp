// SPDX-License-Identifier: Apache-2.0
// A journal whose writer takes its time: an idle writer starts at once, and what is appended while
// it is busy is its next batch. It remembers what it was given, so that an oracle can ask whether
// an acknowledged message is really there.
#pragma once

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "hermod/testkit/memory_journal.hpp"
#include "payload.hpp"

namespace hermod::sim {

class SlowJournal final : public MemoryJournal {
 public:
  /// Starts a sync: calls back when it is over.
  using Writer = std::function<void(std::function<void()> done)>;

  /// With `hollow` everything is called safe at once, and nothing is kept. `on_committed` wakes the
  /// shards.
  SlowJournal(Writer writer, std::function<void()> on_committed, bool hollow)
      : writer_(std::move(writer)), on_committed_(std::move(on_committed)), hollow_(hollow) {
    notes = false;
  }

  core::CommitNumber append(const core::Run& run, std::span<core::Position> positions) override;
  void submit(bool waits, core::CommitNumber heard) override;
  [[nodiscard]] core::CommitNumber committed() const override {
    return hollow_ ? last() : committed_;
  }

  /// Whether a message is safe.
  [[nodiscard]] bool keeps(const Label& label) const { return kept_.contains(key_of(label)); }
  /// Whether everything appended is committed.
  [[nodiscard]] bool idle() const { return committed() == last(); }

 private:
  [[nodiscard]] static std::uint64_t key_of(const Label& label) {
    return std::uint64_t{label.producer} << 48 | std::uint64_t{label.topic} << 32 | label.sequence;
  }

  Writer writer_;
  std::function<void()> on_committed_;
  bool hollow_;
  bool busy_ = false;
  core::CommitNumber committed_ = 0;
  std::vector<std::pair<core::CommitNumber, std::uint64_t>> under_way_;
  std::set<std::uint64_t> kept_;
};

}  // namespace hermod::sim
