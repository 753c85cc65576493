// SPDX-License-Identifier: Apache-2.0
// The four messages of SCRAM (RFC 5802 §7), read and checked; they know no keys.
//   client-first = gs2-header "n=" saslname ",r=" nonce [extensions]     gs2-header: "n,," or "y,,"
//   server-first = "r=" nonce ",s=" base64 ",i=" number [extensions]
//   client-final = "c=" base64 ",r=" nonce [extensions] ",p=" base64
//   server-final = "v=" base64 [extensions]  |  "e=" error
// Extensions that are not known are passed over, a mandatory one ("m=") is refused. Views borrow
// from the message. The error of a reader says what is wrong with the message.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermod::sasl {

inline constexpr std::size_t kMessageBytesMax = 1'024;
inline constexpr std::size_t kNonceCharsMax = 256;  ///< of client and server together
inline constexpr std::size_t kNonceCharsMin = 8;    ///< of the client
inline constexpr std::size_t kScramSaltBytesMax = 64;
/// A server that asks for less makes guessing too cheap for who listens (RFC 7677 §4); one that
/// asks for more keeps a client busy: a million take about half a second.
inline constexpr std::uint32_t kScramIterationsMin = 4'096;
inline constexpr std::uint32_t kScramIterationsMax = 1'000'000;

/// A key, digest, signature or proof of SHA-256.
using Key = std::array<std::uint8_t, 32>;

template <typename Message>
using Read = std::expected<Message, std::string_view>;

struct ClientFirst {
  std::string_view gs2_header;
  std::string_view bare;  ///< what stands behind it
  std::string name;       ///< with "=2C" and "=3D" resolved
  std::string_view nonce;
};
/// The identity to act as (authzid) may be left out, or be the name.
[[nodiscard]] Read<ClientFirst> read_client_first(std::string_view message);

struct ServerFirst {
  std::string_view nonce;
  std::vector<std::uint8_t> salt;
  std::uint32_t iterations = 0;
};
[[nodiscard]] Read<ServerFirst> read_server_first(std::string_view message);

struct ClientFinal {
  std::string_view without_proof;
  std::string_view channel_binding;  ///< in base64
  std::string_view nonce;
  Key proof{};
};
[[nodiscard]] Read<ClientFinal> read_client_final(std::string_view message);

struct ServerFinal {
  Key signature{};
  std::optional<std::string_view> error;  ///< instead of it: why the server refuses
};
[[nodiscard]] Read<ServerFinal> read_server_final(std::string_view message);

/// A name as messages spell it: "," is "=2C", "=" is "=3D".
[[nodiscard]] std::string to_saslname(std::string_view name);

/// Why a name or password is not taken, or nothing. ASCII stays as it is, control characters are
/// refused, other characters must be well-formed UTF-8. SASLprep (RFC 4013) would also map some of
/// those to others: here both sides must write them the same way.
[[nodiscard]] std::optional<std::string_view> wrong_text(std::string_view text);

}  // namespace hermod::sasl
