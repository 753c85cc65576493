// SPDX-License-Identifier: Apache-2.0
// SCRAM-SHA-256 (RFC 5802, RFC 7677), both ends, without channel binding. The server keeps no
// password and learns none; each side proves to the other that it knows it. Pure state machines:
// nonces are handed in, nothing is read or sent.
//
//   client                               server
//   first()   -- n,,n=user,r=.. -->      begin(): the name; its verifier is looked up
//             <-- r=..,s=..,i=.. --      challenge(verifier)
//   answer()  -- c=biws,r=..,p=.. -->    finish(): right or wrong
//   finish()  <-- v=.. --                the server has proven itself
//
// An error says what went wrong in words for a log or a user; after it the object is done with.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/sasl/scram_messages.hpp"

namespace hermod::sasl {

/// The mechanism's registered name.
inline constexpr std::string_view kScramSha256 = "SCRAM-SHA-256";

/// The one error of ScramServer that is not about the form of a message.
inline constexpr std::string_view kWrongProof = "wrong user name or password";

/// What a server knows of a password.
struct ScramVerifier {
  std::uint32_t iterations = kScramIterationsMin;
  std::vector<std::uint8_t> salt;
  Key stored_key{};
  Key server_key{};
};

/// Takes as long as the iterations need. Nothing when the library fails.
[[nodiscard]] std::optional<ScramVerifier> make_verifier(Bytes password, Bytes salt,
                                                         std::uint32_t iterations);

/// HMAC-SHA-256; zeros when the library fails.
[[nodiscard]] Key hmac_sha256(Bytes key, Bytes text);

/// A new random nonce of 24 characters; nothing when the system gives no random numbers.
[[nodiscard]] std::optional<std::string> make_nonce();

class ScramServer {
 public:
  /// `nonce` is new and random, printable without commas.
  explicit ScramServer(std::string nonce) : nonce_(std::move(nonce)) {}

  /// Takes client-first; the user's name.
  [[nodiscard]] std::expected<std::string, std::string_view> begin(std::string_view client_first);
  /// server-first, to send. After begin().
  [[nodiscard]] std::string challenge(ScramVerifier verifier);
  /// Takes client-final; server-final, to send. After challenge().
  [[nodiscard]] std::expected<std::string, std::string_view> finish(std::string_view client_final);

 private:
  std::string nonce_;  // this side's, then the whole one
  std::string gs2_header_;
  std::string exchanged_;  // of AuthMessage (RFC 5802 §3)
  ScramVerifier verifier_;
};

class ScramClient {
 public:
  /// `nonce` as for the server. Name and password must pass wrong_text().
  ScramClient(std::string name, std::string password, std::string nonce);
  ~ScramClient();
  ScramClient(const ScramClient&) = delete;
  ScramClient& operator=(const ScramClient&) = delete;

  /// client-first.
  [[nodiscard]] std::string first() const;
  /// Takes server-first; client-final. Takes as long as the server's iterations need, at most
  /// kScramIterationsMax.
  [[nodiscard]] std::expected<std::string, std::string_view> answer(std::string_view server_first);
  /// Takes server-final: whether the server knows the password too. After answer().
  [[nodiscard]] std::expected<void, std::string_view> finish(std::string_view server_final) const;

 private:
  [[nodiscard]] std::string bare() const;

  std::string name_;
  std::string password_;
  std::string nonce_;
  std::optional<Key> signature_;  // that the server must show
};

}  // namespace hermod::sasl
