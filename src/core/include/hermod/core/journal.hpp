// SPDX-License-Identifier: Apache-2.0
// Where messages for durable subscribers are written before they are acknowledged. Implemented
// above core: the store later, today by a journal that is always done.
#pragma once

#include <cstdint>
#include <span>

#include "hermod/core/topic_tree.hpp"
#include "hermod/model/message.hpp"

namespace hermod::core {

/// Numbers the appends of one shard, ascending from 1.
using CommitNumber = std::uint64_t;

/// Messages that all go to the same durable subscribers.
struct Record {
  std::span<const model::Message* const> messages;
  std::span<const SubscriberIndex> subscribers;
};

/// One per shard. Not thread-safe; an implementation with a writer thread makes the shard's poller
/// wake when committed() has moved.
class Journal {
 public:
  virtual ~Journal() = default;
  /// Writes the records, all or none of them, across queues. Borrowed until the call returns.
  virtual CommitNumber append(std::span<const Record> records) = 0;
  /// Everything up to this number is safe. 0 at the start.
  [[nodiscard]] virtual CommitNumber committed() const = 0;
};

/// Completes at once and keeps nothing: the place of the store while there is none.
class NullJournal final : public Journal {
 public:
  CommitNumber append(std::span<const Record>) override { return ++number_; }
  [[nodiscard]] CommitNumber committed() const override { return number_; }

 private:
  CommitNumber number_ = 0;
};

}  // namespace hermod::core
