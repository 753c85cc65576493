// SPDX-License-Identifier: Apache-2.0
#include "hermod/sasl/scram.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <limits>
#include <utility>

#include "hermod/sasl/base64.hpp"

namespace hermod::sasl {
namespace {

std::optional<Key> sha256(const Key& text) {
  Key digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    return std::nullopt;
  }
  return digest;
}

// SaltedPassword := Hi(Normalize(password), salt, i), RFC 5802 §3
std::optional<Key> salted_password(Bytes password, Bytes salt, std::uint32_t iterations) {
  if (password.size() > std::numeric_limits<int>::max()) return std::nullopt;
  // OpenSSL takes the length 0 only with a pointer that is not null.
  const auto* secret = reinterpret_cast<const char*>(password.data());
  Key salted{};
  if (PKCS5_PBKDF2_HMAC(secret != nullptr ? secret : "", static_cast<int>(password.size()),
                        salt.data(), static_cast<int>(salt.size()), static_cast<int>(iterations),
                        EVP_sha256(), static_cast<int>(salted.size()), salted.data()) != 1) {
    return std::nullopt;
  }
  return salted;
}

Key client_key_of(const Key& salted) {
  return hmac_sha256(salted, as_bytes("Client Key"));
}
Key server_key_of(const Key& salted) {
  return hmac_sha256(salted, as_bytes("Server Key"));
}

Key exclusive_or(Key a, const Key& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] ^= b[i];
  return a;
}

bool same(const Key& a, const Key& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

Key hmac_sha256(Bytes key, Bytes text) {
  Key digest{};
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(),
           digest.data(), nullptr) == nullptr) {
    digest = {};
  }
  return digest;
}

std::optional<ScramVerifier> make_verifier(Bytes password, Bytes salt, std::uint32_t iterations) {
  auto salted = salted_password(password, salt, iterations);
  if (!salted) return std::nullopt;
  ScramVerifier verifier{.iterations = iterations, .salt = {salt.begin(), salt.end()}};
  Key client_key = client_key_of(*salted);
  const auto stored = sha256(client_key);
  verifier.server_key = server_key_of(*salted);
  OPENSSL_cleanse(client_key.data(), client_key.size());
  OPENSSL_cleanse(salted->data(), salted->size());
  if (!stored) return std::nullopt;
  verifier.stored_key = *stored;
  return verifier;
}

std::optional<std::string> make_nonce() {
  std::array<std::uint8_t, 18> octets{};
  if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) return std::nullopt;
  return to_base64(octets);
}

// --- the server ---

std::expected<std::string, std::string_view> ScramServer::begin(std::string_view client_first) {
  auto first = read_client_first(client_first);
  if (!first) return std::unexpected(first.error());
  if (first->nonce.size() + nonce_.size() > kNonceCharsMax) {
    return std::unexpected("the nonce is too long");
  }
  nonce_.insert(0, first->nonce);
  gs2_header_ = first->gs2_header;
  exchanged_ = first->bare;
  return std::move(first->name);
}

std::string ScramServer::challenge(ScramVerifier verifier) {
  verifier_ = std::move(verifier);
  std::string text =
      fmt::format("r={},s={},i={}", nonce_, to_base64(verifier_.salt), verifier_.iterations);
  exchanged_ += ',' + text;
  return text;
}

std::expected<std::string, std::string_view> ScramServer::finish(std::string_view client_final) {
  const auto last = read_client_final(client_final);
  if (!last) return std::unexpected(last.error());
  if (last->channel_binding != to_base64(as_bytes(gs2_header_))) {
    return std::unexpected("the channel binding is not what the exchange began with");
  }
  if (last->nonce != nonce_) return std::unexpected("the nonce is another exchange's");
  const std::string exchanged = fmt::format("{},{}", exchanged_, last->without_proof);
  const Key signature = hmac_sha256(verifier_.stored_key, as_bytes(exchanged));
  const auto stored = sha256(exclusive_or(last->proof, signature));
  if (!stored || !same(*stored, verifier_.stored_key)) {
    return std::unexpected(kWrongProof);
  }
  return "v=" + to_base64(hmac_sha256(verifier_.server_key, as_bytes(exchanged)));
}

// --- the client ---

ScramClient::ScramClient(std::string name, std::string password, std::string nonce)
    : name_(std::move(name)), password_(std::move(password)), nonce_(std::move(nonce)) {}

ScramClient::~ScramClient() {
  OPENSSL_cleanse(password_.data(), password_.size());
}

std::string ScramClient::first() const {
  return "n,," + bare();
}

std::string ScramClient::bare() const {
  return fmt::format("n={},r={}", to_saslname(name_), nonce_);
}

std::expected<std::string, std::string_view> ScramClient::answer(std::string_view server_first) {
  const auto first = read_server_first(server_first);
  if (!first) return std::unexpected(first.error());
  if (!first->nonce.starts_with(nonce_) || first->nonce.size() == nonce_.size()) {
    return std::unexpected("the server's nonce does not begin with this side's");
  }
  if (first->iterations < kScramIterationsMin) {
    return std::unexpected(
        "the server asks for so few iterations that the password could be found");
  }
  if (first->iterations > kScramIterationsMax) {
    return std::unexpected("the server asks for more iterations than this side makes");
  }
  auto salted = salted_password(as_bytes(password_), first->salt, first->iterations);
  const std::string without_proof = fmt::format("c=biws,r={}", first->nonce);
  const std::string exchanged = fmt::format("{},{},{}", bare(), server_first, without_proof);
  const Key client_key = salted ? client_key_of(*salted) : Key{};
  const auto stored = sha256(client_key);
  if (!salted || !stored) return std::unexpected("the password cannot be hashed");
  const Key proof = exclusive_or(client_key, hmac_sha256(*stored, as_bytes(exchanged)));
  signature_ = hmac_sha256(server_key_of(*salted), as_bytes(exchanged));
  OPENSSL_cleanse(salted->data(), salted->size());
  return fmt::format("{},p={}", without_proof, to_base64(proof));
}

std::expected<void, std::string_view> ScramClient::finish(std::string_view server_final) const {
  const auto last = read_server_final(server_final);
  if (!last) return std::unexpected(last.error());
  if (last->error) return std::unexpected("the server refuses in the last message");
  if (!signature_ || !same(last->signature, *signature_)) {
    return std::unexpected("the server does not prove that it knows the password");
  }
  return {};
}

}  // namespace hermod::sasl
