// SPDX-License-Identifier: Apache-2.0
// Bodies of the small records: deliveries that are over, PUBRECs that came, packet ids of
// publishers that are free again. Each record holds any number of them.
#pragma once

#include <cstdint>
#include <span>

#include "hermod/base/bytes.hpp"
#include "hermod/core/journal.hpp"
#include "record.hpp"
#include "varint.hpp"

namespace hermod::store {

/// Deliveries first..last (both in) of a queue are over.
struct Settled {
  core::QueueId queue = 0;
  model::Tag first = 0;
  model::Tag last = 0;
  bool operator==(const Settled&) const = default;
};
/// Exactly once: the subscriber has the message.
struct Released {
  core::QueueId queue = 0;
  model::Tag tag = 0;
  bool operator==(const Released&) const = default;
};
/// Exactly once: the publisher's packet id is free again.
struct Closed {
  std::uint64_t exchange = 0;  ///< core::exchange_of()
  bool operator==(const Closed&) const = default;
};

/// Drafts of one record for all of them; the body is appended to `scratch`, whose memory may not
/// move or be cleared before the draft is in the log.
[[nodiscard]] Draft draft_settled(std::span<const Settled> items, Scratch& scratch);
[[nodiscard]] Draft draft_released(std::span<const Released> items, Scratch& scratch);
[[nodiscard]] Draft draft_closed(std::span<const Closed> items, Scratch& scratch);

/// Reads one kind of them from a record's body, one by one.
///
///   for (ItemReader<Settled> reader(record); reader.next();) settle(reader.item());
///
/// ok() is false when the body, or a part of it, could not be read.
template <typename Item>
class ItemReader {
 public:
  explicit ItemReader(const RecordView& record) : cursor_(record.body) {
    if (record.version > kBodyVersion) cursor_.fail();
  }
  [[nodiscard]] bool next() {
    if (cursor_.at_end()) return false;
    read(item_);
    return cursor_.ok();
  }
  [[nodiscard]] const Item& item() const { return item_; }
  [[nodiscard]] bool ok() const { return cursor_.ok(); }

 private:
  void read(Settled& item) {
    item.queue = cursor_.delta(item.queue);
    item.first = cursor_.delta(item.last);
    item.last = item.first + cursor_.varint_to(~item.first);
  }
  void read(Released& item) {
    item.queue = cursor_.delta(item.queue);
    item.tag = cursor_.delta(item.tag);
  }
  void read(Closed& item) { item.exchange = cursor_.delta(item.exchange); }

  Cursor cursor_;
  Item item_;
};

}  // namespace hermod::store
