// SPDX-License-Identifier: Apache-2.0
// An IPv4 or IPv6 address with a port, as a value that can be a table's key.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace hermod::transport {

/// Network address and port. Comparable, hashable, 24 octets.
class Address {
 public:
  enum class Family : std::uint8_t { kNone, kV4, kV6 };

  Address() = default;
  static Address v4(std::array<std::uint8_t, 4> octets, std::uint16_t port);
  static Address v6(const std::array<std::uint8_t, 16>& octets, std::uint16_t port,
                    std::uint32_t scope = 0);
  /// A literal address such as "127.0.0.1", "::1" or "fe80::1%eth0"; an error in words otherwise.
  static std::expected<Address, std::string> literal(std::string_view text, std::uint16_t port);
  /// All addresses of a host name or literal, in the resolver's order; blocks. Error in words.
  static std::expected<std::vector<Address>, std::string> resolve(const std::string& host,
                                                                  std::uint16_t port);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// 4 or 16 significant octets.
  [[nodiscard]] const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  [[nodiscard]] std::uint32_t scope() const { return scope_; }
  [[nodiscard]] bool is_loopback() const;
  /// 0.0.0.0 or ::, which stand for every address of the machine.
  [[nodiscard]] bool is_any() const;
  [[nodiscard]] bool is_multicast() const;
  /// The same address with another port.
  [[nodiscard]] Address with_port(std::uint16_t port) const;
  /// "127.0.0.1:1883", "[::1]:1883".
  [[nodiscard]] std::string to_text() const;

  bool operator==(const Address&) const = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  Family family_ = Family::kNone;
};

/// The number of an interface given by name or number ("eth0", "2"); 0 when there is none.
[[nodiscard]] std::uint32_t interface_number(const std::string& name);

struct AddressHash {
  using is_avalanching = void;
  std::uint64_t key = 0;
  [[nodiscard]] std::size_t operator()(const Address& address) const;
};

}  // namespace hermod::transport
