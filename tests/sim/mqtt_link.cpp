// SPDX-License-Identifier: Apache-2.0
#include "mqtt_link.hpp"

#include <algorithm>
#include <array>

#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/publish.hpp"

namespace hermod::sim {

using model::Reason;
using transport::IoResult;

MqttLink::MqttLink(std::unique_ptr<transport::Stream> stream, const mqtt::ClientOptions& options,
                   session::Inflight inflight, Owner& owner)
    : stream_(std::move(stream)),
      session_(options, std::move(inflight)),
      owner_(owner),
      keep_alive_(std::chrono::seconds{options.keep_alive_s}),
      version_(options.version) {}

template <typename Input>
void MqttLink::with_session(Input&& input) {
  session::EffectList list;
  session::Effects effects({1, 1}, output_, list);
  input(effects);
  for (session::EffectRecord& record : list) {
    if (const auto* close = std::get_if<session::Close>(&record.effect)) {
      closing_ = true;
      gave_up_ = close->reason == Reason::kTimeout;
    } else {
      owner_.on_effect(record.effect);
    }
  }
}

void MqttLink::open(Instant now) {
  with_session([&](session::Effects& effects) { session_.on_open(now, effects); });
  flush(now);
}

void MqttLink::on_ready(Instant now) {
  if (end_ != End::kNone) return;
  unread_ = true;
  if (!closing_ && session_.next_deadline() <= now) {
    with_session([&](session::Effects& effects) { session_.on_deadline(now, effects); });
  }
  read(now);
  flush(now);
  if (closing_ && linger_until_ <= now) finish(End::kBroken, now);
}

Instant MqttLink::due() const {
  if (end_ != End::kNone) return kNever;
  const Instant reading = unread_ && read_pause_ > Duration::zero() ? read_at_ : kNever;
  return std::min(closing_ ? linger_until_ : session_.next_deadline(), reading);
}

void MqttLink::read(Instant now) {
  std::array<std::uint8_t, 4096> buffer;
  while (unread_ && end_ == End::kNone && read_at_ <= now) {
    const IoResult result =
        stream_->read(std::span{buffer}.first(std::min(read_max_, buffer.size())));
    if (result.status == IoResult::Status::kAgain) {
      unread_ = false;
    } else if (result.status == IoResult::Status::kDone) {
      read_at_ = now + read_pause_;
      if (lingering_) continue;
      const Bytes octets{buffer.data(), result.count};
      scan(octets);
      rest_.insert(rest_.end(), octets.begin(), octets.end());
      offer(now);
      if (read_pause_ > Duration::zero()) return;
    } else {
      const bool well = lingering_ && in_time_ && result.status == IoResult::Status::kClosed;
      finish(well ? End::kGoodbye : End::kBroken, now);
    }
  }
}

void MqttLink::offer(Instant now) {
  while (!rest_.empty() && end_ == End::kNone && !closing_) {
    std::size_t count = 0;
    with_session([&](session::Effects& effects) {
      count = session_.on_bytes(rest_, session::Intake::kEverything, now, effects);
    });
    if (count == 0) return;
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

// Looks at the packets that come, beside the session: DUP is not a property of a message, so that
// the session's effects do not tell it [MQTT-3.3.1-3].
void MqttLink::scan(Bytes bytes) {
  unscanned_.insert(unscanned_.end(), bytes.begin(), bytes.end());
  std::size_t at = 0;
  while (true) {
    const Bytes rest = Bytes{unscanned_}.subspan(at);
    const auto header = mqtt::read_fixed_header(rest, version_);
    if (!header || rest.size() < header->packet_size()) break;
    if (header->type == mqtt::PacketType::kPublish) {
      const auto publish = mqtt::read_publish(
          *header, rest.subspan(header->header_size, header->remaining_length), version_);
      if (publish) publishes_.push_back({publish->packet_id, publish->qos, publish->dup});
      if (publish && publish->qos == 0 && publish->dup) ++odd_packets_;
    }
    at += header->packet_size();
  }
  unscanned_.erase(unscanned_.begin(), unscanned_.begin() + static_cast<std::ptrdiff_t>(at));
}

bool MqttLink::dup_of(session::Ticket ticket) {
  const auto qos = static_cast<std::uint8_t>(ticket >> 16 & 3);
  const auto packet_id = static_cast<std::uint16_t>(ticket);
  while (!publishes_.empty()) {  // those that are skipped were repetitions, which make no effect
    const Seen seen = publishes_.front();
    publishes_.pop_front();
    if (seen.qos == qos && seen.packet_id == packet_id) return seen.dup;
  }
  return false;
}

void MqttLink::flush(Instant now) {
  if (gave_up_) return finish(End::kBroken, now);  // nobody is there to take the rest
  while (end_ == End::kNone && !output_.empty()) {
    std::array<Bytes, 16> pieces;
    const std::size_t count = output_.gather(pieces);
    const IoResult result = stream_->write(std::span{pieces}.first(count));
    if (result.status == IoResult::Status::kAgain) return;
    if (result.status != IoResult::Status::kDone) return finish(End::kBroken, now);
    output_.consume(result.count);
    written_at_ = now;
  }
  if (!closing_ || lingering_ || end_ != End::kNone) return;
  lingering_ = true;
  unread_ = true;
  stream_->shutdown_write();
  if (!said_goodbye_) return finish(End::kBroken, now);
  read(now);
}

void MqttLink::finish(End end, Instant now) {
  if (end_ != End::kNone) return;
  end_ = end;
  with_session([&](session::Effects& effects) {
    session_.on_close(end == End::kGoodbye ? Reason::kOk : Reason::kPeerClosed, now, effects);
  });
}

bool MqttLink::subscribe(std::span<const mqtt::SubscribeEntry> entries, session::Ticket ticket,
                         Instant now) {
  bool sent = false;
  with_session(
      [&](session::Effects& effects) { sent = session_.subscribe(entries, ticket, now, effects); });
  flush(now);
  return sent;
}

bool MqttLink::unsubscribe(std::span<const std::string_view> filters, session::Ticket ticket,
                           Instant now) {
  bool sent = false;
  with_session([&](session::Effects& effects) {
    sent = session_.unsubscribe(filters, ticket, now, effects);
  });
  flush(now);
  return sent;
}

void MqttLink::deliver(const model::DeliveryBatch& batch, Instant now) {
  with_session([&](session::Effects& effects) { session_.on_deliveries(batch, now, effects); });
  flush(now);
}

void MqttLink::answer(std::span<const session::Ticket> tickets, Instant now) {
  if (end_ != End::kNone) return;
  std::vector<session::Answer> answers;
  for (const session::Ticket ticket : tickets) answers.push_back({.ticket = ticket});
  with_session([&](session::Effects& effects) { session_.on_answers(answers, now, effects); });
  offer(now);
  flush(now);
}

void MqttLink::disconnect(Instant now) {
  if (closing_ || end_ != End::kNone) return;
  with_session([&](session::Effects& effects) { session_.disconnect(now, effects); });
  said_goodbye_ = closing_;
  in_time_ = closing_ && now - written_at_ <= keep_alive_;
  linger_until_ = now + kLinger;
  flush(now);
}

void MqttLink::abandon(Instant now) {
  finish(End::kBroken, now);
}

void MqttLink::read_slowly(std::size_t bytes, Duration pause) {
  read_max_ = bytes;
  read_pause_ = pause;
}

}  // namespace hermod::sim
