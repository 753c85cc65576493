// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/password_hash.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "hermod/sasl/base64.hpp"

namespace hermod::identity {
namespace {

constexpr std::size_t kSaltBytes = 12;  // mosquitto_passwd's

using sasl::from_base64;
using sasl::to_base64;

constexpr std::string_view kScramPrefix = "$scram-sha-256$";

// What a server of SCRAM keeps: StoredKey, then ServerKey (RFC 5802 §3).
bool keys_of(const PasswordHash& hash, Bytes password, std::array<std::uint8_t, 64>& keys) {
  const auto verifier = sasl::make_verifier(password, hash.salt, hash.iterations);
  if (!verifier) return false;
  const auto middle = std::ranges::copy(verifier->stored_key, keys.begin()).out;
  std::ranges::copy(verifier->server_key, middle);
  return true;
}

bool digest_of(const PasswordHash& hash, Bytes password, std::array<std::uint8_t, 64>& digest) {
  if (password.size() > std::numeric_limits<int>::max()) return false;
  if (hash.kind == HashKind::kScramSha256) return keys_of(hash, password, digest);
  if (hash.kind == HashKind::kPbkdf2Sha512) {
    // OpenSSL takes the length 0 only with a pointer that is not null.
    const auto* secret = reinterpret_cast<const char*>(password.data());
    return PKCS5_PBKDF2_HMAC(secret != nullptr ? secret : "", static_cast<int>(password.size()),
                             hash.salt.data(), static_cast<int>(hash.salt.size()),
                             static_cast<int>(hash.iterations), EVP_sha512(),
                             static_cast<int>(digest.size()), digest.data()) == 1;
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free};
  return context && EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) == 1 &&
         EVP_DigestUpdate(context.get(), password.data(), password.size()) == 1 &&
         EVP_DigestUpdate(context.get(), hash.salt.data(), hash.salt.size()) == 1 &&
         EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
}

// Takes the part up to the next '$'.
std::string_view take_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('$'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::expected<HashKind, std::string> kind_of(std::string_view text) {
  if (text.starts_with("$6$")) return HashKind::kSha512;
  if (text.starts_with("$7$")) return HashKind::kPbkdf2Sha512;
  if (text.starts_with(kScramPrefix)) return HashKind::kScramSha256;
  if (!looks_hashed(text)) {
    return std::unexpected(
        "the password is not hashed. Hash all passwords of the file with: hermod passwd -U FILE");
  }
  return std::unexpected(
      fmt::format("the hash begins with {}, but only $6$, $7$ and {} are known. Set the password "
                  "again with hermod passwd.",
                  text.substr(0, text.find('$', 1) + 1), kScramPrefix));
}

// Fills the digest with one or two parts of `rest`, which ends there.
bool read_digest(std::string_view rest, PasswordHash& hash) {
  const std::size_t parts = hash.kind == HashKind::kScramSha256 ? 2 : 1;
  const std::size_t size = hash.digest.size() / parts;
  auto out = hash.digest.begin();
  for (std::size_t i = 0; i < parts; ++i) {
    const bool last = i + 1 == parts;
    const auto octets = from_base64(last ? std::exchange(rest, {}) : take_part(rest));
    if (!octets || octets->size() != size) return false;
    out = std::ranges::copy(*octets, out).out;
  }
  return true;
}

}  // namespace

IterationsRange iterations_of(HashKind kind) {
  if (kind == HashKind::kScramSha256) {
    return {sasl::kScramIterationsMin, sasl::kScramIterationsMax};
  }
  return {1, kIterationsMax};
}

std::string PasswordHash::to_text() const {
  if (kind == HashKind::kScramSha256) {
    const Bytes keys{digest};
    return fmt::format("{}{}${}${}${}", kScramPrefix, iterations, to_base64(salt),
                       to_base64(keys.first<32>()), to_base64(keys.last<32>()));
  }
  if (kind == HashKind::kSha512) return fmt::format("$6${}${}", to_base64(salt), to_base64(digest));
  return fmt::format("$7${}${}${}", iterations, to_base64(salt), to_base64(digest));
}

bool looks_hashed(std::string_view text) {
  return text.starts_with('$') && text.find('$', 1) != std::string_view::npos;
}

std::expected<PasswordHash, std::string> parse_password_hash(std::string_view text) {
  const auto kind = kind_of(text);
  if (!kind) return std::unexpected(kind.error());
  PasswordHash hash{.kind = *kind};
  std::string_view rest = text;
  rest.remove_prefix(text.find('$', 1) + 1);
  if (*kind != HashKind::kSha512) {
    const auto [least, most] = iterations_of(*kind);
    const std::string_view number = take_part(rest);
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), hash.iterations);
    if (number.empty() || error != std::errc{} || end != number.data() + number.size() ||
        hash.iterations < least || hash.iterations > most) {
      return std::unexpected(fmt::format(
          "the hash has \"{}\" iterations, but must have a number from {} to {}. Set the password "
          "again with hermod passwd.",
          number, least, most));
    }
  }
  const auto salt = from_base64(take_part(rest));
  if (!salt || salt->size() > kSaltBytesMax || !read_digest(rest, hash)) {
    return std::unexpected(fmt::format(
        "the hash is damaged: after {} a salt of at most {} octets and {} are expected, in base64. "
        "Set the password again with hermod passwd.",
        text.substr(0, text.find('$', 1) + 1), kSaltBytesMax,
        *kind == HashKind::kScramSha256 ? "two keys of 32" : "a digest of 64"));
  }
  hash.salt = *salt;
  return hash;
}

std::optional<std::string_view> wrong_password(Bytes password, HashKind kind) {
  return kind == HashKind::kScramSha256 ? sasl::wrong_text(as_text(password)) : std::nullopt;
}

std::optional<PasswordHash> hash_password(Bytes password, HashKind kind, std::uint32_t iterations) {
  PasswordHash hash{.kind = kind, .iterations = kind == HashKind::kSha512 ? 1 : iterations};
  hash.salt.resize(kind == HashKind::kScramSha256 ? kScramSaltBytes : kSaltBytes);
  if (RAND_bytes(hash.salt.data(), static_cast<int>(hash.salt.size())) != 1) return std::nullopt;
  if (!digest_of(hash, password, hash.digest)) return std::nullopt;
  return hash;
}

bool verify_password(const PasswordHash& hash, Bytes password) {
  std::array<std::uint8_t, 64> digest{};
  const bool done = digest_of(hash, password, digest);
  const bool same = CRYPTO_memcmp(digest.data(), hash.digest.data(), digest.size()) == 0;
  OPENSSL_cleanse(digest.data(), digest.size());
  return done && same;
}

void wipe(std::vector<std::uint8_t>& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace hermod::identity
