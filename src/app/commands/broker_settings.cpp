// SPDX-License-Identifier: Apache-2.0
// From the configuration to what the broker is made with.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "commands/serve.hpp"
#include "hermod/broker/mailbox.hpp"
#include "hermod/transport/address.hpp"
#include "hermod/transport/tcp.hpp"
#include "protocols.hpp"
#include "version.hpp"

namespace hermod::app {
namespace {

using transport::Address;

/// Whether this machine speaks IPv6 at all; many containers do not.
bool has_ipv6() {
  constexpr std::array<std::uint8_t, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return transport::listen_tcp(Address::v6(kLoopback, 0), {}).has_value();
}

std::expected<std::vector<Address>, std::string> addresses_of(const ListenerConfig& listener,
                                                              bool ipv6) {
  const std::uint16_t port = listener.port;
  std::vector<Address> all;
  if (listener.address.empty() || listener.address == "localhost") {
    const bool everywhere = listener.address.empty();
    all.push_back(*Address::literal(everywhere ? "0.0.0.0" : "127.0.0.1", port));
    if (ipv6) all.push_back(*Address::literal(everywhere ? "::" : "::1", port));
  } else if (const auto literal = Address::literal(listener.address, port)) {
    all.push_back(*literal);
  } else {
    auto resolved = Address::resolve(listener.address, port);
    if (!resolved) return std::unexpected(resolved.error());
    all = std::move(*resolved);
  }
  std::erase_if(all, [&listener](const Address& address) {
    const bool v6 = address.family() == Address::Family::kV6;
    return (listener.domain == SocketDomain::kV4 && v6) ||
           (listener.domain == SocketDomain::kV6 && !v6);
  });
  if (all.empty()) {
    return std::unexpected(
        fmt::format("\"{}\" has no address of the asked for socket_domain", listener.address));
  }
  return all;
}

/// Each shard's part of a limit of the whole broker, rounded up.
template <typename T>
void divide(T& limit, std::uint16_t shards) {
  limit = limit / shards + (limit % shards != 0 ? 1 : 0);
}

/// The same where the largest number means that there is no limit.
void divide_if_any(std::size_t& limit, std::uint16_t shards) {
  if (limit != SIZE_MAX) divide(limit, shards);
}

/// max_connections. The broker counts all streams together: with several listeners the sum counts,
/// and one without a limit lifts it to the broker's own.
void limit_connections(broker::Settings& settings, const Config& config) {
  std::uint64_t sum = 0;
  for (const ListenerConfig& listener : config.listeners) {
    const bool stream =
        find_protocol(listener.protocol)->transport() == session::Transport::kStream;
    if (stream) sum += listener.connections_max;
  }
  if (sum == 0 || sum >= ListenerConfig::kUnlimited) return;
  divide(sum, settings.threads);
  settings.connections.connections_max = sum;
}

std::string place_text(const Place& place) {
  return place.line == 0 ? std::string() : fmt::format("{}:{}: ", place.file, place.line);
}

/// The addresses of a group; RFC 7252 §12.8: All CoAP Nodes, of this link and of this site.
std::vector<Address> addresses_of(const CoapGroup& group, std::uint16_t port) {
  if (!group.group.empty()) return {*Address::literal(group.group, port)};
  return {*Address::literal("224.0.1.187", port), *Address::literal("ff02::fd", port),
          *Address::literal("ff05::fd", port)};
}

/// Listeners for the groups of a listener, whose own begin at `first`.
std::expected<void, std::string> add_groups(broker::Settings& settings,
                                            const ListenerConfig& listener, std::size_t first) {
  const std::size_t end = settings.listeners.size();
  const auto protocol = listener.coap_groups.empty() ? nullptr : group_protocol(listener);
  for (const CoapGroup& group : listener.coap_groups) {
    for (const Address& address : addresses_of(group, listener.port)) {
      std::size_t through = first;
      while (through < end && settings.listeners[through].address.family() != address.family()) {
        ++through;
      }
      if (through == end && group.group.empty()) continue;  // the others are enough
      if (through == end) {
        return std::unexpected(fmt::format(
            "{}\"coap_multicast\" is {}, but the listener has no address of that family. Open it "
            "on another address, or for both families.",
            place_text(listener.place), group.group));
      }
      broker::ListenerSettings made = settings.listeners[through];
      made.own = protocol;
      made.protocol = protocol.get();
      made.address = address;
      made.group = {.through = through, .interface = group.interface};
      settings.listeners.push_back(std::move(made));
    }
  }
  return {};
}

}  // namespace

std::expected<broker::Settings, std::string> broker_settings(const Config& config, unsigned cores,
                                                             const IdentityFiles& identities) {
  broker::Settings settings;
  const std::uint32_t threads = config.threads != 0 ? config.threads : cores;
  settings.threads =
      static_cast<std::uint16_t>(std::clamp<std::uint32_t>(threads, 1, broker::kShardsMax));
  settings.core = config.keep;
  divide(settings.core.subscribers_max, settings.threads);
  divide(settings.core.retained_messages_max, settings.threads);
  divide(settings.core.retained_bytes_max, settings.threads);
  divide(settings.core.declared_topics_max, settings.threads);
  divide(settings.core.declared_bytes_max, settings.threads);
  divide_if_any(settings.core.user_messages_max, settings.threads);
  divide_if_any(settings.core.user_bytes_max, settings.threads);
  limit_connections(settings, config);
  settings.connections.per_source_max = config.connections_per_source_max;
  settings.logins.threads = config.login_threads;
  settings.logins.jobs_max = config.pending_logins_max;
  settings.log_connections = config.log.connection_messages;
  settings.sys_interval_s = config.sys_interval_s;
  settings.version = kVersion;
  if (config.store.wanted.value_or(false)) {
    settings.store = store::StoreSettings{.folder = config.store.folder,
                                          .durability = config.store.durability,
                                          .interval = config.store.interval};
  }

  const bool ipv6 = has_ipv6();
  for (const ListenerConfig& listener : config.listeners) {
    const auto addresses = listener.path.empty() ? addresses_of(listener, ipv6)
                                                 : std::vector<Address>(1);  // it has none
    if (!addresses) {
      return std::unexpected(fmt::format("{}{}.", place_text(listener.place), addresses.error()));
    }
    if (!listener.coap_directive.empty() && listener.protocol != "coap") {
      return std::unexpected(fmt::format(
          "{}\"{}\" is for listeners with \"protocol coap\", and this one speaks {}. Take it "
          "away, or put it below the CoAP listener.",
          place_text(listener.place), listener.coap_directive, listener.protocol));
    }
    const std::size_t first = settings.listeners.size();
    for (const Address& address : *addresses) {
      broker::ListenerSettings& made = settings.listeners.emplace_back();
      made.own = own_protocol(listener);
      made.protocol = made.own ? made.own.get() : find_protocol(listener.protocol);
      made.address = address;
      made.path = listener.path;
      made.allow_anonymous = config.lets_anonymous_in(listener);
      made.directory = identities.directory(config.access_of(listener));
      made.limits = config.limits;
      made.limits.guarantee_max = listener.guarantee_max;
    }
    if (auto added = add_groups(settings, listener, first); !added) {
      return std::unexpected(added.error());
    }
  }
  return settings;
}

}  // namespace hermod::app
