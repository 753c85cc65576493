// SPDX-License-Identifier: Apache-2.0
// What one shard has counted since the start and what it holds now: its part of the broker's
// statistics, which one shard gathers by letter and publishes (status.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hermod::broker {

struct Counts {
  // --- since the start ---
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t messages_received = 0;  ///< packets and datagrams of every type
  std::uint64_t messages_sent = 0;
  std::uint64_t publishes_received = 0;  ///< of clients, also those that were refused
  std::uint64_t publishes_sent = 0;
  std::uint64_t publish_bytes_received = 0;  ///< octets of payloads
  std::uint64_t publish_bytes_sent = 0;
  std::uint64_t publishes_dropped = 0;  ///< were to be delivered; not `away`
  std::uint64_t dropped_length = 0;     ///< and these by reason: see core::RouterCounters
  std::uint64_t dropped_bytes = 0;
  std::uint64_t dropped_user = 0;
  std::uint64_t dropped_head = 0;
  std::uint64_t dropped_away = 0;
  std::uint64_t dropped_expired = 0;
  std::uint64_t dropped_damaged = 0;
  std::uint64_t publishes_refused = 0;  ///< as a queue had no room (queue_overflow reject)
  std::uint64_t sockets = 0;            ///< connections that were opened
  std::uint64_t connects = 0;           ///< CONNECT packets
  std::uint64_t refused = 0;            ///< connections that a limit refused
  std::uint64_t clients_expired = 0;
  // --- now ---
  std::uint64_t clients_connected = 0;
  std::uint64_t clients_total = 0;  ///< connected or remembered
  std::uint64_t unauthenticated = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t shared_subscriptions = 0;
  std::uint64_t retained = 0;
  std::uint64_t declared = 0;  ///< topics
  std::uint64_t stored = 0;    ///< retained and queued messages
  std::uint64_t stored_bytes = 0;
  std::uint64_t inflight = 0;              ///< sent and not acknowledged
  std::uint64_t store_batches = 0;         ///< that are safe; the first shard says it for all
  std::vector<std::uint64_t> by_listener;  ///< connections and datagram peers

  Counts& operator+=(const Counts& other);
};

}  // namespace hermod::broker
