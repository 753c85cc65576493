// SPDX-License-Identifier: Apache-2.0
// The limits of the core, from the configuration. Each has a test that reaches it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hermod::core {

/// Per shard where it says so, otherwise per subscriber. A limit that is the whole broker's is
/// divided among the shards by whoever makes them.
struct Limits {
  std::size_t queue_messages_max = 10'000;        ///< waiting messages (max_queued_messages)
  std::size_t queue_bytes_max = 64u << 20;        ///< octets of waiting messages (max_queued_bytes)
  bool queue_at_most_once_offline = false;        ///< queue_qos0_messages
  std::size_t subscriptions_max = 10'000;         ///< subscriptions of one subscriber
  std::size_t subscribers_max = 1'000'000;        ///< per shard, away or connected (max_sessions)
  std::size_t retained_messages_max = 1'000'000;  ///< per shard
  std::size_t retained_bytes_max = 256u << 20;    ///< per shard
  std::size_t declared_topics_max = 100'000;      ///< per shard (max_declared_topics)
  std::size_t declared_bytes_max = 64u << 20;     ///< per shard; names and properties of those
  std::size_t declared_text_max = 1'024;          ///< octets of one text among the properties
  std::uint32_t expiry_s_max = UINT32_MAX;  ///< persistent_client_expiration; UINT32_MAX: never
};

}  // namespace hermod::core
