// SPDX-License-Identifier: Apache-2.0
// Ids are taken in ascending order, so a ring indexed by id stays dense: it only grows when as many
// ids are in use as it has places.
#include "hermod/model/inflight.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"

namespace hermod::model {
namespace {
constexpr std::size_t kFirstRing = 8;
constexpr std::size_t kLastRing = 65'536;
constexpr std::uint32_t kIdsMax = 65'535;
}  // namespace

Inflight::State& Inflight::state() {
  if (!state_) state_ = std::make_unique<State>();
  return *state_;
}

void Inflight::grow() {
  std::vector<Entry> old = std::move(state_->ring);
  state_->ring.assign(std::max(kFirstRing, old.size() * 2), Entry{});
  for (const Entry& entry : old) {
    if (entry.stage != Stage::kFree) state_->ring[entry.id & (state_->ring.size() - 1)] = entry;
  }
}

std::uint16_t Inflight::take(Tag tag, Guarantee guarantee) {
  State& s = state();
  if (s.used == kIdsMax) return 0;
  if (s.used * 2 >= s.ring.size() && s.ring.size() < kLastRing) grow();
  const std::size_t mask = s.ring.size() - 1;
  do {  // [MQTT-2.3.1-2]: an id that is not in use, never 0
    ++s.last_id;
  } while (s.last_id == 0 || s.ring[s.last_id & mask].stage != Stage::kFree);
  s.ring[s.last_id & mask] = Entry{tag, s.order++, s.last_id, Stage::kSent, guarantee};
  ++s.used;
  return s.last_id;
}

std::uint16_t Inflight::take_for(Tag tag, Guarantee guarantee) {
  State& s = state();
  const auto id = static_cast<std::uint16_t>(tag % kIdsMax + 1);
  if (s.ring.empty()) grow();
  while (s.ring[id & (s.ring.size() - 1)].stage != Stage::kFree) {
    HERMOD_ASSERT(s.ring.size() < kLastRing);
    grow();
  }
  s.ring[id & (s.ring.size() - 1)] = Entry{tag, s.order++, id, Stage::kSent, guarantee};
  ++s.used;
  return id;
}

Inflight::Entry* Inflight::find(std::uint16_t id) {
  if (!state_ || state_->ring.empty()) return nullptr;
  Entry& entry = state_->ring[id & (state_->ring.size() - 1)];
  return entry.stage != Stage::kFree && entry.id == id ? &entry : nullptr;
}

Inflight::Entry* Inflight::find_tag(Tag tag) {
  if (!state_) return nullptr;
  const std::size_t mask = state_->ring.size() - 1;
  for (std::size_t step = 0; step < state_->ring.size(); ++step) {
    const std::size_t place = (state_->found_at + step) & mask;
    Entry& entry = state_->ring[place];
    if (entry.stage != Stage::kSent || entry.tag != tag) continue;
    state_->found_at = static_cast<std::uint32_t>(place);
    return &entry;
  }
  return nullptr;
}

void Inflight::release(Entry& entry) {
  entry.stage = Stage::kReleased;
  entry.order = state_->order++;
}

void Inflight::finish(std::uint16_t id) {
  Entry* entry = find(id);
  if (entry == nullptr) return;
  *entry = Entry{};
  --state_->used;
}

std::vector<std::uint16_t> Inflight::released() const {
  std::vector<std::uint16_t> ids;
  if (!state_) return ids;
  std::vector<const Entry*> entries;
  for (const Entry& entry : state_->ring) {
    if (entry.stage == Stage::kReleased) entries.push_back(&entry);
  }
  std::ranges::sort(entries, {}, &Entry::order);
  for (const Entry* entry : entries) ids.push_back(entry->id);
  return ids;
}

bool Inflight::note_incoming(std::uint16_t id) {
  State& s = state();
  auto& page = s.incoming[id / kPageIds];
  if (!page) page = std::make_unique<Page>();
  std::uint64_t& word = (*page)[id % kPageIds / 64];
  const std::uint64_t bit = std::uint64_t{1} << (id % 64);
  if ((word & bit) != 0) return false;
  word |= bit;
  ++s.incoming_used;
  return true;
}

bool Inflight::has_incoming(std::uint16_t id) const {
  if (!state_ || !state_->incoming[id / kPageIds]) return false;
  return ((*state_->incoming[id / kPageIds])[id % kPageIds / 64] >> (id % 64) & 1) != 0;
}

bool Inflight::forget_incoming(std::uint16_t id) {
  if (!state_) return false;
  auto& page = state_->incoming[id / kPageIds];
  if (!page) return false;
  std::uint64_t& word = (*page)[id % kPageIds / 64];
  const std::uint64_t bit = std::uint64_t{1} << (id % 64);
  if ((word & bit) == 0) return false;
  word &= ~bit;
  --state_->incoming_used;
  return true;
}

void Inflight::keep_incoming(std::span<const std::uint16_t> ids) {
  if (!state_) return;
  std::vector<std::uint16_t> held;
  for (const std::uint16_t id : ids) {
    if (has_incoming(id)) held.push_back(id);
  }
  for (auto& page : state_->incoming) page.reset();
  state_->incoming_used = 0;
  for (const std::uint16_t id : held) (void)note_incoming(id);
}

void Inflight::shrink() {
  if (empty()) state_.reset();
}

}  // namespace hermod::model
