// SPDX-License-Identifier: Apache-2.0
// What the queues of each user hold together, on one shard, where users have limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "hermod/base/hash.hpp"

namespace hermod::core {

/// Kept true by the queues that were told of it (Queue::set_usage).
struct Usage {
  std::size_t waiting = 0;  ///< messages
  std::size_t bytes = 0;    ///< of those that wait or are not settled, as Queue::bytes() counts
  std::size_t queues = 0;   ///< of this user
  std::size_t claimed = 0;  ///< messages that one publication asks room for; 0 in between
};

class Users {
 public:
  explicit Users(std::uint64_t hash_key) : table_(0, KeyedHash{hash_key}) {}

  /// One more queue of the user. The usage stays where it is until as many have left.
  Usage& enter(const std::string& user) {
    Usage& usage = table_[user];
    ++usage.queues;
    return usage;
  }
  void leave(const std::string& user) {
    const auto found = table_.find(user);
    if (--found->second.queues == 0) table_.erase(found);
  }
  [[nodiscard]] const Usage* find(const std::string& user) const {
    const auto found = table_.find(user);
    return found == table_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<std::string, Usage, KeyedHash, std::equal_to<>> table_;
};

}  // namespace hermod::core
