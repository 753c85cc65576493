// SPDX-License-Identifier: Apache-2.0
#include "coap_publisher.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::durability {
namespace {

// Shorter than RFC 7252 §4.8 has them: the path is the loopback, and the broker is back soon.
constexpr Duration kTimeoutMin = std::chrono::milliseconds{100};
constexpr Duration kTimeoutMax = std::chrono::milliseconds{800};
constexpr std::size_t kTokenSize = 8;
constexpr std::size_t kRoom = 256;  // for options, and the payload's marker

std::array<std::uint8_t, kTokenSize> token_of(std::uint64_t sequence) {
  std::array<std::uint8_t, kTokenSize> token{};
  std::memcpy(token.data(), &sequence, kTokenSize);
  return token;
}

}  // namespace

CoapPublisher::CoapPublisher(World& world, LaneId lane, Duration pause, std::uint64_t seed)
    : world_(world), lane_(lane), pause_(pause), rng_(seed), token_(world.loop.add(*this)) {}

std::expected<void, std::string> CoapPublisher::begin() {
  auto socket = transport::bind_udp(*transport::Address::literal("127.0.0.1", 0), {});
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  if (!world_.loop.poller().add(*socket_, token_)) {
    return std::unexpected("the poller takes no more sockets");
  }
  message_id_ = static_cast<std::uint16_t>(rng_.next());
  producing_ = true;
  due_ = world_.loop.now();
  world_.loop.arm(token_, due_);
  return {};
}

void CoapPublisher::on_event(const transport::Event&, Instant now) {
  for (;;) {
    const auto datagrams = socket_->receive();
    for (const transport::Datagram& datagram : datagrams) on_datagram(datagram.bytes, now);
    if (datagrams.size() < transport::DatagramSocket::kBatch) break;
  }
  socket_->flush();
  world_.loop.arm(token_, due_);
}

void CoapPublisher::on_time(Instant now) {
  if (due_ <= now) {
    if (waiting_) {
      timeout_ = std::min(timeout_ * 2, kTimeoutMax);
      send(now);
    } else if (producing_) {
      request(now);
    } else {
      due_ = kNever;
    }
  }
  world_.loop.arm(token_, due_);
}

void CoapPublisher::request(Instant now) {
  const Lane& lane = world_.checker.lane(lane_);
  sequence_ = world_.checker.begin(lane_);
  const auto payload =
      make_payload({lane.producer, lane.topic, sequence_}, kPayloadMin + rng_.below(800));
  body_.resize(kRoom + payload.size());
  coap::BodyWriter writer(body_.data());
  writer.option(coap::OptionNumber::kUriPath, "ps");
  writer.option(coap::OptionNumber::kUriPath, "data");
  for (model::Levels levels(lane.name); !levels.done();) {
    writer.option(coap::OptionNumber::kUriPath, levels.next());
  }
  writer.payload(payload);
  body_.resize(static_cast<std::size_t>(writer.position() - body_.data()));
  ++message_id_;
  waiting_ = true;
  timeout_ = kTimeoutMin;
  world_.note("device", "puts", lane.name, sequence_);
  send(now);
}

void CoapPublisher::send(Instant now) {
  const auto token = token_of(sequence_);
  const std::size_t size = coap::kHeaderSize + token.size() + body_.size();
  std::uint8_t* const body = coap::write_head(socket_->reserve(size), coap::Type::kCon,
                                              coap::code::kPut, message_id_, token);
  std::memcpy(body, body_.data(), body_.size());
  socket_->commit(size, world_.broker);
  socket_->flush();
  due_ = now + timeout_;
}

void CoapPublisher::on_datagram(Bytes datagram, Instant now) {
  const auto message = coap::decode(datagram);
  if (!message || !message->code.is_response()) return;  // an empty ACK promises nothing
  if (message->type == coap::Type::kCon) {               // RFC 7252 §5.2.2
    (void)coap::write_head(socket_->reserve(coap::kHeaderSize), coap::Type::kAck,
                           coap::code::kEmpty, message->message_id, {});
    socket_->commit(coap::kHeaderSize, world_.broker);
  }
  if (!waiting_ || !std::ranges::equal(message->token, token_of(sequence_))) return;
  waiting_ = false;
  if (message->code.is_success()) {
    world_.checker.acknowledged(lane_, sequence_);
    world_.note("device", "acknowledged", world_.checker.lane(lane_).name, sequence_);
  } else {
    world_.checker.refused();
  }
  due_ = now + Duration{static_cast<Duration::rep>(
                   rng_.below(static_cast<std::uint64_t>(pause_.count()) * 2 + 1))};
}

}  // namespace hermod::durability
