// SPDX-License-Identifier: Apache-2.0
#include "hermod/client/scram.hpp"

#include <fmt/format.h>

#include <utility>

namespace hermod::client {

ScramAuthenticator::ScramAuthenticator(std::string user, std::string password)
    : user_(std::move(user)), password_(std::move(password)) {}

std::expected<std::string, std::string> ScramAuthenticator::first() {
  if (const auto wrong = sasl::wrong_text(user_)) {
    return std::unexpected(fmt::format("the user name cannot be used: {}", *wrong));
  }
  if (const auto wrong = sasl::wrong_text(password_)) {
    return std::unexpected(fmt::format("the password cannot be used: {}", *wrong));
  }
  auto nonce = sasl::make_nonce();
  if (!nonce) return std::unexpected("the system gives no random numbers");
  client_.emplace(user_, password_, std::move(*nonce));
  return client_->first();
}

std::expected<std::string, std::string> ScramAuthenticator::step(Bytes challenge) {
  if (!client_) return std::unexpected("the server goes on with an exchange that is over");
  auto answer = client_->answer(as_text(challenge));
  if (!answer) return std::unexpected(std::string(answer.error()));
  return std::move(*answer);
}

std::expected<void, std::string> ScramAuthenticator::finish(Bytes octets) {
  if (!client_) return std::unexpected("the server ends an exchange that is over");
  const auto believed = client_->finish(as_text(octets));
  client_.reset();
  if (!believed) return std::unexpected(std::string(believed.error()));
  return {};
}

}  // namespace hermod::client
