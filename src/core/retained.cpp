// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/retained.hpp"

#include <algorithm>

#include "hermod/base/hash.hpp"
#include "hermod/base/words.hpp"
#include "hermod/model/topic.hpp"
#include "topic_walk.hpp"

namespace hermod::core {
namespace {

// Where two texts differ first; `count` when they do not. The last eight octets may be looked at
// twice: what was equal is again.
std::size_t first_difference(const char* a, const char* b, std::size_t count) {
  if (count < 8) {
    std::size_t at = 0;
    while (at < count && a[at] == b[at]) ++at;
    return at;
  }
  for (std::size_t at = 0;; at = std::min(at + 8, count - 8)) {
    const std::uint64_t difference = load8(a + at) ^ load8(b + at);
    if (difference != 0) return at + first_octet(difference);
    if (at == count - 8) return count;
  }
}

}  // namespace

bool TopicOrder::less(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  const std::size_t at = first_difference(a.data(), b.data(), common);
  if (at == common) return a.size() < b.size();
  if (a[at] == '/') return true;
  if (b[at] == '/') return false;
  return static_cast<std::uint8_t>(a[at]) < static_cast<std::uint8_t>(b[at]);
}

model::Reason Retained::store(const model::Message& message, Change* change) {
  const auto found = values_.find(message.destination.address);
  const bool held = found != values_.end();
  if (held && message.version < (*found)->version) return model::Reason::kOk;
  if (!held && is_older_than_clear(message)) return model::Reason::kOk;
  const bool own = model::is_own_topic(message.destination.address);
  const std::size_t freed = held && !own ? found->get()->memory() : 0;
  if (change != nullptr && held) change->before = found->get()->position();
  if (message.payload.empty()) {
    if (change != nullptr) change->made = held;
    if (held) values_.erase(found);
    if (held && own) --own_values_;
    bytes_ -= freed;
    note_clear(message);
    return model::Reason::kOk;
  }
  model::MessageRef value = message.own();
  const std::size_t bytes = bytes_ - freed + (own ? 0 : value.get()->memory());
  if (!own &&
      ((!held && size() >= limits_.retained_messages_max) || bytes > limits_.retained_bytes_max)) {
    return model::Reason::kQuotaExceeded;
  }
  if (!held && own) ++own_values_;
  // The old value's name orders the set: take it out before the new one goes in.
  auto after = held ? values_.erase(found) : values_.end();
  if (change != nullptr) {
    change->made = true;
    change->value = value.get();
  }
  values_.insert(after, std::move(value));
  bytes_ = bytes;
  return model::Reason::kOk;
}

void Retained::note_clear(const model::Message& message) {
  if (clears_.size() == kClearsMin) {
    clears_before_ = std::move(clears_);
    clears_.clear();
  }
  std::uint64_t& version = clears_[keyed_hash(message.destination.address, hash_key_)];
  version = std::max(version, message.version);
}

bool Retained::is_older_than_clear(const model::Message& message) const {
  if (clears_.empty()) return false;
  const std::uint64_t topic = keyed_hash(message.destination.address, hash_key_);
  for (const Clears* clears : {&clears_, &clears_before_}) {
    const auto found = clears->find(topic);
    if (found != clears->end() && message.version < found->second) return true;
  }
  return false;
}

const model::Message* Retained::find(std::string_view topic, Instant now) const {
  const auto found = values_.find(topic);
  if (found == values_.end() || (*found)->expires_at <= now) return nullptr;
  return &**found;
}

std::string Retained::match(std::string_view filter, std::string_view after, std::size_t visits_max,
                            Instant now,
                            const std::function<bool(const model::MessageRef&)>& visit) const {
  if (!model::has_wildcard(filter)) {
    const auto found = values_.find(filter);
    if (after.empty() && found != values_.end() && (*found)->expires_at > now) visit(*found);
    return {};
  }
  return walk_topics(
      values_, filter, after, visits_max,
      [](const model::MessageRef& value) { return value->destination.address; },
      [&](const model::MessageRef& value) { return value->expires_at <= now || visit(value); });
}

}  // namespace hermod::core
