// SPDX-License-Identifier: Apache-2.0
// The client's side of SOCKS version 5 (RFC 1928), with user names and passwords (RFC 1929), as a
// state machine without sockets. Whoever has the socket sends what it says and reads exactly as
// many octets as it needs, so that nothing of what follows is swallowed.
//
//   greeting() --> 2 octets: method --[user, password --> 2 octets]--> request --> 4 octets: reply
//      --> the address in it, whose length the reply tells --> done()
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "hermod/base/bytes.hpp"
#include "hermod/client/error.hpp"

namespace hermod::client {

class SocksHandshake {
 public:
  /// To a host, by name or literal address.
  SocksHandshake(std::string host, std::uint16_t port, std::optional<std::string> user,
                 std::optional<std::string> password)
      : host_(std::move(host)),
        user_(std::move(user)),
        password_(std::move(password)),
        port_(port) {}

  /// Whether all of it fits into SOCKS's fields, which have 255 octets each.
  [[nodiscard]] bool fits() const;
  /// What the client says first.
  [[nodiscard]] std::string greeting() const;
  /// How many octets it wants next; 0: it is done.
  [[nodiscard]] std::size_t wanted() const { return wanted_; }
  [[nodiscard]] bool done() const { return wanted_ == 0; }
  /// Takes exactly wanted() octets. What to send now, often nothing; or why it is over.
  [[nodiscard]] std::expected<std::string, Error> on_bytes(Bytes bytes);

 private:
  enum class State : std::uint8_t { kMethod, kLogin, kReply, kName, kAddress };

  [[nodiscard]] std::expected<std::string, Error> on_method(Bytes bytes);
  [[nodiscard]] std::expected<std::string, Error> on_reply(Bytes bytes);
  [[nodiscard]] std::string request();
  [[nodiscard]] std::string login() const;
  void want(State state, std::size_t octets) {
    state_ = state;
    wanted_ = octets;
  }

  std::string host_;
  std::optional<std::string> user_;
  std::optional<std::string> password_;
  std::uint16_t port_;
  State state_ = State::kMethod;
  std::size_t wanted_ = 2;
};

}  // namespace hermod::client
