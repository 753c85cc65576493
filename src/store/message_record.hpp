// SPDX-License-Identifier: Apache-2.0
// Bodies of the two records that hold a message: one for queues, with all recipients of one shard,
// and one that is the value of its topic. What a message's origin says of its connection is not
// kept: it means nothing after a restart.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/core/journal.hpp"
#include "hermod/model/message.hpp"
#include "record.hpp"
#include "varint.hpp"

namespace hermod::store {

/// A payload up to this size is copied beside the rest of the body; a larger one stays where it is.
inline constexpr std::size_t kPayloadCopiedMax = 1024;

/// Makes the records of a run, one for each message, also for those that nobody gets. Belongs to
/// one thread; keeps its memory.
class RunEncoder {
 public:
  /// Expiries become calendar time by adding `to_calendar`. Messages of more than kBodyOctetsMax
  /// octets are a broken invariant. The drafts borrow from `run` and from this until the next call.
  [[nodiscard]] std::span<const Draft> encode(const core::Run& run, Duration to_calendar);
  /// The record of a topic's value, or, without a payload, of its clear; referred to once.
  [[nodiscard]] Draft encode_value(const model::Message& message, Duration to_calendar);

 private:
  void encode_recipients(std::span<const core::Recipient> recipients, std::size_t index);
  void encode_message(const model::Message& message, std::size_t index,
                      const core::QueuePlace& moved_from, Duration to_calendar);

  struct Place {
    std::size_t begin = 0;
    std::uint32_t references = 0;
    Bytes payload;  // when it was not copied
  };
  Scratch bodies_;
  Scratch recipients_;  // of all messages alike, until one goes to fewer
  std::uint32_t recipient_count_ = 0;
  std::vector<Place> places_;
  std::vector<Draft> drafts_;
};

/// One of the queues that a message record names.
struct RecipientView {
  core::QueueId queue = 0;
  model::Tag tag = 0;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain_as_published = false;
  std::uint32_t id_count = 0;
  Bytes ids;  ///< id_count varints

  /// The subscription ids, in place of what `into` held.
  void subscription_ids(std::vector<std::uint32_t>& into) const;
};

/// Goes through the recipients of a message record, once. ok() is false when not all could be read.
class RecipientReader {
 public:
  RecipientReader() = default;
  RecipientReader(Bytes block, std::uint64_t index) : cursor_(block), index_(index) {}
  [[nodiscard]] bool next();
  [[nodiscard]] const RecipientView& recipient() const { return recipient_; }
  [[nodiscard]] bool ok() const { return cursor_.ok(); }

 private:
  Cursor cursor_;
  std::uint64_t index_ = 0;  // of the message in its run: what to add to the tags
  model::Tag base_ = 0;
  RecipientView recipient_;
};

/// Where the properties of a decoded message lie.
struct PropertyStorage {
  model::Properties properties;
  std::vector<model::UserProperty> user;
};

/// A message record; views of its body.
struct MessageRecord {
  RecipientReader recipients;
  /// The exchange of exactly once that it came with, core::exchange_of(); 0: none that is kept.
  std::uint64_t exchange = 0;
  core::QueuePlace moved_from;  ///< is settled by this record
  Bytes content;                ///< for decode_content()
};
[[nodiscard]] WireResult<MessageRecord> decode_message(const RecordView& record);

/// The message in the content of a message record, or in the body of a value record. Its texts and
/// octets are views of `content`, its properties lie in `storage`. Expiries become instants by
/// subtracting `to_calendar`; those that no instant can say are kNever, or long past.
[[nodiscard]] WireResult<model::Message> decode_content(Bytes content, Duration to_calendar,
                                                        PropertyStorage& storage);
/// The value in a value record; no payload: it was cleared.
[[nodiscard]] WireResult<model::Message> decode_value(const RecordView& record,
                                                      Duration to_calendar,
                                                      PropertyStorage& storage);

}  // namespace hermod::store
