// SPDX-License-Identifier: Apache-2.0
#include "mqtt_publisher.hpp"

#include <algorithm>
#include <cstring>

#include "hermod/mqtt/codec/acks.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "payload.hpp"

namespace hermod::load {
namespace {

// Enough that the copy is one long memcpy, little enough that it stays in the first-level cache.
constexpr std::size_t kBlockBytes = 8 * 1024;
constexpr std::uint16_t kFirstId = 1;
constexpr std::uint8_t kRefusedFrom = 0x80;  // reason codes of MQTT 5 (§2.4)

// Identifiers in turn: several times what is under way, so that a late exchange holds nobody up.
std::size_t identifiers(const PublisherPlan& plan) {
  return std::min<std::size_t>(65'535, std::max<std::size_t>(1024, std::size_t{plan.inflight} * 4));
}

}  // namespace

MqttPublisher::MqttPublisher(LinkNames names, PublisherPlan plan, Flows& flows)
    : MqttLink(std::move(names)),
      plan_(std::move(plan)),
      flows_(flows),
      topic_number_(plan_.topics.count) {
  std::vector<std::uint8_t> payload(plan_.payload_bytes, 'x');
  write_stamp(payload.data(), {plan_.number, 0});
  const mqtt::PublishView publish{.topic = plan_.topics.first,
                                  .payload = payload,
                                  .packet_id = static_cast<std::uint16_t>(plan_.qos == 0 ? 0 : 1),
                                  .qos = static_cast<std::uint8_t>(plan_.qos)};
  packet_size_ = mqtt::publish_size(publish, version());
  payload_offset_ = packet_size_ - payload.size();
  block_packets_ = std::max<std::size_t>(1, kBlockBytes / packet_size_);
  block_.resize(block_packets_ * packet_size_);
  for (std::size_t i = 0; i < block_packets_; ++i) {
    mqtt::write_publish(block_.data() + i * packet_size_, publish, version());
  }
  // Between topic and payload stand the identifier and the length of no properties.
  const std::size_t between = (plan_.qos != 0 ? 2 : 0) + (version() == mqtt::Version::kV5 ? 1 : 0);
  if (plan_.topics.count > 1) {
    topic_number_offset_ = payload_offset_ - between - TopicCycle::kDigits;
  }
  if (plan_.qos != 0) {
    id_offset_ = mqtt::publish_packet_id_offset(block_);
    exchanges_.resize(identifiers(plan_) + 1);
  }
}

std::uint64_t MqttPublisher::floor() const {
  return std::max(flows_.floor(plan_.number), forgiven_);
}

std::uint64_t MqttPublisher::publish(std::uint64_t limit, Turn& turn) {
  if (!ready()) return 0;
  if (plan_.messages != 0) limit = std::min(limit, plan_.messages);
  if (limit <= sent_) return 0;
  std::uint64_t count = limit - sent_;
  if (plan_.qos != 0) {
    const std::uint64_t open = unacknowledged_ - unacknowledged_forgiven_;
    const std::uint64_t inflight =
        std::min(plan_.inflight, server_limits().receive_maximum);  // [MQTT-3.3.4-7]
    count = std::min(count, inflight - std::min(open, inflight));
    // Identifiers of exchanges that never end are not used again [MQTT-2.3.1-2].
    count = std::min(count, exchanges_.size() - 1 - unacknowledged_);
  }
  if (count == 0) return 0;
  if (sent_ == 0) last_progress_at_ = turn.now;
  if (flows_.timed()) flows_.set_send_time(plan_.number, sent_, count, turn.clock->now());
  append(count);
  flows_.set_sent(plan_.number, sent_);
  return count;
}

void MqttPublisher::append(std::uint64_t count) {
  std::uint8_t* packet = out().reserve(count * packet_size_);
  out().commit(count * packet_size_);
  const bool many_topics = plan_.topics.count > 1;
  const bool with_id = plan_.qos != 0;
  for (std::uint64_t left = count; left != 0;) {
    const std::uint64_t some = std::min<std::uint64_t>(left, block_packets_);
    std::memcpy(packet, block_.data(), some * packet_size_);
    for (std::uint64_t i = 0; i < some; ++i, packet += packet_size_) {
      write_sequence(packet + payload_offset_, sent_++);
      if (many_topics) topic_number_.write_and_advance(packet + topic_number_offset_);
      if (with_id) mqtt::patch_publish(packet, id_offset_, take_id(), false);
    }
    left -= some;
  }
  if (plan_.qos != 0) unacknowledged_ += count;
}

std::uint16_t MqttPublisher::take_id() {
  for (;;) {
    const std::uint16_t id = next_id_;
    next_id_ = next_id_ + 1u == exchanges_.size() ? kFirstId : static_cast<std::uint16_t>(id + 1);
    if (exchanges_[id] != Exchange::kFree) continue;
    exchanges_[id] = Exchange::kPublished;
    return id;
  }
}

std::size_t MqttPublisher::on_packets(Bytes bytes, Turn& turn) {
  std::size_t used = 0;
  while (bytes.size() - used >= 2) {
    const auto header = mqtt::read_fixed_header(bytes.subspan(used), version());
    if (!header && !header.error().incomplete()) {
      close("the server sent a malformed packet", turn);
      return used;
    }
    if (!header || bytes.size() - used < header->packet_size()) return used;
    const std::uint8_t* const body = bytes.data() + used + header->header_size;
    used += header->packet_size();
    const std::size_t size = header->remaining_length;
    const bool has_reason = size > 2 && version() == mqtt::Version::kV5;
    if (size == 2 || has_reason) {
      on_acknowledgement(header->type, static_cast<std::uint16_t>(body[0] << 8 | body[1]),
                         has_reason && body[2] >= kRefusedFrom, turn);
    } else {
      turn.tally->unexpected.add(1);
    }
  }
  return used;
}

// Before MQTT 5 nothing is refused.
void MqttPublisher::on_acknowledgement(mqtt::PacketType kind, std::uint16_t id, bool refused,
                                       Turn& turn) {
  if (refused) turn.tally->refused.add(1);
  const Exchange state = id < exchanges_.size() ? exchanges_[id] : Exchange::kFree;
  const bool ends = plan_.qos == 1
                        ? kind == mqtt::PacketType::kPuback && state == Exchange::kPublished
                        : kind == mqtt::PacketType::kPubcomp && state == Exchange::kReleased;
  const bool ends_early = refused && plan_.qos == 2 && kind == mqtt::PacketType::kPubrec &&
                          state == Exchange::kPublished;  // [MQTT-4.3.3-4]
  if (ends || ends_early) {
    finish(id);
  } else if (plan_.qos == 2 && kind == mqtt::PacketType::kPubrec && state != Exchange::kFree) {
    exchanges_[id] = Exchange::kReleased;  // [MQTT-4.3.3-1]
    const mqtt::AckView pubrel{mqtt::PacketType::kPubrel, id};
    mqtt::write_ack(out().reserve(mqtt::ack_size(pubrel, kAckVersion)), pubrel, kAckVersion);
    out().commit(mqtt::ack_size(pubrel, kAckVersion));
  } else {
    turn.tally->unexpected.add(1);
  }
}

void MqttPublisher::finish(std::uint16_t id) {
  exchanges_[id] = Exchange::kFree;
  --unacknowledged_;
  ++acknowledged_;
  unacknowledged_forgiven_ = std::min(unacknowledged_forgiven_, unacknowledged_);
}

void MqttPublisher::look_for_stall(bool held, Turn& turn) {
  const std::uint64_t progress = floor() + acknowledged_;
  if (progress != last_progress_ || !held || !drained()) {
    last_progress_ = progress;
    last_progress_at_ = turn.now;
    return;
  }
  if (turn.now - last_progress_at_ < kStallAfter) return;
  forgiven_ = sent_;
  unacknowledged_forgiven_ = unacknowledged_;
  last_progress_at_ = turn.now;
  turn.tally->stalls.add(1);
}

void MqttPublisher::report(bool ended) {
  flows_.set_open(plan_.number, unacknowledged_, ended || state() == State::kClosed);
}

}  // namespace hermod::load
