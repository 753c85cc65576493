// SPDX-License-Identifier: Apache-2.0
// A message on its way to one subscriber, and the answer to it. Delivery is pull: a session grants
// credit, deliveries come, the session settles their tags.
// docs/decisions/0002-delivery.md tells how each protocol uses it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hermod/model/message.hpp"

namespace hermod::model {

/// Position in a subscriber's queue; grows by one with each entry and is never used twice.
using Tag = std::uint64_t;

/// One message for one subscriber.
struct Delivery {
  const Message* message = nullptr;
  Guarantee guarantee = Guarantee::kAtMostOnce;  ///< the lower of published and subscribed
  bool retain = false;                           ///< sent because it is the last value of its topic
  bool redelivered = false;  ///< was handed to a connection of this subscriber before
  bool recovered = false;    ///< may have been, before the broker was stopped
  /// Ids of the subscriptions that matched, without zeros.
  std::span<const std::uint32_t> subscription_ids;
};

/// The first session that encodes a batch leaves the octets here for those that would produce the
/// same: the key is the session's (protocol, version, flags).
class EncodeSlots {
 public:
  struct Slot {
    std::uint32_t key = 0;
    std::vector<std::uint8_t> bytes;     ///< all messages of the batch, one after the other
    std::vector<std::uint32_t> offsets;  ///< places in `bytes` that the session has to set
  };
  /// The slot of `key`, or nullptr when nobody has encoded this batch so. Key 0 is not used.
  [[nodiscard]] const Slot* find(std::uint32_t key) const {
    for (std::size_t i = 0; i < used_; ++i) {
      if (slots_[i].key == key) return &slots_[i];
    }
    return nullptr;
  }
  /// An empty slot for `key` to be filled now. Its memory is reused from batch to batch.
  [[nodiscard]] Slot& make(std::uint32_t key) {
    if (used_ == slots_.size()) slots_.emplace_back();
    Slot& slot = slots_[used_++];
    slot.key = key;
    slot.bytes.clear();
    slot.offsets.clear();
    return slot;
  }
  void clear() { used_ = 0; }

 private:
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

/// Deliveries for one subscriber, in order. The tag of items[i] is first_tag + i. Borrowed until
/// the call returns; message->own() keeps a message.
struct DeliveryBatch {
  std::span<const Delivery> items;
  Tag first_tag = 0;
  /// Set when other subscribers receive the very same items: worth encoding once. May be nullptr.
  EncodeSlots* slots = nullptr;
};

/// What became of a delivery.
enum class Outcome : std::uint8_t {
  kAccept,   ///< done, forget it
  kRelease,  ///< not handled: give it to somebody else, unchanged
  kReject,   ///< cannot be handled: dead-letter it
  kModify,   ///< like release, counted as a failed attempt
};

}  // namespace hermod::model
