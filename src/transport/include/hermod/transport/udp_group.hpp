// SPDX-License-Identifier: Apache-2.0
// Receiving what is sent to a multicast group. A group has a socket of its own, beside the one that
// unicast comes to: what it receives came by multicast, and that is known without a look at any
// unicast datagram. Answers leave through the other socket, so that they come from its address and
// port. Must not know about peers or sessions.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "hermod/transport/datagram.hpp"

namespace hermod::transport {

/// Longest datagram taken from a group, in octets; longer ones are dropped.
inline constexpr std::size_t kGroupDatagramMax = 1024;

/// Joins `group`, at the port of `through`, and answers through that. `through` is of the same
/// family; it must have been bound with UdpOptions::reuse_port, and may be closed before the result
/// is. `interface` is a name or a number; "": the one whose address `through` is bound to, or every
/// one that is up now and can multicast. One socket, but for the link-local groups of IPv6 one for
/// each interface; 64 KiB each. Other programs may join the same group. Error in words.
[[nodiscard]] std::expected<std::vector<std::unique_ptr<DatagramSocket>>, std::string> join_udp(
    const Address& group, const std::string& interface, const DatagramSocket& through);

}  // namespace hermod::transport
