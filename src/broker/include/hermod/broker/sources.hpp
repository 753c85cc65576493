// SPDX-License-Identifier: Apache-2.0
// How many connections each source address has, over all shards: max_connections_per_source.
// Asked when a connection comes and when it goes, never in between.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "hermod/transport/address.hpp"

namespace hermod::broker {

/// Stands for an address; 0 for none. Of IPv6 the first 64 bits count: whoever has one address of a
/// subnet has them all.
using Source = std::uint64_t;
[[nodiscard]] Source source_of(const transport::Address& address);

/// Shared by all shards.
class Sources {
 public:
  /// Counts one more connection; false, and nothing counted, when there are `count_max` already.
  [[nodiscard]] bool enter(Source source, std::size_t count_max);
  void leave(Source source);
  /// Sources that have a connection.
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  boost::unordered_flat_map<Source, std::size_t> counts_;
};

}  // namespace hermod::broker
