// SPDX-License-Identifier: Apache-2.0
// Letters of other shards.
#include "shard_session.hpp"

namespace hermod::broker {

void Shard::read_mail() {
  const std::uint16_t shards = parts_.mailroom.shards();
  if (shards == 1 && page_questions_.empty()) return;
  std::vector<Question> questions = std::exchange(questions_, {});
  const std::size_t pages = page_questions_.size();
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
      tell_written(from);
      execute();
      outbox_.finish(from, *read);
    }
  }
  answer_questions(std::move(questions));
  list_pages(pages);
  execute();
}

void Shard::open(Forward& letter, std::uint16_t from) {
  const model::Message& message = outbox_.open(letter, from);
  if (message.retain && letter.for_subscribers && subscribing_.reading()) {
    subscribing_.note_live(message);
  }
  if (keeps_ && Forward::is_awaited(message, letter.for_retained)) ++awaited_[from];
  core_.receive(message, letter.for_subscribers, letter.for_retained);
}

// What came from there is written as far as it is to be kept: its sender waits for the commit.
void Shard::tell_written(std::uint16_t from) {
  if (awaited_[from] == told_awaited_[from]) return;
  told_awaited_[from] = awaited_[from];
  outbox_.add(from, Kept{awaited_[from], core_.last_commit()});
}

void Shard::open(Kept& letter, std::uint16_t from) {
  promises_.note_written(from, letter.count, letter.commit);
}

void Shard::open(ExchangeOver& letter, std::uint16_t) {
  core_.flush();
  core_.forget_exchange(letter.name);
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
