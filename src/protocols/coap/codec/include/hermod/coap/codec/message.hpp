// SPDX-License-Identifier: Apache-2.0
// A CoAP message in a datagram: header, token, options, payload (RFC 7252 §3), read without copying
// and without allocating. Knows nothing of exchanges, retransmission or resources.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   |Ver| T |  TKL  |      Code     |          Message ID           |
//   | Token length, extended ... | Token ... | Options ... | 0xFF Payload ... |
//
// TKL 0-12: octets of the token; 13: one octet more, minus 13; 14: two more, minus 269; 15 is
// reserved (RFC 8974 §2.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/coap/codec/option.hpp"

namespace hermod::coap {

/// Message type (RFC 7252 §3): confirmable, non-confirmable, acknowledgement, reset.
enum class Type : std::uint8_t { kCon = 0, kNon = 1, kAck = 2, kRst = 3 };

/// Code of a message, written c.dd (RFC 7252 §3).
struct Code {
  std::uint8_t value = 0;

  /// The code c.dd, with `code_class` up to 7 and `detail` up to 31.
  [[nodiscard]] static constexpr Code of(unsigned code_class, unsigned detail) {
    return {static_cast<std::uint8_t>(code_class << 5 | detail)};
  }
  [[nodiscard]] constexpr unsigned code_class() const { return value >> 5; }
  [[nodiscard]] constexpr unsigned detail() const { return value & 0x1fu; }

  [[nodiscard]] constexpr bool is_empty() const { return value == 0; }
  [[nodiscard]] constexpr bool is_request() const { return value != 0 && code_class() == 0; }
  /// Classes 2 to 5 (RFC 7252 §12.1); 3 has no codes yet.
  [[nodiscard]] constexpr bool is_response() const {
    return code_class() >= 2 && code_class() <= 5;
  }
  /// Classes 1, 6 and 7: a message with one is rejected (RFC 7252 §4.2).
  [[nodiscard]] constexpr bool is_reserved() const { return !is_response() && code_class() != 0; }
  [[nodiscard]] constexpr bool is_success() const { return code_class() == 2; }

  friend constexpr bool operator==(Code, Code) = default;
};

/// "2.05".
[[nodiscard]] std::string to_string(Code code);

namespace code {
inline constexpr Code kEmpty = Code::of(0, 0);
// RFC 7252 §12.1.1
inline constexpr Code kGet = Code::of(0, 1);
inline constexpr Code kPost = Code::of(0, 2);
inline constexpr Code kPut = Code::of(0, 3);
inline constexpr Code kDelete = Code::of(0, 4);
// RFC 8132 §4
inline constexpr Code kFetch = Code::of(0, 5);
inline constexpr Code kPatch = Code::of(0, 6);
inline constexpr Code kIPatch = Code::of(0, 7);
// RFC 7252 §12.1.2
inline constexpr Code kCreated = Code::of(2, 1);
inline constexpr Code kDeleted = Code::of(2, 2);
inline constexpr Code kValid = Code::of(2, 3);
inline constexpr Code kChanged = Code::of(2, 4);
inline constexpr Code kContent = Code::of(2, 5);
inline constexpr Code kContinue = Code::of(2, 31);  // RFC 7959 §2.9.1
inline constexpr Code kBadRequest = Code::of(4, 0);
inline constexpr Code kUnauthorized = Code::of(4, 1);
inline constexpr Code kBadOption = Code::of(4, 2);
inline constexpr Code kForbidden = Code::of(4, 3);
inline constexpr Code kNotFound = Code::of(4, 4);
inline constexpr Code kMethodNotAllowed = Code::of(4, 5);
inline constexpr Code kNotAcceptable = Code::of(4, 6);
inline constexpr Code kRequestEntityIncomplete = Code::of(4, 8);  // RFC 7959 §2.9.2
inline constexpr Code kConflict = Code::of(4, 9);                 // RFC 8132 §4
inline constexpr Code kPreconditionFailed = Code::of(4, 12);
inline constexpr Code kRequestEntityTooLarge = Code::of(4, 13);
inline constexpr Code kUnsupportedContentFormat = Code::of(4, 15);
inline constexpr Code kUnprocessableEntity = Code::of(4, 22);  // RFC 8132 §4
inline constexpr Code kTooManyRequests = Code::of(4, 29);      // RFC 8516 §6
inline constexpr Code kInternalServerError = Code::of(5, 0);
inline constexpr Code kNotImplemented = Code::of(5, 1);
inline constexpr Code kBadGateway = Code::of(5, 2);
inline constexpr Code kServiceUnavailable = Code::of(5, 3);
inline constexpr Code kGatewayTimeout = Code::of(5, 4);
inline constexpr Code kProxyingNotSupported = Code::of(5, 5);
inline constexpr Code kHopLimitReached = Code::of(5, 8);  // RFC 8768 §6.2
}  // namespace code

/// The only version there is (RFC 7252 §3).
inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kHeaderSize = 4;
/// The longest token that a header can tell: 65,535 + 269 (RFC 8974 §2.1). Who receives decides how
/// much of that it bears.
inline constexpr std::size_t kTokenSizeMax = 65804;
/// The longest token that every peer understands (RFC 7252 §3).
inline constexpr std::size_t kTokenSizeUsual = 8;

/// The first four octets, which can be read even when the rest is malformed.
struct Header {
  std::uint8_t version = kVersion;
  Type type = Type::kCon;
  std::uint8_t token_length = 0;  ///< the TKL field as it stands, 0 to 15
  Code code;
  std::uint16_t message_id = 0;
};

/// Reads the header alone; nothing when there are fewer than four octets. After a format error it
/// tells which Message ID a Reset has to echo (RFC 7252 §4.2), and whether the version is one whose
/// messages are ignored in silence (RFC 7252 §3).
[[nodiscard]] std::optional<Header> read_header(Bytes datagram);

/// A well-formed message. The spans borrow from the datagram.
struct MessageView {
  std::uint8_t version = kVersion;
  Type type = Type::kCon;
  Code code;
  std::uint16_t message_id = 0;
  Bytes token;
  Options options;
  Bytes payload;
};

/// Decodes a datagram and checks its whole form: version, token length, every option, payload
/// marker, and that an Empty message is empty. A datagram arrives whole, so the error is never
/// `incomplete`; its statement names the section. Not checked here: what the options mean, and
/// whether the type goes with the code (fits()).
[[nodiscard]] WireResult<MessageView> decode(Bytes datagram);

/// Whether a message of this type may carry this code (RFC 7252 §4.3 Table 1). An Empty Confirmable
/// message is legal: it asks for a Reset ("CoAP ping").
[[nodiscard]] constexpr bool fits(Type type, Code code) {
  if (code.is_reserved()) return false;
  switch (type) {
    case Type::kCon:
      return true;
    case Type::kNon:
      return !code.is_empty();
    case Type::kAck:
      return !code.is_request();
    case Type::kRst:
      return code.is_empty();
  }
  return false;
}

}  // namespace hermod::coap
