// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/subscriber.hpp"

namespace hermod::core {

Subscribers::Subscribers(std::uint64_t hash_key)
    : names_(0, ByName{&table_, hash_key}, ByName{&table_, hash_key}) {}

SubscriberIndex Subscribers::find(std::string_view id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? kNone : *found;
}

SubscriberIndex Subscribers::add(std::string_view id) {
  const SubscriberIndex index = table_.emplace(id);
  table_[index].index = index;
  if (!id.empty()) names_.insert(index);
  return index;
}

void Subscribers::remove(SubscriberIndex index) {
  if (!table_[index].id.empty()) names_.erase(index);
  table_.erase(index);
}

}  // namespace hermod::core
