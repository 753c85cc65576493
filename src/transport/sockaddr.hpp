// SPDX-License-Identifier: Apache-2.0
// Address to and from the kernel's socket addresses, and socket words shared by TCP and UDP.
// Private to this module.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>

#include "hermod/transport/address.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::transport {

/// A socket address with its length; length 0 for an Address without a family.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[nodiscard]] SocketAddress to_socket_address(const Address& address);
/// Family kNone for anything but IPv4 and IPv6.
[[nodiscard]] Address from_socket_address(const sockaddr_storage& storage);

/// The address a descriptor is bound to, or its peer's; family kNone on failure.
[[nodiscard]] Address bound_address(int descriptor);
[[nodiscard]] Address peer_address(int descriptor);

/// The path of the file that a Unix socket is bound to; empty for others.
[[nodiscard]] std::string bound_path(int descriptor);

/// The next connection that waits at a listening socket; see StreamListener::accept().
[[nodiscard]] std::unique_ptr<Stream> accept_stream(int listening, int& error);

/// An integer socket option; false when the kernel refuses.
bool set_option(int descriptor, int level, int name, int value);

/// "cannot listen on 127.0.0.1:1883: Address already in use" from what was tried and an errno.
[[nodiscard]] std::string failure(std::string_view what, const Address& where, int error);

/// Closes on destruction unless released: for functions that can fail half-way.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~OwnedDescriptor();
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool valid() const { return descriptor_ >= 0; }
  [[nodiscard]] int release() {
    const int out = descriptor_;
    descriptor_ = -1;
    return out;
  }

 private:
  int descriptor_;
};

}  // namespace hermod::transport
