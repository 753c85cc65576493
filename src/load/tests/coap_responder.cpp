// SPDX-License-Identifier: Apache-2.0
#include "coap_responder.hpp"

#include "hermod/base/assert.hpp"
#include "hermod/coap/codec/writer.hpp"

namespace hermod::load {

CoapResponder::CoapResponder(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  poller_ = *transport::EpollPoller::open();
  socket_ = *transport::bind_udp(transport::Address::v4({127, 0, 0, 1}, 0), {});
  HERMOD_ASSERT(poller_->add(*socket_, 0));
}

void CoapResponder::stop() {
  stopping_ = true;
  poller_->wake();
}

void CoapResponder::run() {
  while (!stopping_) {
    (void)poller_->wait(Duration::max());
    for (;;) {
      const auto datagrams = socket_->receive();
      for (const transport::Datagram& datagram : datagrams) on_datagram(datagram);
      socket_->flush();
      if (datagrams.size() < transport::DatagramSocket::kBatch) break;
    }
  }
}

void CoapResponder::on_datagram(const transport::Datagram& datagram) {
  if (behaviour_.ignores(datagrams_++)) return;
  const auto message = coap::decode(datagram.bytes);
  HERMOD_ASSERT(message.has_value());
  if (message->code == coap::code::kGet) {
    const auto observe = message->options.find(coap::OptionNumber::kObserve);
    const bool registers = observe && observe->empty() && behaviour_.observable;  // value 0
    if (registers) {
      observers_.emplace_back(datagram.from,
                              std::vector(message->token.begin(), message->token.end()));
    }
    answer(*message, datagram.from, exists_ ? coap::code::kContent : coap::code::kNotFound,
           registers);
  } else if (message->code == coap::code::kPut && !behaviour_.put_allowed) {
    answer(*message, datagram.from, coap::code::kMethodNotAllowed, false);
  } else if (message->code == coap::code::kPut) {
    value_.assign(message->payload.begin(), message->payload.end());
    exists_ = true;
    answer(*message, datagram.from, coap::code::kChanged, false);
    ++puts_;
    if (puts_ % behaviour_.notify_every == 0 || puts_ == behaviour_.last) notify();
  } else if (message->code.is_empty() && message->type == coap::Type::kCon) {  // a ping
    send(datagram.from, coap::Type::kRst, coap::code::kEmpty, message->message_id, {}, false);
  }
}

void CoapResponder::answer(const coap::MessageView& request, const transport::Address& to,
                           coap::Code code, bool observe) {
  if (!behaviour_.separate) {
    send(to, coap::Type::kAck, code, request.message_id, request.token, observe);
    return;
  }
  send(to, coap::Type::kAck, coap::code::kEmpty, request.message_id, {}, false);
  send(to, coap::Type::kCon, code, message_id_++, request.token, observe);
}

void CoapResponder::notify() {
  for (const auto& [to, token] : observers_) {
    send(to, coap::Type::kCon, coap::code::kContent, message_id_++, token, true);
  }
}

void CoapResponder::send(const transport::Address& to, coap::Type type, coap::Code code,
                         std::uint16_t id, Bytes token, bool observe) {
  std::uint8_t* const begin = socket_->reserve(transport::DatagramSocket::kSizeMax);
  coap::BodyWriter body(coap::write_head(begin, type, code, id, token));
  if (observe) body.uint_option(coap::OptionNumber::kObserve, observe_++);
  if (code == coap::code::kContent) body.payload(value_);
  socket_->commit(static_cast<std::size_t>(body.position() - begin), to);
}

}  // namespace hermod::load
