// SPDX-License-Identifier: Apache-2.0
// The CoAP codec as the property kit sees it. A datagram is a message: all of it is consumed.
#pragma once

#include <algorithm>

#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/testkit/codec_properties.hpp"

namespace hermod::coap::test {

struct MessageCodec {
  using Value = MessageView;

  [[nodiscard]] WireResult<testkit::Decoded<MessageView>> decode(Bytes datagram) const {
    const auto message = coap::decode(datagram);
    if (!message) return std::unexpected(message.error());
    return testkit::Decoded<MessageView>{*message, datagram.size()};
  }
  [[nodiscard]] std::size_t encoded_size(const MessageView& message) const {
    return coap::encoded_size(message);
  }
  std::uint8_t* encode(std::uint8_t* out, const MessageView& message) const {
    return coap::encode(message, out);
  }
  [[nodiscard]] bool same(const MessageView& a, const MessageView& b) const {
    return a.version == b.version && a.type == b.type && a.code == b.code &&
           a.message_id == b.message_id && std::ranges::equal(a.token, b.token) &&
           std::ranges::equal(a.options.octets(), b.options.octets()) &&
           std::ranges::equal(a.payload, b.payload);
  }
};

}  // namespace hermod::coap::test
