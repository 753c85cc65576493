// SPDX-License-Identifier: Apache-2.0
// A journal whose writer takes its time: an idle writer starts at once, and what is appended while
// it is busy is its next batch. It remembers what it was given, so that an oracle can ask whether
// an acknowledged message is really there.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hermod/core/journal.hpp"
#include "payload.hpp"

namespace hermod::sim {

class SlowJournal final : public core::Journal {
 public:
  /// Starts a sync: calls back when it is over.
  using Writer = std::function<void(std::function<void()> done)>;

  /// With `hollow` everything is called safe at once, and nothing is kept. `on_committed` wakes the
  /// shard.
  SlowJournal(Writer writer, std::function<void()> on_committed, bool hollow)
      : writer_(std::move(writer)), on_committed_(std::move(on_committed)), hollow_(hollow) {}

  core::CommitNumber append(std::span<const core::Record> records) override;
  [[nodiscard]] core::CommitNumber committed() const override {
    return hollow_ ? number_ : committed_;
  }

  /// Whether a message is safe.
  [[nodiscard]] bool keeps(const Label& label) const { return kept_.contains(key_of(label)); }
  /// Whether everything appended is committed.
  [[nodiscard]] bool idle() const { return committed() == number_; }

 private:
  [[nodiscard]] static std::uint64_t key_of(const Label& label) {
    return std::uint64_t{label.producer} << 48 | std::uint64_t{label.topic} << 32 | label.sequence;
  }
  void sync();

  Writer writer_;
  std::function<void()> on_committed_;
  bool hollow_;
  bool busy_ = false;
  core::CommitNumber number_ = 0;
  core::CommitNumber committed_ = 0;
  std::vector<std::pair<core::CommitNumber, std::uint64_t>> under_way_;
  std::set<std::uint64_t> kept_;
};

}  // namespace hermod::sim
