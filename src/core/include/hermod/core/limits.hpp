// SPDX-License-Identifier: Apache-2.0
// The limits of the core, from the configuration. Each has a test that reaches it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/time.hpp"

namespace hermod::core {

/// What happens to a message that finds no room in a queue.
enum class Overflow : std::uint8_t {
  kDropTail,  ///< it is dropped
  kDropHead,  ///< the oldest that wait make room for it
  kReject,    ///< its publication is refused, if it is above at most once; else as kDropTail
};

/// Per shard where it says so, otherwise per subscriber. A limit that is the whole broker's is
/// divided among the shards by whoever makes them.
struct Limits {
  std::size_t queue_messages_max = 10'000;        ///< waiting messages (max_queued_messages)
  std::size_t queue_bytes_max = 64u << 20;        ///< octets of waiting messages (max_queued_bytes)
  Overflow queue_overflow = Overflow::kDropTail;  ///< queue_overflow
  Duration queue_ttl{};  ///< longest wait of at least once or better; 0: none (queue_message_ttl)
  bool queue_at_most_once_offline = false;        ///< queue_qos0_messages
  std::size_t user_messages_max = SIZE_MAX;       ///< per shard, of all sessions of one user
  std::size_t user_bytes_max = SIZE_MAX;          ///< the same; max_queued_*_per_user
  std::size_t subscriptions_max = 10'000;         ///< subscriptions of one subscriber
  std::size_t subscribers_max = 1'000'000;        ///< per shard, away or connected (max_sessions)
  std::size_t retained_messages_max = 1'000'000;  ///< per shard
  std::size_t retained_bytes_max = 256u << 20;    ///< per shard
  std::size_t declared_topics_max = 100'000;      ///< per shard (max_declared_topics)
  std::size_t declared_bytes_max = 64u << 20;     ///< per shard; names and properties of those
  std::size_t declared_text_max = 1'024;          ///< octets of one text among the properties
  std::uint32_t expiry_s_max = UINT32_MAX;  ///< persistent_client_expiration; UINT32_MAX: never

  [[nodiscard]] bool has_user_limits() const {
    return user_messages_max != SIZE_MAX || user_bytes_max != SIZE_MAX;
  }
};

}  // namespace hermod::core
