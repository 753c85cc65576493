// SPDX-License-Identifier: Apache-2.0
#include "scram_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hermod/base/hash.hpp"

namespace hermod::identity {

using model::Reason;

std::uint64_t proof_of(std::string_view user, const PasswordHash& hash, std::uint64_t hash_key) {
  return keyed_hash(fmt::format("{}:{}", user, hash.to_text()), hash_key);
}

core::ExchangeStep ScramExchange::step(Bytes octets) {
  return server_ ? finish(octets) : begin(octets);
}

core::ExchangeStep ScramExchange::begin(Bytes octets) {
  auto nonce = sasl::make_nonce();
  if (!nonce) {
    return {.reason = Reason::kUnavailable, .why = "the system gives no random numbers"};
  }
  server_.emplace(std::move(*nonce));
  auto user = server_->begin(as_text(octets));
  if (!user) return {.reason = Reason::kProtocolError, .why = std::string(user.error())};
  user_ = std::move(*user);
  known_ = record_->users->find(user_);
  return {.reason = Reason::kContinue, .octets = server_->challenge(verifier())};
}

// The salt of a name that has none is always the same, and looks like any other.
sasl::ScramVerifier ScramExchange::verifier() const {
  sasl::ScramVerifier made{.iterations = record_->users->scram_iterations()};
  const sasl::Key decoy = sasl::hmac_sha256(secret_, as_bytes(user_));
  if (known_ == nullptr || known_->kind != HashKind::kScramSha256) {
    made.salt.assign(decoy.begin(), decoy.begin() + kScramSaltBytes);
    made.stored_key = decoy;
    return made;
  }
  made.iterations = known_->iterations;
  made.salt = known_->salt;
  const auto middle = known_->digest.begin() + made.stored_key.size();
  std::copy(known_->digest.begin(), middle, made.stored_key.begin());
  std::copy(middle, known_->digest.end(), made.server_key.begin());
  return made;
}

core::ExchangeStep ScramExchange::finish(Bytes octets) {
  auto last = server_->finish(as_text(octets));
  if (!last && last.error() != sasl::kWrongProof) {
    return {.reason = Reason::kProtocolError, .why = std::string(last.error())};
  }
  if (known_ != nullptr && known_->kind != HashKind::kScramSha256) {
    return {.reason = Reason::kBadCredentials,
            .why = fmt::format("the password file keeps the password of \"{}\" in a form that "
                               "SCRAM cannot use. Set it again: hermod passwd -H scram-sha-256 "
                               "FILE USER",
                               user_)};
  }
  if (!last || known_ == nullptr) {
    return {.reason = Reason::kBadCredentials, .why = std::string(sasl::kWrongProof)};
  }
  const std::uint64_t proof = proof_of(user_, *known_, hash_key_);
  return {.reason = Reason::kOk, .octets = std::move(*last), .user = user_, .proof = proof};
}

}  // namespace hermod::identity
