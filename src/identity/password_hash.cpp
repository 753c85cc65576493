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

namespace hermod::identity {
namespace {

constexpr std::size_t kSaltBytes = 12;  // mosquitto_passwd's

std::string to_base64(Bytes bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

// Nothing unless `text` is just what to_base64() makes of the result.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 256) return std::nullopt;
  std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
  const int size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  if (to_base64(bytes) != text) return std::nullopt;
  return bytes;
}

bool digest_of(const PasswordHash& hash, Bytes password, std::array<std::uint8_t, 64>& digest) {
  if (password.size() > std::numeric_limits<int>::max()) return false;
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

}  // namespace

std::string PasswordHash::to_text() const {
  if (kind == HashKind::kSha512) return fmt::format("$6${}${}", to_base64(salt), to_base64(digest));
  return fmt::format("$7${}${}${}", iterations, to_base64(salt), to_base64(digest));
}

bool looks_hashed(std::string_view text) {
  return text.starts_with('$') && text.find('$', 1) != std::string_view::npos;
}

std::expected<PasswordHash, std::string> parse_password_hash(std::string_view text) {
  PasswordHash hash;
  std::string_view rest = text;
  if (text.starts_with("$6$")) {
    hash.kind = HashKind::kSha512;
    rest.remove_prefix(3);
  } else if (text.starts_with("$7$")) {
    rest.remove_prefix(3);
    const std::string_view number = take_part(rest);
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), hash.iterations);
    if (number.empty() || error != std::errc{} || end != number.data() + number.size() ||
        hash.iterations < 1 || hash.iterations > kIterationsMax) {
      return std::unexpected(fmt::format(
          "the hash has \"{}\" iterations, but must have a number from 1 to {}. Set the password "
          "again with hermod passwd.",
          number, kIterationsMax));
    }
  } else if (looks_hashed(text)) {
    return std::unexpected(
        fmt::format("the hash begins with {}, but only $6$ and $7$ are known. Set the password "
                    "again with hermod passwd.",
                    text.substr(0, text.find('$', 1) + 1)));
  } else {
    return std::unexpected(
        "the password is not hashed. Hash all passwords of the file with: hermod passwd -U FILE");
  }
  const auto salt = from_base64(take_part(rest));
  const auto digest = from_base64(rest);
  if (!salt || salt->size() > kSaltBytesMax || !digest || digest->size() != hash.digest.size()) {
    return std::unexpected(
        fmt::format("the hash is damaged: after {} a salt of at most {} octets and a digest of {} "
                    "are expected, in base64. Set the password again with hermod passwd.",
                    text.substr(0, 3), kSaltBytesMax, hash.digest.size()));
  }
  hash.salt = *salt;
  std::copy(digest->begin(), digest->end(), hash.digest.begin());
  return hash;
}

std::optional<PasswordHash> hash_password(Bytes password, HashKind kind, std::uint32_t iterations) {
  PasswordHash hash{.kind = kind, .iterations = kind == HashKind::kSha512 ? 1 : iterations};
  hash.salt.resize(kSaltBytes);
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
