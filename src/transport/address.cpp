// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/address.hpp"

#include <arpa/inet.h>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "hermod/base/hash.hpp"
#include "sockaddr.hpp"

namespace hermod::transport {

std::uint32_t interface_number(const std::string& name) {
  if (const std::uint32_t index = if_nametoindex(name.c_str()); index != 0) return index;
  std::uint32_t number = 0;
  const char* end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data(), end, number);
  return error == std::errc{} && stopped == end ? number : 0;
}

Address Address::v4(std::array<std::uint8_t, 4> octets, std::uint16_t port) {
  Address out;
  std::ranges::copy(octets, out.octets_.begin());
  out.port_ = port;
  out.family_ = Family::kV4;
  return out;
}

Address Address::v6(const std::array<std::uint8_t, 16>& octets, std::uint16_t port,
                    std::uint32_t scope) {
  Address out;
  out.octets_ = octets;
  out.scope_ = scope;
  out.port_ = port;
  out.family_ = Family::kV6;
  return out;
}

std::expected<Address, std::string> Address::literal(std::string_view text, std::uint16_t port) {
  const std::string whole(text);  // inet_pton wants a terminator
  std::array<std::uint8_t, 4> short_octets{};
  if (inet_pton(AF_INET, whole.c_str(), short_octets.data()) == 1) return v4(short_octets, port);

  const std::size_t percent = whole.find('%');
  std::uint32_t scope = 0;
  if (percent != std::string::npos) {
    scope = interface_number(whole.substr(percent + 1));
    if (scope == 0) {
      return std::unexpected(fmt::format("'{}' names no network interface after '%'", text));
    }
  }
  std::array<std::uint8_t, 16> octets{};
  if (inet_pton(AF_INET6, whole.substr(0, percent).c_str(), octets.data()) == 1) {
    return v6(octets, port, scope);
  }
  return std::unexpected(
      fmt::format("'{}' is not an IPv4 or IPv6 address such as 127.0.0.1 or ::1", text));
}

std::expected<std::vector<Address>, std::string> Address::resolve(const std::string& host,
                                                                  std::uint16_t port) {
  if (auto one = literal(host, port)) return std::vector{*one};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // one entry per address instead of one per socket type
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return std::unexpected(fmt::format("cannot resolve '{}': {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  std::vector<Address> out;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof storage));
    Address address = from_socket_address(storage);
    address.port_ = port;
    if (address.family() != Family::kNone) out.push_back(address);
  }
  if (out.empty()) {
    return std::unexpected(fmt::format("'{}' has no IPv4 or IPv6 address", host));
  }
  return out;
}

bool Address::is_loopback() const {
  if (family_ == Family::kV4) return octets_[0] == 127;
  if (family_ != Family::kV6) return false;
  return std::all_of(octets_.begin(), octets_.end() - 1, [](auto octet) { return octet == 0; }) &&
         octets_.back() == 1;
}

bool Address::is_multicast() const {
  if (family_ == Family::kV6) return octets_[0] == 0xff;         // RFC 4291 §2.7
  return family_ == Family::kV4 && (octets_[0] & 0xf0) == 0xe0;  // RFC 1112 §4
}

bool Address::is_any() const {
  return family_ != Family::kNone &&
         std::ranges::all_of(octets_, [](auto octet) { return octet == 0; });
}

Address Address::with_port(std::uint16_t port) const {
  Address out = *this;
  out.port_ = port;
  return out;
}

std::string Address::to_text() const {
  if (family_ == Family::kV4) {
    return fmt::format(FMT_COMPILE("{}.{}.{}.{}:{}"), octets_[0], octets_[1], octets_[2],
                       octets_[3], port_);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family_ == Family::kV6) {
    inet_ntop(AF_INET6, octets_.data(), text.data(), text.size());
    if (scope_ != 0) return fmt::format("[{}%{}]:{}", text.data(), scope_, port_);
    return fmt::format("[{}]:{}", text.data(), port_);
  }
  return "(no address)";
}

std::size_t AddressHash::operator()(const Address& address) const {
  std::array<char, 24> packed{};
  std::memcpy(packed.data(), address.octets().data(), 16);
  const std::uint32_t scope = address.scope();
  std::memcpy(packed.data() + 16, &scope, sizeof(scope));
  const std::uint16_t port = address.port();
  std::memcpy(packed.data() + 20, &port, sizeof(port));
  packed[22] = static_cast<char>(address.family());
  return keyed_hash({packed.data(), packed.size()}, key);
}

}  // namespace hermod::transport
