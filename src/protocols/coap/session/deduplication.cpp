// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/deduplication.hpp"

#include <algorithm>
#include <utility>

#include "hermod/base/hash.hpp"

namespace hermod::coap {
namespace {

constexpr std::size_t kFirstEntries = 8;

std::uint32_t seconds(Instant at) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

}  // namespace

// Unkeyed: a peer that makes its own messages collide only harms itself.
std::uint64_t Deduplicator::fingerprint(Bytes datagram) {
  return keyed_hash(as_text(datagram), 0);
}

bool Deduplicator::matters(const Entry& entry, Instant now) const {
  return entry.state != State::kFree && entry.until_s >= seconds(now);
}

Deduplicator::Entry* Deduplicator::find(std::uint16_t message_id, std::uint64_t fingerprint) {
  if (entries_.empty()) return nullptr;
  Entry& entry = entries_[message_id & (entries_.size() - 1)];
  const bool same = entry.state != State::kFree && entry.message_id == message_id &&
                    entry.fingerprint == fingerprint;
  return same ? &entry : nullptr;
}

Deduplicator::Seen Deduplicator::look_up(std::uint16_t message_id, std::uint64_t fingerprint,
                                         Instant now) const {
  if (entries_.empty()) return {};
  const Entry& entry = entries_[message_id & (entries_.size() - 1)];
  if (!matters(entry, now) || entry.message_id != message_id || entry.fingerprint != fingerprint) {
    return {};
  }
  switch (entry.state) {
    case State::kFree:
      return {};
    case State::kOpen:
      return {Verdict::kInProgress, {}};
    case State::kAcknowledged:
      return {Verdict::kAcknowledged, {}};
    case State::kAnswered:
      break;
  }
  Seen seen{Verdict::kAnswered, entry.code, {}};
  for (const Body& body : bodies_) {
    if (body.message_id == message_id && body.fingerprint == fingerprint) seen.body = body.octets;
  }
  return seen;
}

void Deduplicator::open(std::uint16_t message_id, std::uint64_t fingerprint, Instant now,
                        Instant until) {
  if (entries_.empty()) entries_.resize(kFirstEntries);
  while (entries_.size() < entries_max_) {
    const Entry& there = entries_[message_id & (entries_.size() - 1)];
    if (there.message_id == message_id || !matters(there, now) || !grow()) break;
  }
  entries_[message_id & (entries_.size() - 1)] = {
      fingerprint, seconds(until), message_id, {}, State::kOpen};
}

// Doubling keeps every entry: what shared no place before shares none after.
bool Deduplicator::grow() {
  const std::size_t size = entries_.size() * 2;
  if (size > kEntriesFree && !share_.resize(size * sizeof(Entry))) return false;
  std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(size));
  for (const Entry& entry : old) {
    if (entry.state != State::kFree) entries_[entry.message_id & (entries_.size() - 1)] = entry;
  }
  return true;
}

void Deduplicator::acknowledge(std::uint16_t message_id, std::uint64_t fingerprint) {
  Entry* entry = find(message_id, fingerprint);
  if (entry != nullptr) keep(*entry, State::kAcknowledged);
}

void Deduplicator::answer(std::uint16_t message_id, std::uint64_t fingerprint, Code code,
                          Bytes body) {
  Entry* entry = find(message_id, fingerprint);
  if (entry == nullptr || entry->state == State::kAcknowledged) return;
  entry->code = code;
  keep(*entry, State::kAnswered);
  if (!body.empty()) keep_body(*entry, body);
}

// The oldest body makes room. One that the budget has no room for is not kept: then the code alone
// is repeated, and the request still does not act twice.
void Deduplicator::keep_body(const Entry& entry, Bytes body) {
  if (bodies_max_ == 0) return;
  if (bodies_.size() < bodies_max_) bodies_.emplace_back();
  Body& kept = bodies_[next_body_];
  const std::size_t without = bodies_share_.octets() - kept.octets.size();
  next_body_ = (next_body_ + 1) % bodies_max_;
  kept = {entry.fingerprint, entry.message_id, {}};
  if (!bodies_share_.resize(without + body.size())) {
    (void)bodies_share_.resize(without);
    return;
  }
  kept.octets.assign(body.begin(), body.end());
}

void Deduplicator::keep(Entry& entry, State state) {
  entry.state = state;
  until_ = std::max(until_, Instant{std::chrono::seconds{entry.until_s}});
}

void Deduplicator::forget(std::uint16_t message_id, std::uint64_t fingerprint) {
  Entry* entry = find(message_id, fingerprint);
  if (entry == nullptr || entry->state == State::kAcknowledged) return;
  entry->state = State::kFree;
}

}  // namespace hermod::coap
