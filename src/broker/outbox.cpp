// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/outbox.hpp"

#include "hermod/base/assert.hpp"
#include "hermod/base/output.hpp"

namespace hermod::broker {
namespace {

// What comes back from another shard with a payload that this shard reads: its owner and its
// number.
void* token_of(std::uint16_t owner, std::uint32_t lent) {
  return reinterpret_cast<void*>(std::uintptr_t{owner} << 32 | lent);
}

}  // namespace

Outbox::Outbox(Mailroom& room, std::uint16_t self, const MailLimits& limits)
    : room_(room),
      self_(self),
      limits_(limits),
      batches_(room.shards()),
      last_letters_(room.shards()),
      give_back_(room.shards()) {}

Batch& Outbox::open_batch(std::uint16_t to) {
  HERMOD_ASSERT(to != self_);
  if (!batches_[to]) {
    batches_[to] = std::make_unique<Batch>();
    batches_[to]->letters.reserve(last_letters_[to]);  // it will be about as many again
  }
  return *batches_[to];
}

void Outbox::add(std::uint16_t to, Letter letter, std::size_t payload_bytes) {
  if (std::holds_alternative<InterestKnown>(letter)) {
    promises_.emplace_back(to, std::move(letter));
    return;
  }
  Batch& batch = open_batch(to);
  batch.bytes += payload_bytes;
  batch.letters.push_back(std::move(letter));
}

void Outbox::add_forward(std::uint16_t to, const model::Message& message, bool for_subscribers,
                         bool for_retained) {
  Batch& batch = open_batch(to);
  Forward letter{.for_subscribers = for_subscribers, .for_retained = for_retained};
  pack(letter, message, batch);
  batch.bytes += message.payload.size();
  batch.letters.push_back(std::move(letter));
}

void Outbox::add_delivery(std::uint16_t to, GroupDelivery letter, const model::Message& message) {
  Batch& batch = open_batch(to);
  pack(letter.content, message, batch);
  batch.bytes += message.payload.size();
  batch.letters.push_back(std::move(letter));
}

// A copy for the other shard alone; a large payload is lent.
void Outbox::pack(Forward& letter, const model::Message& message, Batch& batch) {
  const bool lends = message.payload.size() >= Output::kShareFrom;
  letter.message = &batch.messages.keep(message, !lends);
  if (lends) {
    const SharedBytes shared = message.owner != nullptr && message.owner->shared_payload()
                                   ? message.owner->shared_payload()
                                   : SharedBytes::copy_of(message.payload);
    do {
      ++last_lent_;
    } while (last_lent_ == 0 || lent_.contains(last_lent_));
    lent_.emplace(last_lent_, shared);
    letter.lent = last_lent_;
    letter.lent_payload = shared.bytes();
  }
}

const model::Message& Outbox::open(Forward& letter, std::uint16_t from) {
  if (letter.lent == 0) return *letter.message;
  letter.kept = model::OwnedMessage::copy_of(
      *letter.message,
      SharedBytes::foreign(letter.lent_payload, *this, token_of(from, letter.lent)));
  return *letter.kept;
}

void Outbox::give_back(void* token) {
  const auto value = reinterpret_cast<std::uintptr_t>(token);
  give_back_[value >> 32].push_back(static_cast<std::uint32_t>(value));
}

void Outbox::returned(const std::vector<std::uint32_t>& lent) {
  for (const std::uint32_t number : lent) lent_.erase(number);
}

void Outbox::send() {
  send_batches();
  if (promises_.empty()) return;
  for (auto& [to, letter] : promises_) open_batch(to).letters.push_back(std::move(letter));
  promises_.clear();
  send_batches();
}

void Outbox::send_batches() {
  for (std::uint16_t to = 0; to < room_.shards(); ++to) {
    if (!give_back_[to].empty()) {
      add(to, GiveBack{std::exchange(give_back_[to], {})});
    }
    if (!batches_[to]) continue;
    last_letters_[to] = batches_[to]->letters.size();
    if (room_.between(self_, to).put(std::move(batches_[to]))) pollers_[to]->wake();
  }
}

void Outbox::finish(std::uint16_t from, const Batch& batch) {
  if (room_.between(from, self_).finish(batch)) pollers_[from]->wake();
}

bool Outbox::has_room() {
  bool room = true;
  for (std::uint16_t to = 0; to < room_.shards(); ++to) {
    if (to == self_) continue;
    Mailbox& box = room_.between(self_, to);
    if (has_room(box, batches_[to].get())) continue;
    box.wait_for_room();
    // The receiver may have made room before it could see the wish: look again.
    room = has_room(box, batches_[to].get()) && room;
  }
  return room;
}

bool Outbox::has_room(const Mailbox& box, const Batch* open) const {
  const std::size_t letters = box.letters() + (open != nullptr ? open->letters.size() : 0);
  const std::size_t bytes = box.bytes() + (open != nullptr ? open->bytes : 0);
  return letters < limits_.letters_max && bytes < limits_.bytes_max;
}

}  // namespace hermod::broker
