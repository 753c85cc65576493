// SPDX-License-Identifier: Apache-2.0
#include "socks.hpp"

#include <boost/asio/ip/address.hpp>

namespace hermod::client {
namespace {

constexpr std::uint8_t kVersion = 5;
constexpr std::uint8_t kLoginVersion = 1;
constexpr std::uint8_t kNoLogin = 0;
constexpr std::uint8_t kPassword = 2;
constexpr std::uint8_t kConnect = 1;
constexpr std::uint8_t kV4 = 1;
constexpr std::uint8_t kName = 3;
constexpr std::uint8_t kV6 = 4;
constexpr std::size_t kFieldMax = 255;
constexpr std::size_t kPortOctets = 2;

using Refused = std::unexpected<Error>;

void append(std::string& out, std::uint8_t octet) {
  out += static_cast<char>(octet);
}

void append_field(std::string& out, const std::string& text) {
  append(out, static_cast<std::uint8_t>(text.size()));
  out += text;
}

/// RFC 1928 §6: the REP field.
Error to_error(std::uint8_t reply) {
  constexpr std::uint8_t kLast = 8;
  if (reply > kLast) return Error::kProxyFailed;
  return static_cast<Error>(static_cast<int>(Error::kProxyFailed) + reply - 1);
}

}  // namespace

bool SocksHandshake::fits() const {
  const auto fits = [](const std::string& text) {
    return !text.empty() && text.size() <= kFieldMax;
  };
  return fits(host_) && (!user_ || fits(*user_)) && password_.value_or("").size() <= kFieldMax;
}

std::string SocksHandshake::greeting() const {
  std::string out;
  append(out, kVersion);
  append(out, user_ ? 2 : 1);  // so many methods follow
  append(out, kNoLogin);
  if (user_) append(out, kPassword);
  return out;
}

std::expected<std::string, Error> SocksHandshake::on_bytes(Bytes bytes) {
  switch (state_) {
    case State::kMethod:
      return on_method(bytes);
    case State::kLogin:  // RFC 1929 §2: the version, and 0 for success
      if (bytes[1] != 0) return Refused(Error::kProxyBadCredentials);
      return request();
    case State::kReply:
      return on_reply(bytes);
    case State::kName:
      want(State::kAddress, bytes[0] + kPortOctets);
      return "";
    case State::kAddress:
      wanted_ = 0;
      return "";
  }
  return "";
}

std::expected<std::string, Error> SocksHandshake::on_method(Bytes bytes) {
  if (bytes[0] != kVersion) return Refused(Error::kProxyNotSocks);
  if (bytes[1] == kNoLogin) return request();
  if (bytes[1] != kPassword || !user_) return Refused(Error::kProxyNeedsLogin);
  want(State::kLogin, 2);
  return login();
}

std::string SocksHandshake::login() const {
  std::string out;
  append(out, kLoginVersion);
  append_field(out, *user_);
  append_field(out, password_.value_or(""));
  return out;
}

std::string SocksHandshake::request() {
  std::string out;
  append(out, kVersion);
  append(out, kConnect);
  append(out, 0);
  boost::system::error_code not_literal;
  const auto address = boost::asio::ip::make_address(host_, not_literal);
  if (not_literal) {
    append(out, kName);
    append_field(out, host_);
  } else if (address.is_v4()) {
    append(out, kV4);
    for (const std::uint8_t octet : address.to_v4().to_bytes()) append(out, octet);
  } else {
    append(out, kV6);
    for (const std::uint8_t octet : address.to_v6().to_bytes()) append(out, octet);
  }
  append(out, static_cast<std::uint8_t>(port_ >> 8));
  append(out, static_cast<std::uint8_t>(port_ & 0xFF));
  want(State::kReply, 4);
  return out;
}

std::expected<std::string, Error> SocksHandshake::on_reply(Bytes bytes) {
  if (bytes[0] != kVersion) return Refused(Error::kProxyNotSocks);
  if (bytes[1] != 0) return Refused(to_error(bytes[1]));
  switch (bytes[3]) {
    case kV4:
      want(State::kAddress, 4 + kPortOctets);
      return "";
    case kV6:
      want(State::kAddress, 16 + kPortOctets);
      return "";
    case kName:
      want(State::kName, 1);
      return "";
    default:
      return Refused(Error::kProxyNotSocks);
  }
}

}  // namespace hermod::client
