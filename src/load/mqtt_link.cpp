// SPDX-License-Identifier: Apache-2.0
#include "mqtt_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>

#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"

namespace hermod::load {
namespace {

constexpr std::uint16_t kSubscribeId = 1;  // one SUBSCRIBE at a time
constexpr std::uint32_t kFiltersPerPacket = 500;

}  // namespace

void MqttLink::connect(const transport::Address& to, transport::Token token, Turn& turn) {
  auto stream = transport::connect_tcp(to);
  if (!stream) {
    close(stream.error(), turn);
    return;
  }
  stream_ = std::move(*stream);
  state_ = State::kConnecting;
  if (!turn.poller->add(*stream_, token)) close("the poller takes no more sockets", turn);
}

void MqttLink::on_event(const transport::Event& event, Turn& turn) {
  if (event.writable) on_writable(turn);
  if (event.readable && reads_ && stream_ != nullptr && state_ != State::kConnecting) {
    on_readable(turn);
  }
}

void MqttLink::on_writable(Turn& turn) {
  writable_ = true;
  if (state_ == State::kConnecting) {
    const int error = transport::connect_error(*stream_);
    if (error == EINPROGRESS) return;
    if (error != 0) {
      close(std::generic_category().message(error), turn);
      return;
    }
    static constexpr mqtt::Property kForEver[] = {
        {.id = mqtt::PropertyId::kSessionExpiryInterval, .number = UINT32_MAX}};
    std::array<std::uint8_t, 8> properties;
    mqtt::ConnectView connect{.version = names_.version,
                              .clean_session = !names_.lasting,
                              .keep_alive_s = names_.keep_alive_s,
                              .client_id = names_.client_id};
    if (names_.lasting) connect.properties = mqtt::encode_properties(properties.data(), kForEver);
    const std::size_t size = mqtt::connect_size(connect);
    mqtt::write_connect(out_.reserve(size), connect);
    out_.commit(size);
    state_ = State::kHandshake;
  }
  if (stream_ != nullptr) flush(turn);
}

void MqttLink::on_readable(Turn& turn) {
  for (;;) {
    const std::size_t kept = rest_.size();
    if (kept != 0) std::memcpy(turn.scratch.data(), rest_.data(), kept);
    const std::span<std::uint8_t> room = turn.scratch.subspan(kept);
    const transport::IoResult result = stream_->read(room);
    if (result.status == transport::IoResult::Status::kAgain) return;
    if (result.status != transport::IoResult::Status::kDone) {
      close(result.status == transport::IoResult::Status::kClosed
                ? "the server closed the connection"
                : std::generic_category().message(result.error),
            turn);
      return;
    }
    const Bytes bytes{turn.scratch.data(), kept + result.count};
    std::size_t used = 0;
    if (!ready()) used = on_handshake(bytes, turn);
    if (ready()) used += on_packets(bytes.subspan(used), turn);
    if (stream_ == nullptr) return;
    if (used == 0 && bytes.size() == turn.scratch.size()) {
      close("the server sent a packet that is larger than any of the load", turn);
      return;
    }
    rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end());
    if (!out_.empty()) flush(turn);
    // While setting up, read again: the end may stand right behind a refusal without an event of
    // its own.
    if (stream_ == nullptr || !reads_ || (ready() && result.count < room.size())) return;
  }
}

std::size_t MqttLink::on_handshake(Bytes bytes, Turn& turn) {
  std::size_t used = 0;
  while (stream_ != nullptr && !ready()) {
    const auto header = mqtt::read_fixed_header(bytes.subspan(used), names_.version);
    if (!header && header.error().incomplete()) return used;
    if (!header) {
      close("the server does not speak MQTT", turn);
      return used;
    }
    if (bytes.size() - used < header->packet_size()) return used;
    const Bytes body = bytes.subspan(used + header->header_size, header->remaining_length);
    used += header->packet_size();
    if (state_ == State::kHandshake) {
      on_connack(*header, body, turn);
    } else if (header->type == mqtt::PacketType::kSuback) {
      on_suback(*header, body, turn);
    }  // else: a retained message that came before SUBACK (MQTT 3.1.1 §3.8.4)
  }
  return used;
}

void MqttLink::on_connack(const mqtt::FixedHeader& header, Bytes body, Turn& turn) {
  if (header.type != mqtt::PacketType::kConnack) {
    close("the server's first packet is no CONNACK [MQTT-3.2.0-1]", turn);
    return;
  }
  const auto connack = mqtt::read_connack(header, body, names_.version);
  if (!connack) {
    close("the server sent a malformed CONNACK", turn);
    return;
  }
  if (!is_accepted(*connack, names_.version)) {
    refused(*connack, turn);
    return;
  }
  using enum mqtt::PropertyId;
  server_limits_.receive_maximum =
      connack->properties.number_or(kReceiveMaximum, server_limits_.receive_maximum);
  server_limits_.packet_bytes_max =
      connack->properties.number_or(kMaximumPacketSize, server_limits_.packet_bytes_max);
  if (names_.filters.count == 0) {
    become_ready(turn);
    return;
  }
  state_ = State::kSubscribing;
  subscribe_more();
}

void MqttLink::subscribe_more() {
  asked_for_ = std::min(kFiltersPerPacket, names_.filters.count - granted_);
  std::vector<std::string> names;
  std::vector<mqtt::SubscribeEntry> entries;
  names.reserve(asked_for_);  // the entries refer to the names
  for (std::uint32_t i = 0; i < asked_for_; ++i) {
    names.push_back(names_.filters.name(granted_ + i));
    entries.push_back({names.back(), names_.qos});
  }
  const std::size_t size = mqtt::subscribe_size(entries, names_.version);
  mqtt::write_subscribe(out_.reserve(size), kSubscribeId, entries, names_.version);
  out_.commit(size);
}

void MqttLink::refused(const mqtt::ConnackView& connack, Turn& turn) {
  close(names_.version == mqtt::Version::kV5
            ? fmt::format("the server refuses CONNECT with reason code 0x{:02X}",
                          static_cast<int>(connack.reason))
            : fmt::format("the server refuses CONNECT with return code {}",
                          static_cast<int>(connack.return_code)),
        turn);
}

void MqttLink::on_suback(const mqtt::FixedHeader& header, Bytes body, Turn& turn) {
  const auto suback = mqtt::read_suback(header, body, names_.version);
  if (!suback || suback->return_codes.size() != asked_for_) {
    close("the server sent a SUBACK that is not of the SUBSCRIBE", turn);
    return;
  }
  const auto refused = std::ranges::find_if(suback->return_codes,
                                            [&](std::uint8_t code) { return code != names_.qos; });
  if (refused != suback->return_codes.end()) {
    const auto index = static_cast<std::uint32_t>(refused - suback->return_codes.begin());
    close(fmt::format("the server does not grant the subscription of '{}' with QoS {}, its number "
                      "{}; does it have a limit?",
                      names_.filters.name(granted_ + index), names_.qos, granted_ + index + 1),
          turn);
    return;
  }
  granted_ += asked_for_;
  turn.tally->progress.add(1);
  if (granted_ == names_.filters.count) {
    become_ready(turn);
  } else {
    subscribe_more();
  }
}

void MqttLink::become_ready(Turn& turn) {
  state_ = State::kReady;
  turn.tally->ready.add(1);
  turn.tally->progress.add(1);
  on_ready(turn);
}

void MqttLink::flush(Turn& turn) {
  while (writable_ && !out_.empty()) {
    std::array<Bytes, 16> pieces;
    const std::size_t count = out_.gather(pieces);
    const transport::IoResult result = stream_->write(std::span(pieces).first(count));
    if (result.status == transport::IoResult::Status::kAgain) {
      writable_ = false;
      return;
    }
    if (result.status != transport::IoResult::Status::kDone) {
      close(std::generic_category().message(result.error), turn);
      return;
    }
    out_.consume(result.count);
  }
}

void MqttLink::disconnect(Turn& turn) {
  if (stream_ == nullptr) return;
  if (state_ == State::kReady) {
    mqtt::write_disconnect(out_.reserve(2), {}, names_.version);
    out_.commit(2);
    flush(turn);
  }
  stream_.reset();
  state_ = State::kClosed;
}

void MqttLink::close(std::string_view why, Turn& turn) {
  stream_.reset();
  out_.clear();
  rest_.clear();
  const bool was_ready = ready();
  state_ = State::kClosed;
  if (was_ready) turn.tally->disconnected.add(1);
  on_closed(why, turn);
}

std::size_t MqttLink::on_packets(Bytes bytes, Turn&) {
  return bytes.size();
}

void MqttLink::on_ready(Turn&) {}

void MqttLink::on_closed(std::string_view why, Turn& turn) {
  if (turn.phase == Phase::kSetUp) {
    turn.fail(fmt::format("client '{}': {}", names_.client_id, why));
  }
}

}  // namespace hermod::load
