// SPDX-License-Identifier: Apache-2.0
// SCRAM-SHA-256 (RFC 7677) as a client's enhanced authentication in MQTT 5: the server never sees
// the password and has to prove that it knows it too.
//
//   options.session.version = hermod::mqtt::Version::kV5;
//   options.session.authenticator =
//       std::make_shared<hermod::client::ScramAuthenticator>("alice", "secret");
#pragma once

#include <optional>
#include <string>

#include "hermod/mqtt/session/authenticator.hpp"
#include "hermod/sasl/scram.hpp"

namespace hermod::client {

class ScramAuthenticator final : public mqtt::Authenticator {
 public:
  /// Neither may be empty or hold control characters; if one does, connecting fails with the
  /// reason. Whatever is not ASCII must be UTF-8, written as the server's keeper has written it.
  ScramAuthenticator(std::string user, std::string password);

  [[nodiscard]] std::string_view method() const override { return sasl::kScramSha256; }
  [[nodiscard]] std::expected<std::string, std::string> first() override;
  /// Hashes the password: for a moment, or up to half a second where the server wants that much.
  [[nodiscard]] std::expected<std::string, std::string> step(Bytes challenge) override;
  [[nodiscard]] std::expected<void, std::string> finish(Bytes octets) override;

 private:
  std::string user_;
  std::string password_;
  std::optional<sasl::ScramClient> client_;  // of the exchange under way
};

}  // namespace hermod::client
