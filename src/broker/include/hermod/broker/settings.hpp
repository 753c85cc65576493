// SPDX-License-Identifier: Apache-2.0
// What a broker is made with. app's configuration reader produces it; nothing here knows its
// grammar.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/broker/outbox.hpp"
#include "hermod/core/limits.hpp"
#include "hermod/identity/directory.hpp"
#include "hermod/identity/hashing_pool.hpp"
#include "hermod/session/protocol.hpp"
#include "hermod/store/store.hpp"
#include "hermod/transport/address.hpp"

namespace hermod::broker {

/// That a listener takes what is sent to a multicast group, `address`.
struct GroupSettings {
  std::size_t through = 0;  ///< answers leave by this listener, an earlier one, which has the port
  std::string interface;    ///< where to join; "": see transport::join_udp()
};

/// One port.
struct ListenerSettings {
  const session::Protocol* protocol = nullptr;
  std::shared_ptr<const session::Protocol> own;  ///< `protocol`, where it is this listener's own
  transport::Address address;
  std::string path;                    ///< of a Unix socket, instead of the address; streams only
  std::optional<GroupSettings> group;  ///< nothing: what is sent to `address` alone
  std::string label;                   ///< names it to the store, from run to run
  bool allow_anonymous = true;
  /// Users and access rules; nothing: all names are one. May be shared by listeners.
  std::shared_ptr<const identity::Directory> directory;
  session::SessionLimits limits;
};

/// Limits on connections, per shard.
struct ConnectionLimits {
  std::size_t connections_max = 100'000;         ///< streams, attached or not
  std::size_t unattached_max = 10'000;           ///< streams whose handshake is not over
  std::size_t unattached_bytes_max = 64u << 20;  ///< octets that those have sent, all together
  std::size_t peers_max = 100'000;               ///< datagram peers remembered
  /// Octets that datagram sessions keep of bodies and of requests they have seen, all together.
  std::size_t transfer_bytes_max = 64u << 20;
  /// Streams of one source address on all shards together; 0: no such limit.
  std::size_t per_source_max = 0;
  /// Waiting output from which a connection gets no further messages and its requests are not read.
  std::size_t output_soft_bytes = 256u << 10;
  /// Waiting output from which nothing more is read.
  std::size_t output_hard_bytes = 1u << 20;
};

struct Settings {
  std::uint16_t threads = 1;  ///< shards, at most kShardsMax
  core::Limits core;
  ConnectionLimits connections;
  MailLimits mail;
  identity::HashingPool::Limits logins;       ///< of the whole broker
  bool log_connections = true;                ///< connection_messages
  std::uint32_t sys_interval_s = 0;           ///< how often $SYS is brought up to date; 0: never
  std::string version;                        ///< of the program, for $SYS
  std::optional<store::StoreSettings> store;  ///< nothing: ephemeral
  std::vector<ListenerSettings> listeners;

  /// Whether there are passwords to check.
  [[nodiscard]] bool needs_pool() const {
    return std::ranges::any_of(listeners, [](const ListenerSettings& listener) {
      return listener.directory && listener.directory->record()->users;
    });
  }
};

}  // namespace hermod::broker
