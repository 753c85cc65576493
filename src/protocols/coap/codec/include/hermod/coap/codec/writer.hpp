// SPDX-License-Identifier: Apache-2.0
// Writes CoAP messages (RFC 7252 §3) into memory that the caller has reserved. A message is a head
// (header and token), which differs for every peer, and a body (options and payload), which can be
// written once and sent to many.
//
//   std::uint8_t* out = write_head(memory, Type::kNon, code::kContent, id, token);
//   BodyWriter body(out);
//   body.uint_option(OptionNumber::kObserve, 7);
//   body.payload(octets);
//   const Bytes datagram{memory, body.position()};
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/option.hpp"

namespace hermod::coap {

/// Octets that header and token take, the extension of the token length included (RFC 8974 §2.1).
[[nodiscard]] constexpr std::size_t head_size(std::size_t token_size) {
  const std::size_t extension = token_size < 13 ? 0 : token_size < 269 ? 1 : 2;
  return kHeaderSize + extension + token_size;
}
/// Octets that an option takes at most beside its value.
inline constexpr std::size_t kOptionOverheadMax = 5;
/// The longest value that an option can have: 65,535 + 269.
inline constexpr std::size_t kOptionLengthMax = 65804;

/// Octets of an option of `length` octets after one with number `previous` (0 for the first).
[[nodiscard]] std::size_t option_size(OptionNumber previous, OptionNumber number,
                                      std::size_t length);
/// Octets that uint_option() gives its value: none for 0 (RFC 7252 §3.2).
[[nodiscard]] std::size_t uint_size(std::uint32_t value);
/// Octets of a payload with its marker; none when it is empty (RFC 7252 §3).
[[nodiscard]] constexpr std::size_t payload_size(std::size_t length) {
  return length == 0 ? 0 : length + 1;
}

/// Writes header and token, head_size(token.size()) octets; returns the end. The token has at most
/// kTokenSizeMax octets.
[[nodiscard]] std::uint8_t* write_head(std::uint8_t* out, Type type, Code code,
                                       std::uint16_t message_id, Bytes token);

/// Appends options in ascending order of their numbers, then the payload. It does not sort: a
/// smaller number after a larger one is a broken invariant of the caller.
class BodyWriter {
 public:
  explicit BodyWriter(std::uint8_t* out) : at_(out) {}

  [[nodiscard]] std::uint8_t* position() const { return at_; }

  /// At most kOptionOverheadMax octets more than the value, which has at most kOptionLengthMax.
  void option(OptionNumber number, Bytes value);
  void option(OptionNumber number, std::string_view value) { option(number, as_bytes(value)); }
  /// With as few octets as the value needs (RFC 7252 §3.2).
  void uint_option(OptionNumber number, std::uint32_t value);
  /// Ends the message; an empty payload leaves no marker.
  void payload(Bytes octets);

 private:
  std::uint8_t* at_;
  OptionNumber previous_{};
};

/// Exact size of the message. `message.options` are encoded already.
[[nodiscard]] std::size_t encoded_size(const MessageView& message);
/// Writes encoded_size(message) octets; returns the end.
std::uint8_t* encode(const MessageView& message, std::uint8_t* out);

}  // namespace hermod::coap
