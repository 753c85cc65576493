// SPDX-License-Identifier: Apache-2.0
#include "mqtt_subscriber.hpp"

#include <algorithm>

#include "hermod/mqtt/codec/acks.hpp"
#include "hermod/mqtt/codec/packet_type.hpp"
#include "hermod/mqtt/codec/varint.hpp"
#include "payload.hpp"

namespace hermod::load {
namespace {

constexpr std::uint64_t kNone = ~std::uint64_t{0};

}  // namespace

MqttSubscriber::MqttSubscriber(LinkNames names, unsigned number, Flows& flows, const Pacing* pacing,
                               Histogram* delays, SharedGroup* group)
    : MqttLink(std::move(names)),
      number_(number),
      flows_(flows),
      pacing_(pacing),
      delays_(delays),
      random_(number),
      has_properties_(version() == mqtt::Version::kV5),
      plain_(pacing == nullptr && group == nullptr),
      sources_(flows.sources()),
      group_(group),
      trackers_(group == nullptr ? sources_ : 0),
      next_(group == nullptr ? 0 : sources_) {
  if (group_ != nullptr) group_->join();
}

bool MqttSubscriber::on_publish(const mqtt::FixedHeader& header, const std::uint8_t* body,
                                Turn& turn) {
  const unsigned qos = header.flags >> 1 & 3;
  std::size_t payload_at = 2;
  if (header.remaining_length < payload_at) return false;
  payload_at += static_cast<std::size_t>(body[0] << 8 | body[1]);
  const std::uint8_t* const id = body + payload_at;
  if (qos != 0) payload_at += 2;
  if (has_properties_) payload_at += properties_size(header, body, payload_at);
  if (header.remaining_length < payload_at) return false;
  if (qos != 0) {
    answer(qos == 1 ? mqtt::PacketType::kPuback : mqtt::PacketType::kPubrec,
           static_cast<std::uint16_t>(id[0] << 8 | id[1]));
  }
  on_message(body + payload_at, header.remaining_length - payload_at, turn);
  return true;
}

std::size_t MqttSubscriber::on_packets(Bytes bytes, Turn& turn) {
  if (pacing_ != nullptr) read_at_ = turn.clock->now();
  const std::uint64_t picked = flows_.timed() ? pick_message(bytes.size()) : kNone;
  accounted_ = nullptr;
  Sample sample;
  std::size_t used = 0;
  std::uint64_t messages = 0;
  while (bytes.size() - used >= 2) {
    const auto header = mqtt::read_fixed_header(bytes.subspan(used), version());
    if (!header && header.error().incomplete()) break;
    if (!header) {
      close("the server sent a malformed packet", turn);
      return used;
    }
    if (bytes.size() - used < header->packet_size()) break;
    const std::uint8_t* const body = bytes.data() + used + header->header_size;
    used += header->packet_size();
    if (header->type == mqtt::PacketType::kPublish) {
      if (!on_publish(*header, body, turn)) {
        close("the server sent a malformed PUBLISH", turn);
        return used;
      }
      if (messages++ == picked) sample = {accounted_, turn.clock->now()};
    } else if (header->type == mqtt::PacketType::kPubrel && is_ack(header->remaining_length)) {
      answer(mqtt::PacketType::kPubcomp, static_cast<std::uint16_t>(body[0] << 8 | body[1]));
    } else {
      turn.tally->unexpected.add(1);
    }
  }
  if (messages != 0) {
    turn.tally->operations.add(messages);
    turn.tally->progress.add(messages);
    if (flows_.timed()) {
      if (sample.payload == nullptr) sample = {accounted_, turn.clock->now()};
      note_delay(sample, messages, turn);
      message_bytes_ = used / messages;
    }
  }
  return used;
}

// Which message of a read of that size is timed.
std::uint64_t MqttSubscriber::pick_message(std::size_t bytes) {
  const std::uint64_t about = std::max<std::uint64_t>(1, bytes / message_bytes_);
  random_ = random_ * 6364136223846793005u + 1442695040888963407u;
  return (random_ >> 32) * about >> 32;
}

void MqttSubscriber::note_delay(const Sample& sample, std::uint64_t messages, Turn& turn) {
  if (sample.payload == nullptr || !turn.measured(sample.at)) return;
  const Stamp stamp = read_stamp(sample.payload);
  delays_->record(sample.at - flows_.send_time(stamp.publisher, stamp.sequence), messages);
}

// Octets of the properties and their length, which the load does not look at; more than there are
// when they are malformed.
std::size_t MqttSubscriber::properties_size(const mqtt::FixedHeader& header,
                                            const std::uint8_t* body, std::size_t at) {
  if (at >= header.remaining_length) return 1;
  if (body[at] == 0) [[likely]]
    return 1;
  Reader reader(Bytes(body, header.remaining_length).subspan(at));
  const std::uint32_t length = mqtt::read_varint(reader);
  return length == mqtt::kNoVarint ? header.remaining_length : mqtt::varint_size(length) + length;
}

inline void MqttSubscriber::account(unsigned source, std::uint64_t sequence) {
  SequenceTracker& tracker = trackers_[source];
  tracker.on_message(sequence);
  flows_.set_seen(number_, source, tracker.next());
}

void MqttSubscriber::on_message(const std::uint8_t* payload, std::size_t size, Turn& turn) {
  if (size < kPayloadMin) {
    turn.tally->unexpected.add(1);
    return;
  }
  const Stamp stamp = read_stamp(payload);
  const unsigned source = flows_.source_of(number_, stamp.publisher);
  // What nobody has sent comes from somebody else, and must not open a window.
  if (source >= sources_ || stamp.sequence >= flows_.sent(stamp.publisher)) {
    turn.tally->unexpected.add(1);
    return;
  }
  accounted_ = payload;
  if (!plain_) [[unlikely]]
    return on_special_message(source, stamp, turn);
  account(source, stamp.sequence);
}

// In a group, or of an open loop.
void MqttSubscriber::on_special_message(unsigned source, const Stamp& stamp, Turn& turn) {
  if (group_ == nullptr) {
    account(source, stamp.sequence);
  } else {
    group_->on_message(source, stamp.sequence, next_[source]);
    flows_.set_seen(number_, source, group_->trackers()[source].base());
  }
  if (pacing_ == nullptr) return;
  const Instant due = turn.schedule->load_begin + pacing_->due(stamp.publisher, stamp.sequence);
  if (turn.measured(due)) {
    delays_->record(read_at_ - due);
  }
}

void MqttSubscriber::answer(mqtt::PacketType type, std::uint16_t id) {
  const mqtt::AckView ack{type, id};
  const std::size_t size = mqtt::ack_size(ack, kAckVersion);
  mqtt::write_ack(out().reserve(size), ack, kAckVersion);
  out().commit(size);
}

void MqttSubscriber::on_closed(std::string_view why, Turn& turn) {
  if (group_ == nullptr || group_->leave()) {
    for (unsigned source = 0; source < sources_; ++source) {
      flows_.set_seen(number_, source, Flows::kGone);
    }
  }
  MqttLink::on_closed(why, turn);
}

}  // namespace hermod::load
