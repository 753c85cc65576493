// SPDX-License-Identifier: Apache-2.0
// A CoAP message as a simulated client writes and reads it: an owned value around the codec. Knows
// nothing of exchanges or topics' meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/message.hpp"

namespace hermod::sim {

using Octets = std::vector<std::uint8_t>;

struct CoapMessage {
  coap::Type type = coap::Type::kCon;
  coap::Code code;
  std::uint16_t id = 0;
  std::string token;
  std::vector<std::string> etags;
  std::optional<std::uint32_t> observe;
  std::optional<std::uint32_t> max_age_s;
  std::string topic;  ///< requests: below /ps/data
  std::optional<coap::Block> block1;
  std::optional<coap::Block> block2;
  std::optional<std::uint32_t> size1;
  std::string echo;         ///< empty: none
  std::string request_tag;  ///< empty: none
  Octets payload;
};

/// The datagram of a message; with a topic its path is /ps/data/<topic>.
[[nodiscard]] Octets encode(const CoapMessage& message);
/// Nothing when it is malformed, or its type does not go with its code.
[[nodiscard]] std::optional<CoapMessage> read_message(Bytes datagram);
/// An Empty message.
[[nodiscard]] Octets encode_empty(coap::Type type, std::uint16_t id);

}  // namespace hermod::sim
