// SPDX-License-Identifier: Apache-2.0
#include "coap_observer.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "coap_requester.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "payload.hpp"
#include "probe.hpp"

namespace hermod::load {
namespace {

constexpr std::array<std::uint8_t, 2> kToken{'h', 'b'};
constexpr std::uint32_t kRegister = 0;  // RFC 7641 §2
constexpr std::uint32_t kDeregister = 1;
constexpr Duration kAskAgainAfter = std::chrono::seconds{2};  // RFC 7252 §4.8 ACK_TIMEOUT
// Thousands of observers: the kernel's usual buffer is enough for one resource.
constexpr int kKernelBuffer = 1 << 18;

}  // namespace

CoapObserver::CoapObserver(const coap::Uri& uri, unsigned number, const transport::Address& server,
                           Flows& flows, const SendTimes& send_times)
    : uri_(uri), number_(number), server_(server), flows_(flows), send_times_(send_times) {}

std::expected<void, std::string> CoapObserver::open(transport::Token token, Turn& turn) {
  auto socket =
      transport::bind_udp(client_address(server_), {.kernel_buffer_bytes = kKernelBuffer});
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  if (!turn.poller->add(*socket_, token)) {
    return std::unexpected("the poller takes no more sockets");
  }
  asked_at_ = turn.now;
  send_get(kRegister);
  return {};
}

void CoapObserver::send_get(std::uint32_t observe) {
  const std::vector<std::uint8_t> body = request_body(uri_, observe, {});
  const std::size_t size = coap::kHeaderSize + kToken.size() + body.size();
  std::uint8_t* const out = coap::write_head(socket_->reserve(size), coap::Type::kCon,
                                             coap::code::kGet, next_message_id_++, kToken);
  std::memcpy(out, body.data(), body.size());
  socket_->commit(size, server_);
  socket_->flush();
}

void CoapObserver::look_for_silence(Turn& turn) {
  if (registered_ || turn.now - asked_at_ < kAskAgainAfter) return;
  asked_at_ = turn.now;
  send_get(kRegister);
}

void CoapObserver::leave() {
  if (socket_ != nullptr && registered_) send_get(kDeregister);
}

void CoapObserver::on_readable(Turn& turn) {
  for (;;) {
    const auto datagrams = socket_->receive();
    if (!datagrams.empty()) read_at_ = turn.clock->now();
    for (const transport::Datagram& datagram : datagrams) on_datagram(datagram.bytes, turn);
    if (datagrams.size() < transport::DatagramSocket::kBatch) break;
  }
  socket_->flush();
}

void CoapObserver::on_datagram(Bytes datagram, Turn& turn) {
  const auto message = coap::decode(datagram);
  if (message && message->type == coap::Type::kCon) {  // RFC 7641 §4.5: an ACK keeps the place
    std::uint8_t* const out = socket_->reserve(coap::kHeaderSize);
    (void)coap::write_head(out, coap::Type::kAck, coap::code::kEmpty, message->message_id, {});
    socket_->commit(coap::kHeaderSize, server_);
  }
  if (message && message->code.is_empty()) return;
  const bool ours = message && message->token.size() == kToken.size() &&
                    std::memcmp(message->token.data(), kToken.data(), kToken.size()) == 0;
  if (!ours) {
    turn.tally->unexpected.add(1);
    return;
  }
  if (!message->code.is_success()) {
    turn.tally->refused.add(1);
    if (!registered_) {
      turn.fail(fmt::format("GET with Observe on '{}' is answered with {}", coap::to_string(uri_),
                            coap::to_string(message->code)));
    }
    return;
  }
  on_notification(*message, turn);
}

void CoapObserver::on_notification(const coap::MessageView& message, Turn& turn) {
  const bool observed = message.options.find(coap::OptionNumber::kObserve).has_value();
  if (!registered_) {
    if (!observed) {
      turn.fail(fmt::format("the server does not let '{}' be observed", coap::to_string(uri_)));
      return;
    }
    registered_ = true;
    turn.tally->ready.add(1);
    turn.tally->progress.add(1);
  }
  if (observed) on_value(message.payload, turn);
}

void CoapObserver::on_value(Bytes payload, Turn& turn) {
  if (payload.size() < kPayloadMin) {
    turn.tally->unexpected.add(1);
    return;
  }
  const Stamp stamp = read_stamp(payload.data());
  if (stamp.publisher == kNobody) return;
  if (stamp.publisher != 0 || stamp.sequence >= flows_.sent(0)) {
    turn.tally->unexpected.add(1);
    return;
  }
  turn.tally->operations.add(1);
  turn.tally->progress.add(1);
  if (turn.measured(read_at_)) {
    delays_.record(read_at_ - send_times_.of(stamp.sequence));
  }
  tracker_.on_message(stamp.sequence);
  flows_.set_seen(number_, 0, tracker_.next());
}

}  // namespace hermod::load
