// SPDX-License-Identifier: Apache-2.0
#include "message_record.hpp"

#include <algorithm>

#include "content.hpp"
#include "hermod/base/assert.hpp"

namespace hermod::store {
namespace {

using model::Guarantee;
using model::Message;

// A message record's flags.
constexpr std::uint8_t kHasExchange = 0x01;
constexpr std::uint8_t kMoved = 0x02;

// A recipient's flags; the two low bits are the guarantee.
constexpr std::uint8_t kRecipientGuarantee = 0x03;
constexpr std::uint8_t kRetainAsPublished = 0x04;
constexpr std::uint8_t kHasIds = 0x08;
constexpr std::uint8_t kRecipientBits = 0x0F;

// Behind the address and the properties, unless it is large.
std::uint8_t* put_small_payload(std::uint8_t* out, Bytes payload) {
  return payload.size() > kPayloadCopiedMax ? out : put_octets(out, payload);
}

std::size_t copied_octets_max(const Message& message) {
  return content_octets_max(message) + std::min(message.payload.size(), kPayloadCopiedMax);
}

Bytes large_payload(Bytes payload) {
  return payload.size() > kPayloadCopiedMax ? payload : Bytes{};
}

// Of a publisher that has a queue here; the others' exchanges end with their connections.
std::uint64_t kept_exchange(const Message& message) {
  const std::uint64_t exchange = message.origin.exchange;
  return exchange < core::exchange_of(1, 0) ? 0 : exchange;
}

}  // namespace

std::span<const Draft> RunEncoder::encode(const core::Run& run, Duration to_calendar) {
  bodies_.clear();
  places_.clear();
  drafts_.clear();
  // How many messages the recipients' octets hold for: as many as the first that gets fewer.
  std::size_t good_for = 0;
  for (std::size_t i = 0; i < run.messages.size(); ++i) {
    if (i >= good_for) {
      encode_recipients(run.recipients, i);
      good_for = run.messages.size();
      for (const core::Recipient& recipient : run.recipients) {
        if (recipient.count > i) good_for = std::min<std::size_t>(good_for, recipient.count);
      }
    }
    encode_message(*run.messages[i], i, run.moved_from, to_calendar);
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::size_t end = i + 1 < places_.size() ? places_[i + 1].begin : bodies_.size();
    drafts_.push_back(make_draft(RecordKind::kMessage,
                                 bodies_.bytes().subspan(places_[i].begin, end - places_[i].begin),
                                 places_[i].payload, places_[i].references));
  }
  return drafts_;
}

Draft RunEncoder::encode_value(const Message& message, Duration to_calendar) {
  bodies_.clear();
  std::uint8_t* out = bodies_.room(copied_octets_max(message));
  out = put_content(out, message, to_calendar);
  bodies_.keep_to(put_small_payload(out, message.payload));
  return make_draft(RecordKind::kValue, bodies_.bytes(), large_payload(message.payload), 1);
}

void RunEncoder::encode_recipients(std::span<const core::Recipient> recipients, std::size_t index) {
  recipients_.clear();
  recipient_count_ = 0;
  core::QueueId queue = 0;
  model::Tag tag = 0;
  for (const core::Recipient& recipient : recipients) {
    if (recipient.count <= index) continue;
    const std::size_t ids = recipient.subscription_ids.size();
    std::uint8_t* out = recipients_.room(1 + kVarintMax * (3 + ids));
    out = put_delta(out, queue, recipient.queue);
    out = put_delta(out, tag, recipient.tag);
    *out++ = static_cast<std::uint8_t>(static_cast<unsigned>(recipient.guarantee) |
                                       (recipient.retain_as_published ? kRetainAsPublished : 0u) |
                                       (ids != 0 ? kHasIds : 0u));
    if (ids != 0) out = put_varint(out, ids);
    for (const std::uint32_t id : recipient.subscription_ids) out = put_varint(out, id);
    recipients_.keep_to(out);
    queue = recipient.queue;
    tag = recipient.tag;
    ++recipient_count_;
  }
}

void RunEncoder::encode_message(const Message& message, std::size_t index,
                                const core::QueuePlace& moved_from, Duration to_calendar) {
  const Bytes recipients = recipients_.bytes();
  const std::size_t begin = bodies_.size();
  std::uint8_t* out =
      bodies_.room(1 + 6 * kVarintMax + recipients.size() + copied_octets_max(message));
  const std::uint64_t exchange = kept_exchange(message);
  const bool moved = moved_from.queue != 0;
  *out++ = static_cast<std::uint8_t>((exchange != 0 ? kHasExchange : 0) | (moved ? kMoved : 0));
  if (exchange != 0) out = put_varint(out, exchange);
  if (moved) out = put_varint(put_varint(out, moved_from.queue), moved_from.tag);
  out = put_varint(out, index);
  out = put_prefixed(out, recipients);
  out = put_content(out, message, to_calendar);
  bodies_.keep_to(put_small_payload(out, message.payload));
  places_.push_back({begin, recipient_count_, large_payload(message.payload)});
}

void RecipientView::subscription_ids(std::vector<std::uint32_t>& into) const {
  into.clear();
  Cursor in(ids);
  for (std::uint32_t i = 0; i < id_count; ++i) {
    into.push_back(static_cast<std::uint32_t>(in.varint()));
  }
}

bool RecipientReader::next() {
  if (cursor_.at_end()) return false;
  recipient_.queue = cursor_.delta(recipient_.queue);
  base_ = cursor_.delta(base_);
  recipient_.tag = base_ + index_;
  const std::uint8_t flags = cursor_.u8();
  if (flags > kRecipientBits || (flags & kRecipientGuarantee) > 2) cursor_.fail();
  recipient_.guarantee = static_cast<Guarantee>(flags & kRecipientGuarantee);
  recipient_.retain_as_published = (flags & kRetainAsPublished) != 0;
  recipient_.id_count = 0;
  recipient_.ids = {};
  if ((flags & kHasIds) != 0) {
    recipient_.id_count = static_cast<std::uint32_t>(cursor_.varint_to(cursor_.remaining()));
    const Bytes rest = cursor_.rest();
    for (std::uint32_t i = 0; i < recipient_.id_count && cursor_.ok(); ++i) {
      (void)cursor_.varint_to(UINT32_MAX);
    }
    recipient_.ids = rest.first(rest.size() - cursor_.remaining());
  }
  return cursor_.ok();
}

WireResult<MessageRecord> decode_message(const RecordView& record) {
  if (record.version > kBodyVersion) return malformed(0, 0, "docs/formats/log.md: version");
  Cursor in(record.body);
  MessageRecord message;
  const std::uint8_t flags = in.u8();
  if (flags > (kHasExchange | kMoved)) return malformed(0, 0, "docs/formats/log.md: message flags");
  if ((flags & kHasExchange) != 0) message.exchange = in.varint();
  if ((flags & kMoved) != 0) message.moved_from = {.queue = in.varint(), .tag = in.varint()};
  const std::uint64_t index = in.varint();
  message.recipients = RecipientReader(in.prefixed(), index);
  if (!in.ok()) return malformed(0, in.offset(), "docs/formats/log.md: message");
  message.content = in.rest();
  return message;
}

WireResult<Message> decode_value(const RecordView& record, Duration to_calendar,
                                 PropertyStorage& storage) {
  if (record.version > kBodyVersion) return malformed(0, 0, "docs/formats/log.md: version");
  return decode_content(record.body, to_calendar, storage);
}

}  // namespace hermod::store
