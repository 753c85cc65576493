// SPDX-License-Identifier: Apache-2.0
// Who observes one declared topic, on whichever shard, in the order in which they came: when there
// is room for fewer, the newest go.
#pragma once

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <vector>

namespace hermod::core {

/// One who observes: its shard, and the number that it has there.
struct Seat {
  std::uint16_t shard = 0;
  std::uint64_t watch = 0;
  bool operator==(const Seat&) const = default;
};

class Seats {
 public:
  [[nodiscard]] std::size_t size() const { return ages_.size(); }
  [[nodiscard]] bool holds(const Seat& seat) const { return ages_.contains(seat); }
  /// Adds one that is not held.
  void add(const Seat& seat);
  /// `by` takes the place of `seat`. False when `seat` is not held.
  bool hand_on(const Seat& seat, const Seat& by);
  /// Nothing happens when it is not held.
  void remove(const Seat& seat);
  /// Removes the newest ones until no more than `count` are left; returns them, newest first.
  [[nodiscard]] std::vector<Seat> cut(std::size_t count);
  /// All, oldest first.
  [[nodiscard]] std::vector<Seat> all() const;

 private:
  struct Hash {
    std::size_t operator()(const Seat& seat) const {
      std::size_t seed = seat.shard;
      boost::hash_combine(seed, seat.watch);
      return seed;
    }
  };
  std::uint64_t last_age_ = 0;
  std::map<std::uint64_t, Seat> by_age_;
  boost::unordered_flat_map<Seat, std::uint64_t, Hash> ages_;
};

}  // namespace hermod::core
