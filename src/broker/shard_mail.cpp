// SPDX-License-Identifier: Apache-2.0
// Letters of other shards.
#include "shard_session.hpp"

namespace hermod::broker {

void Shard::read_mail() {
  const std::uint16_t shards = parts_.mailroom.shards();
  if (shards == 1) return;
  const std::vector<Question> questions = std::exchange(questions_, {});
  ++mail_turn_;  // nobody's mail always comes first
  for (std::uint16_t i = 0; i < shards; ++i) {
    const auto from = static_cast<std::uint16_t>((mail_turn_ + i) % shards);
    if (from == parts_.self) continue;
    Batch* batch = parts_.mailroom.between(from, parts_.self).take();
    // Written while this turn went on: none of its messages is younger than the time it is read at,
    // so that none has more time left than it was given ([MQTT-3.3.2-6]).
    if (batch != nullptr) now_ = parts_.clock.now();
    while (batch != nullptr) {
      const std::unique_ptr<Batch> read{batch};
      busy_ = true;
      batch = batch->next;
      for (Letter& letter : read->letters) {
        std::visit([&](auto& content) { open(content, from); }, letter);
      }
      core_.flush();  // the batch's publications end with it
      execute();
      outbox_.finish(from, *read);
    }
  }
  for (const Question& question : questions) {
    if (question.from == parts_.self) {
      const auto& own = std::get<LookupRequest>(question.request);
      finish_lookup(own.request, core_.retained().find(own.topic, now_));
    } else {
      std::visit([&](const auto& request) { outbox_.add(question.from, reply_to(request)); },
                 question.request);
    }
  }
  execute();
}

void Shard::open(Forward& letter, std::uint16_t from) {
  const model::Message& message = outbox_.open(letter, from);
  if (message.retain && letter.for_subscribers && subscribing_.reading()) {
    subscribing_.note_live(message);
  }
  core_.receive(message, letter.for_subscribers, letter.for_retained);
}

void Shard::open(GiveBack& letter, std::uint16_t) {
  outbox_.returned(letter.lent);
}

void Shard::open(Interest& letter, std::uint16_t from) {
  core_.set_interest(letter.filter, from, letter.interested);
  if (letter.request != 0) outbox_.add(from, InterestKnown{letter.request, core_.stamp()});
}

void Shard::open(InterestKnown& letter, std::uint16_t from) {
  core_.flush();
  subscribing_.on_known(letter, from, now_);
}

void Shard::open(RetainedRequest& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});
}

void Shard::open(RetainedPage& letter, std::uint16_t) {
  core_.flush();
  subscribing_.on_page(letter, now_);
}

void Shard::open(LookupRequest& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});
}

RetainedPage Shard::reply_to(const RetainedRequest& request) {
  return subscribing_.answer(request, now_);
}

LookupReply Shard::reply_to(const LookupRequest& request) {
  LookupReply reply{.request = request.request};
  if (const model::Message* value = core_.retained().find(request.topic, now_)) {
    model::Message view = *value;
    view.owner = nullptr;  // a copy for the other shard alone
    reply.value = view.own();
  }
  return reply;
}

void Shard::open(LookupReply& letter, std::uint16_t) {
  finish_lookup(letter.request, letter.value ? &*letter.value : nullptr);
}

void Shard::finish_lookup(RequestId id, const model::Message* value) {
  const auto found = lookups_.find(id);
  if (found == lookups_.end()) return;
  const PendingLookup pending = found->second;
  lookups_.erase(found);
  answer_key(key_of(pending.connection), looked_up(pending.ticket, value));
}

void Shard::open(Handover& letter, std::uint16_t) {
  core_.flush();
  if (streams_ >= settings_.connections.connections_max) {
    ++counters_.refused;
    if (letter.source != 0) parts_.sources.leave(letter.source);
    return;  // closes it with the letter
  }
  adopt(std::move(letter.stream), letter.listener, letter.source, letter.unread);
}

}  // namespace hermod::broker
