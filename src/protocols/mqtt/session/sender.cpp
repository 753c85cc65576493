// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/sender.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "hermod/base/assert.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using model::EncodeSlots;
using model::Guarantee;
using session::Inflight;
using session::Stage;

// A message is over without being the peer's. Only a client's owner wants to know why.
void reject(model::Tag tag, ReasonCode reason, const Flow& flow, session::Effects& effects) {
  if (!flow.v5 || !flow.v5->client) return effects.accept(tag, 1);
  effects.push(
      session::Settle{tag, tag, model::Outcome::kReject, 1, static_cast<std::uint8_t>(reason)});
}

std::uint16_t take_id(Flow& flow, model::Tag tag, Guarantee guarantee) {
  if (flow.kept) return flow.inflight.take_for(tag, guarantee);
  const std::uint16_t id = flow.inflight.take(tag, guarantee);  // [MQTT-4.3.2-1], [MQTT-4.3.3-1]
  HERMOD_ASSERT(id != 0);
  return id;
}

// The key of octets that are the same for every subscriber: protocol, version, QoS, RETAIN.
std::uint32_t slot_key(Version version, const Delivery& delivery) {
  return std::uint32_t{static_cast<std::uint8_t>(session::ProtocolId::kMqtt)} << 24 |
         std::uint32_t{static_cast<std::uint8_t>(version)} << 16 |
         std::uint32_t{to_qos(delivery.guarantee)} << 1 | (delivery.retain ? 1u : 0u);
}

// True when all deliveries carry the flags of the first, none is a repetition, and none is too old.
bool same_flags(std::span<const Delivery> items, Instant now) {
  const Delivery& first = items.front();
  unsigned differences = 0;
  for (const Delivery& item : items) {
    differences |= static_cast<unsigned>(item.guarantee) ^ static_cast<unsigned>(first.guarantee);
    differences |= static_cast<unsigned>(item.retain != first.retain);
    differences |= static_cast<unsigned>(item.redelivered) | static_cast<unsigned>(item.recovered);
    differences |= static_cast<unsigned>(item.message->expires_at <= now);
  }
  return differences == 0;
}

// True when every message is small, so that its octets are worth copying and surely fit a packet.
bool all_small(std::span<const Delivery> items) {
  return std::ranges::all_of(items, [](const Delivery& item) {
    return item.message->payload.size() < Output::kShareFrom &&
           item.message->destination.address.size() <= kFieldBytesMax;
  });
}

// The properties of a delivery in the words of MQTT 5. Nothing when they do not fit: it is not
// sent.
std::optional<EncodedProperties> encode_properties_of(const Delivery& delivery, Instant now,
                                                      std::uint16_t alias = 0) {
  std::vector<Property> list;
  if (alias != 0) list.push_back({.id = PropertyId::kTopicAlias, .number = alias});
  append_properties(*delivery.message, delivery.subscription_ids, now, list);
  EncodedProperties encoded;
  if (!encoded.encode(list)) return std::nullopt;
  return encoded;
}

// Octets of a packet worth sharing: properties may be as long as a packet can be.
constexpr std::size_t kSharedPacketMax = 2 * kFieldBytesMax;

// Encodes the batch with packet ids of 0; the slot's offsets are where those stand. False, and
// nothing useful, when a message has properties that are long or cannot be said.
bool fill(EncodeSlots::Slot& slot, std::span<const Delivery> items, Version version, Instant now) {
  for (const Delivery& item : items) {
    PublishView publish =
        to_publish(*item.message, {.guarantee = item.guarantee, .retain = item.retain});
    std::optional<EncodedProperties> properties;
    if (version == Version::kV5 && !has_no_properties(*item.message, item.subscription_ids)) {
      properties = encode_properties_of(item, now);
      if (!properties) return false;
      publish.properties = properties->block();
    }
    const std::size_t size = publish_size(publish, version);
    if (size == 0 || size > kSharedPacketMax) return false;
    const std::size_t begin = slot.bytes.size();
    slot.bytes.resize(begin + size);
    std::uint8_t* const at = slot.bytes.data() + begin;
    write_publish(at, publish, version);
    if (publish.qos == 0) continue;
    const std::size_t id_at = publish_packet_id_offset({at, slot.bytes.size() - begin});
    slot.offsets.push_back(static_cast<std::uint32_t>(begin + id_at));
  }
  return true;
}

// The batch encoded once for all who receive it; nullptr when it cannot be shared: a peer with
// aliases or a limit of its own gets its own octets.
const EncodeSlots::Slot* shared_slot(const model::DeliveryBatch& batch, const Flow& flow,
                                     Instant now) {
  if (batch.slots == nullptr || !same_flags(batch.items, now)) return nullptr;
  if (flow.v5 && (flow.v5->outgoing_aliases.used() || flow.v5->packet_bytes_max != UINT32_MAX)) {
    return nullptr;
  }
  const std::uint32_t key = slot_key(flow.version, batch.items.front());
  if (const EncodeSlots::Slot* slot = batch.slots->find(key)) {
    return slot->bytes.empty() ? nullptr : slot;
  }
  if (!all_small(batch.items)) return nullptr;
  EncodeSlots::Slot& slot = batch.slots->make(key);
  if (!fill(slot, batch.items, flow.version, now)) slot.bytes.clear();
  return slot.bytes.empty() ? nullptr : &slot;
}

void deliver_shared(const EncodeSlots::Slot& slot, const model::DeliveryBatch& batch, Flow& flow,
                    Output& output) {
  std::uint8_t* const out = output.reserve(slot.bytes.size());
  std::memcpy(out, slot.bytes.data(), slot.bytes.size());
  output.commit(slot.bytes.size());
  const Guarantee guarantee = batch.items.front().guarantee;
  for (std::size_t i = 0; i < slot.offsets.size(); ++i) {
    const std::uint16_t id = take_id(flow, batch.first_tag + i, guarantee);
    out[slot.offsets[i]] = static_cast<std::uint8_t>(id >> 8);
    out[slot.offsets[i] + 1] = static_cast<std::uint8_t>(id);
  }
}

// Gives a delivery its packet id. One that was sent before keeps its id and QoS, and says DUP
// [MQTT-2.3.1-3], [MQTT-3.3.1-1], [MQTT-4.4.0-1]. What was sent to another member of a group is new
// here, and says nothing [MQTT-3.3.1-3], [MQTT-4.3.2-2]; what may have been sent before the broker
// was stopped says DUP.
void identify(PublishView& publish, const Delivery& delivery, model::Tag tag, Flow& flow) {
  if (publish.qos == 0) return;  // [MQTT-2.3.1-5], [MQTT-3.3.1-2]
  const Inflight::Entry* const before =
      delivery.redelivered ? flow.inflight.find_tag(tag) : nullptr;
  if (before != nullptr) {
    publish.dup = true;
    publish.packet_id = before->id;
    publish.qos = to_qos(before->guarantee);
  } else {
    publish.dup = delivery.recovered;
    publish.packet_id = take_id(flow, tag, delivery.guarantee);
  }
}

// Gives `publish` its properties, and the alias its number; false when the peer cannot have it so.
bool fits(PublishView& publish, const Delivery& delivery, std::uint16_t alias, const Flow& flow,
          Instant now, std::optional<EncodedProperties>& properties) {
  publish.properties = {};
  if (flow.v5 && (alias != 0 || !has_no_properties(*delivery.message, delivery.subscription_ids))) {
    properties = encode_properties_of(delivery, now, alias);
    if (!properties) return false;
    publish.properties = properties->block();
  }
  const std::size_t size = publish_size(publish, flow.version);
  return size > 0 && (!flow.v5 || size <= flow.v5->packet_bytes_max);
}

// Makes `publish` everything but its packet id; false when the peer cannot have it.
bool prepare(PublishView& publish, const Delivery& delivery, Flow& flow, Instant now,
             std::optional<EncodedProperties>& properties) {
  const std::string_view topic = publish.topic;
  OutgoingAliases::Alias alias;
  if (flow.v5) alias = flow.v5->outgoing_aliases.find(topic);
  if (alias.number != 0) {
    if (alias.known) publish.topic = {};
    if (fits(publish, delivery, alias.number, flow, now, properties)) {
      if (!alias.known) flow.v5->outgoing_aliases.set(topic, alias.number);
      return true;
    }
    publish.topic = topic;  // a short one takes less than its alias
  }
  return fits(publish, delivery, 0, flow, now, properties);
}

void send_pubrel(std::uint16_t packet_id, const Flow& flow, session::Effects& effects,
                 ReasonCode reason) {
  effects.note_sent(1);
  const std::size_t before = effects.output().size();
  send_ack(PacketType::kPubrel, packet_id, flow, effects, reason);  // [MQTT-4.3.3-1],
  effects.note_patient(effects.output().size() - before);           // [MQTT-4.6.0-4]
}

// True when it was sent.
bool deliver_one(const Delivery& delivery, model::Tag tag, Flow& flow, Instant now,
                 session::Effects& effects) {
  const model::Message& message = *delivery.message;
  PublishView publish =
      to_publish(message, {.guarantee = delivery.guarantee, .retain = delivery.retain});
  std::optional<EncodedProperties> properties;
  // What was begun is completed, however old it is by now [MQTT-4.3.3-7]. What was sent to another
  // member of a group was not begun here.
  const auto begun = [&] { return delivery.redelivered ? flow.inflight.find_tag(tag) : nullptr; };
  const bool perhaps_begun = delivery.recovered && delivery.guarantee == Guarantee::kExactlyOnce;
  const bool expired = message.expires_at <= now && begun() == nullptr && !perhaps_begun;
  if (expired || !prepare(publish, delivery, flow, now, properties)) {
    if (const Inflight::Entry* const entry = begun()) flow.inflight.finish(entry->id);
    if (publish.qos == 0) return false;
    if (expired) {
      effects.accept(tag, 1);
    } else {
      reject(tag, ReasonCode::kPacketTooLarge, flow, effects);
    }
    return false;
  }
  identify(publish, delivery, tag, flow);

  Output& output = effects.output();
  if (message.payload.size() >= Output::kShareFrom && message.owner != nullptr &&
      message.owner->shared_payload()) {
    const std::size_t header_size = publish_header_size(publish, flow.version);
    write_publish_header(output.reserve(header_size), publish, flow.version);
    output.commit(header_size);
    output.append_shared(message.owner->shared_payload());
    return true;
  }
  const std::size_t size = publish_size(publish, flow.version);
  write_publish(output.reserve(size), publish, flow.version);
  output.commit(size);
  return true;
}

}  // namespace

void deliver(const model::DeliveryBatch& batch, Flow& flow, Instant now,
             session::Effects& effects) {
  if (batch.items.empty()) return;
  if (const EncodeSlots::Slot* slot = shared_slot(batch, flow, now)) {
    effects.note_sent(batch.items.size());
    effects.note_patient(slot->bytes.size());
    return deliver_shared(*slot, batch, flow, effects.output());
  }
  const std::size_t before = effects.output().size();
  std::size_t sent = 0;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    sent += deliver_one(batch.items[i], batch.first_tag + i, flow, now, effects) ? 1 : 0;
  }
  effects.note_sent(sent);
  effects.note_patient(effects.output().size() - before);
}

void resume(Flow& flow, std::uint16_t inflight_max, session::Effects& effects) {
  const std::vector<std::uint16_t> released = flow.inflight.released();
  for (const std::uint16_t id : released) {  // [MQTT-4.4.0-1], [MQTT-4.6.0-4]
    send_ack(PacketType::kPubrel, id, flow, effects);
  }
  effects.note_sent(released.size());
  if (flow.v5) inflight_max = std::min(inflight_max, flow.v5->receive_max);  // [MQTT-3.3.4-9]
  if (released.size() < inflight_max) {
    effects.credit(static_cast<std::uint32_t>(inflight_max - released.size()));
  } else {
    flow.surplus = static_cast<std::uint16_t>(released.size() - inflight_max);
  }
}

Step on_puback(std::uint16_t packet_id, Flow& flow, session::Effects& effects, ReasonCode reason) {
  const Inflight::Entry* const entry = flow.inflight.find(packet_id);
  if (entry == nullptr) return Step::kNext;
  if (entry->guarantee != Guarantee::kAtLeastOnce) return Step::kStop;
  const model::Tag tag = entry->tag;
  flow.inflight.finish(packet_id);
  if (is_failure(reason)) {
    reject(tag, reason, flow, effects);
  } else {
    effects.accept(tag, 1);
  }
  return Step::kNext;
}

Step on_pubrec(std::uint16_t packet_id, ReasonCode reason, Flow& flow, session::Effects& effects) {
  Inflight::Entry* const entry = flow.inflight.find(packet_id);
  if (entry != nullptr) {
    if (entry->guarantee != Guarantee::kExactlyOnce) return Step::kStop;
    if (entry->stage == Stage::kSent && is_failure(reason)) {  // over, and not sent again (§4.3.3)
      const model::Tag tag = entry->tag;
      flow.inflight.finish(packet_id);
      reject(tag, reason, flow, effects);
      return Step::kNext;
    }
    if (flow.kept) {  // PUBREL follows when that is safe
      effects.push(session::Release{entry->tag, make_ticket(TicketKind::kRelease, packet_id)});
      if (entry->stage == Stage::kSent) flow.inflight.release(*entry);
      return Step::kNext;
    }
    if (entry->stage == Stage::kSent) {
      effects.accept(entry->tag, 0);
      flow.inflight.release(*entry);
    }
  } else if (is_failure(reason)) {  // [MQTT-4.3.3-4]: neither side knows of an exchange
    return Step::kNext;
  }
  send_pubrel(packet_id, flow, effects,
              entry != nullptr ? ReasonCode::kSuccess : ReasonCode::kPacketIdentifierNotFound);
  return Step::kNext;
}

void on_released(const session::Answer& answer, Flow& flow, session::Effects& effects) {
  send_pubrel(packet_id_of(answer.ticket), flow, effects, ReasonCode::kSuccess);
}

Step on_pubcomp(std::uint16_t packet_id, Flow& flow, session::Effects& effects) {
  const Inflight::Entry* const entry = flow.inflight.find(packet_id);
  if (entry == nullptr) return Step::kNext;
  if (entry->stage != Stage::kReleased) return Step::kStop;
  const model::Tag tag = entry->tag;
  flow.inflight.finish(packet_id);
  const bool surplus = flow.surplus > 0;
  if (surplus) --flow.surplus;
  if (flow.kept) {
    effects.accept(tag, surplus ? 0 : 1);
  } else if (!surplus) {
    effects.credit(1);
  }
  return Step::kNext;
}

}  // namespace hermod::mqtt
