// SPDX-License-Identifier: Apache-2.0
#include "observer.hpp"

#include <algorithm>

namespace hermod::sim {

std::string describe(const Ledger& ledger, const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNone:
      return "no value";
    case Value::Kind::kMessage:
      break;
  }
  return describe(ledger, value.id);
}

// RFC 7641 §3.4: serial numbers of 24 bits; after 128 s any number is newer.
bool Observer::is_newer(std::uint32_t sequence, Instant now) const {
  constexpr std::uint32_t kHalf = 1u << 23;
  if (now > at_ + std::chrono::seconds{128}) return true;
  return sequence > sequence_ ? sequence - sequence_ < kHalf : sequence_ - sequence > kHalf;
}

bool Observer::is_older(const Value& value, const Value& than, Instant now) const {
  if (than.kind != Value::Kind::kMessage) return false;
  if (value.kind == Value::Kind::kMessage) {
    // What is not retained has no order but that of its publisher.
    const bool ordered =
        ledger_[value.id].retain || ledger_[value.id].lane == ledger_[than.id].lane;
    return ordered && ledger_.precedes(value.id, than.id);
  }
  // Somebody must have cleared the topic, not before the value that was there came.
  for (const Lane& lane : ledger_.lanes()) {
    if (lane.topic != topic_) continue;
    const bool cleared = std::ranges::any_of(lane.transmissions, [&](PublicationId id) {
      return ledger_[id].clears && ledger_[id].begun < now && !ledger_.precedes(id, than.id);
    });
    if (cleared) return false;
  }
  return true;
}

bool Observer::told(std::uint32_t sequence, const Value& value, Instant now) {
  if (told_ && sequence == sequence_) {
    if (value == *told_) return true;
    trace_.violation(now, "{}: two values have the sequence number {}: {} and {}", name_, sequence,
                     describe(ledger_, *told_), describe(ledger_, value));
    return true;
  }
  if (told_ && !is_newer(sequence, now)) return false;  // overtaken on the way
  told_ = value;
  sequence_ = sequence;
  at_ = now;
  const bool event = value_ && value_->kind == Value::Kind::kMessage && !ledger_[value_->id].retain;
  if (event && value.kind == Value::Kind::kNone)
    return true;  // nothing is retained: still the last one
  if (value_ && is_older(value, *value_, now)) {
    trace_.violation(now, "{}: an older value came after a newer one: {} after {}", name_,
                     describe(ledger_, value), describe(ledger_, *value_));
  }
  value_ = value;
  return true;
}

}  // namespace hermod::sim
