// SPDX-License-Identifier: Apache-2.0
// Hashes of passwords as mosquitto_passwd writes them, and what SCRAM keeps instead (RFC 5802):
//   $7$ITERATIONS$SALT$DIGEST   PBKDF2-HMAC-SHA512 (RFC 8018 §5.2), 64 octets
//   $6$SALT$DIGEST              SHA-512 of password and salt, once
//   $scram-sha-256$ITERATIONS$SALT$STOREDKEY$SERVERKEY
// SALT, DIGEST and keys in base64 (RFC 4648 §4). It knows no files and no users.
//
// Example:
//     const auto hash = hash_password(as_bytes("secret"), HashKind::kPbkdf2Sha512, 10'000);
//     verify_password(*parse_password_hash(hash->to_text()), as_bytes("secret"));  // true
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/sasl/scram.hpp"

namespace hermod::identity {

enum class HashKind : std::uint8_t { kPbkdf2Sha512, kSha512, kScramSha256 };

/// More would keep a hashing thread busy for seconds at each login.
inline constexpr std::uint32_t kIterationsMax = 10'000'000;
inline constexpr std::size_t kSaltBytesMax = 64;
inline constexpr std::size_t kScramSaltBytes = 16;  ///< of hashes that are made

struct IterationsRange {
  std::uint32_t least = 1;
  std::uint32_t most = kIterationsMax;
};
/// That a hash may have; of kSha512 it has no meaning.
[[nodiscard]] IterationsRange iterations_of(HashKind kind);

struct PasswordHash {
  HashKind kind = HashKind::kPbkdf2Sha512;
  std::uint32_t iterations = 1;  ///< kSha512 has one
  std::vector<std::uint8_t> salt;
  std::array<std::uint8_t, 64> digest{};  ///< kScramSha256: StoredKey, then ServerKey

  [[nodiscard]] std::string to_text() const;
};

/// Reads "$7$..." and the others; the error says what is wrong, and for a password that is not
/// hashed how to hash it.
[[nodiscard]] std::expected<PasswordHash, std::string> parse_password_hash(std::string_view text);

/// Whether `text` has the form of a hash, known or not: "$", something, "$".
[[nodiscard]] bool looks_hashed(std::string_view text);

/// Why no hash of that kind can be made of a password, or nothing.
[[nodiscard]] std::optional<std::string_view> wrong_password(Bytes password, HashKind kind);

/// With a new random salt. Nothing when the system gives no random numbers. Takes as long as the
/// iterations need.
[[nodiscard]] std::optional<PasswordHash> hash_password(Bytes password, HashKind kind,
                                                        std::uint32_t iterations);

/// Takes as long as the iterations need, and tells nothing by its time about the digest.
[[nodiscard]] bool verify_password(const PasswordHash& hash, Bytes password);

/// Overwrites what held a password.
void wipe(std::vector<std::uint8_t>& secret);
void wipe(std::string& secret);

}  // namespace hermod::identity
