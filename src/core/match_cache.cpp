// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/match_cache.hpp"

namespace hermod::core {

const MatchSet& MatchCache::find(std::string_view topic) {
  const std::uint64_t changes = tree_.changes();
  if (last_ != nullptr && last_->changes == changes && last_->topic == topic) return last_->set;
  if (entries_.size() >= kTopicsMax || bytes_ > kBytesMax) {
    entries_.clear();
    bytes_ = 0;
    last_ = nullptr;
  }
  auto& slot = entries_[keyed_hash(topic, hash_key_)];
  if (!slot) slot = std::make_unique<Entry>();
  const std::uint64_t version = tree_.version(topic);
  if (slot->version != version || slot->topic != topic) {
    const std::size_t before = slot->version == 0 ? 0 : slot->memory();
    slot->topic = topic;
    slot->version = version;
    tree_.match(topic, slot->set);
    bytes_ += slot->memory() - before;
  }
  slot->changes = changes;
  last_ = slot.get();
  return slot->set;
}

}  // namespace hermod::core
