// SPDX-License-Identifier: Apache-2.0
#include "sockaddr.hpp"

#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace hermod::transport {

SocketAddress to_socket_address(const Address& address) {
  SocketAddress out;
  if (address.family() == Address::Family::kV4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port());
    std::memcpy(&in.sin_addr, address.octets().data(), 4);
    std::memcpy(&out.storage, &in, sizeof(in));
    out.length = sizeof(in);
  } else if (address.family() == Address::Family::kV6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port());
    std::memcpy(&in.sin6_addr, address.octets().data(), 16);
    in.sin6_scope_id = address.scope();
    std::memcpy(&out.storage, &in, sizeof(in));
    out.length = sizeof(in);
  }
  return out;
}

Address from_socket_address(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof(in));
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &in.sin_addr, octets.size());
    return Address::v4(octets, ntohs(in.sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof(in));
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &in.sin6_addr, octets.size());
    return Address::v6(octets, ntohs(in.sin6_port), in.sin6_scope_id);
  }
  return {};
}

Address bound_address(int descriptor) {
  SocketAddress out;
  out.length = sizeof(out.storage);
  if (getsockname(descriptor, out.get(), &out.length) != 0) return {};
  return from_socket_address(out.storage);
}

Address peer_address(int descriptor) {
  SocketAddress out;
  out.length = sizeof(out.storage);
  if (getpeername(descriptor, out.get(), &out.length) != 0) return {};
  return from_socket_address(out.storage);
}

std::string bound_path(int descriptor) {
  sockaddr_un address{};
  socklen_t length = sizeof(address);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  if (address.sun_family != AF_UNIX || length <= offsetof(sockaddr_un, sun_path)) return {};
  return {address.sun_path, strnlen(address.sun_path, sizeof(address.sun_path))};
}

bool set_option(int descriptor, int level, int name, int value) {
  return setsockopt(descriptor, level, name, &value, sizeof(value)) == 0;
}

std::string failure(std::string_view what, const Address& where, int error) {
  return fmt::format("cannot {} {}: {}", what, where.to_text(),
                     std::generic_category().message(error));
}

OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace hermod::transport
