// SPDX-License-Identifier: Apache-2.0
// What the store asks the core for, so that old parts of the log can go.
#include <algorithm>

#include "hermod/core/core.hpp"

namespace hermod::core {
namespace {

constexpr std::size_t kStalePerTurn = 4'096;
constexpr SubscriberIndex kChecksPerTurn = 4'096;

}  // namespace

void Core::keep_house() {
  if (!keeps_) return;
  const std::vector<Stale> stale = journal_.take_stale(kStalePerTurn);
  writing_again_ = !stale.empty();
  if (writing_again_) write_again(stale);
  if (!checking_) {
    if (!journal_.wants_check()) return;
    checking_ = true;
    checked_ = 0;
  }
  const bool walked = checked_ == subscribers_.places();
  const SubscriberIndex end = std::min(subscribers_.places(), checked_ + kChecksPerTurn);
  for (; checked_ < end; ++checked_) {
    if (subscribers_.holds(checked_) && subscribers_[checked_].kept_as != 0) {
      say_standing(subscribers_[checked_]);
    }
  }
  checking_ = checked_ < subscribers_.places() || !under_way_.empty();
  if (checking_) {
    if (!walked) journal_.end_check(false);
    return;
  }
  for (const QueueId queue : std::exchange(check_again_, {})) {
    if (const auto found = kept_.find(queue); found != kept_.end()) {
      say_standing(subscribers_[found->second]);
    }
  }
  journal_.end_check(true);
}

void Core::say_standing(Subscriber& subscriber) {
  Standing standing{.queue = subscriber.kept_as,
                    .floor = subscriber.queue.head_tag(),
                    .next = subscriber.queue.next_tag()};
  std::vector<model::Tag> lent;  // they stood before the queue
  if (subscriber.group) lent = subscriber.group->lent();
  if (!lent.empty()) standing.floor = lent.front();
  model::Tag expected = standing.floor;
  const auto add = [&](model::Tag tag) {
    if (tag > expected) standing.settled.push_back({expected, tag - 1});
    expected = tag + 1;
  };
  std::ranges::for_each(lent, add);
  subscriber.queue.for_each([&](model::Tag tag, const Queue::Entry& entry) {
    add(tag);
    if (entry.marks.released) standing.released.push_back(tag);
  });
  if (expected < standing.next) standing.settled.push_back({expected, standing.next - 1});
  say_exchanges(subscriber, standing);
  journal_.check(standing);
}

// Where the messages of those under way are, only their records in older segments know: the check
// ends when it can be said that they are everywhere.
void Core::say_exchanges(Subscriber& subscriber, Standing& standing) {
  if (!subscriber.exchanges) return;
  for (const HeldExchange& open : *subscriber.exchanges) {
    OpenExchange& said = standing.exchanges.emplace_back(open.packet_id);
    said.complete = open.state == HeldExchange::State::kComplete;
    if (said.complete) continue;
    const std::uint64_t name = exchange_of(subscriber.kept_as, open.packet_id);
    const auto cut_off = recovered_exchanges_.find(name);
    if (cut_off != recovered_exchanges_.end()) said.queues = cut_off->second;
    if (open.state != HeldExchange::State::kUnderWay || !checking_) continue;
    under_way_.insert(name);
    if (check_again_.empty() || check_again_.back() != subscriber.kept_as) {
      check_again_.push_back(subscriber.kept_as);
    }
  }
}

// Records of one place stand together: what is left of their recipients gets one record again.
void Core::write_again(const std::vector<Stale>& stale) {
  router_.flush();
  for (auto at = stale.begin(); at != stale.end();) {
    const auto end = std::ranges::find_if(
        at, stale.end(), [&](const Stale& other) { return other.position != at->position; });
    if (at->queue == 0) {
      write_value_again(*at);
    } else {
      write_message_again({at, end});
    }
    at = end;
  }
}

Queue::Entry* Core::find_entry(QueueId queue, model::Tag tag) {
  const auto found = kept_.find(queue);
  if (found == kept_.end()) return nullptr;
  Subscriber& subscriber = subscribers_[found->second];
  Queue::Entry* const lent = subscriber.group ? subscriber.group->find_lent(tag) : nullptr;
  return lent != nullptr ? lent : subscriber.queue.find(tag);
}

void Core::write_message_again(std::span<const Stale> stale) {
  const Position from = stale.front().position;
  std::vector<Recipient> recipients;
  model::MessageRef message;
  for (const Stale& one : stale) {
    const Queue::Entry* const entry = find_entry(one.queue, one.tag);
    if (entry == nullptr || Queue::place_of(*entry) != from) continue;
    if (!message && entry->message.in_memory()) message = entry->message.ref();
    recipients.push_back({.queue = one.queue,
                          .tag = one.tag,
                          .count = 1,
                          .guarantee = entry->marks.guarantee,
                          .retain_as_published = entry->marks.retain,
                          .subscription_ids = entry->subscription_ids()});
  }
  if (recipients.empty()) return;
  if (!message) message = journal_.read(from).value_or(model::MessageRef{});
  if (!message) return;  // damaged, as whoever is to get it will be told
  model::Message view = *message;
  view.origin.exchange = 0;  // it is known without this record by now
  const model::Message* const only = &view;
  Position to = 0;
  const CommitNumber commit =
      journal_.append({.messages = {&only, 1}, .recipients = recipients}, {&to, 1});
  for (const Recipient& one : recipients) {
    moves_.push_back(
        {.commit = commit, .from = from, .to = to, .queue = one.queue, .tag = one.tag});
  }
}

void Core::write_value_again(const Stale& stale) {
  const model::MessageRef* const value = retained_.find_value(stale.topic);
  if (value == nullptr || value->get()->position() != stale.position) return;
  Position to = 0;
  const CommitNumber commit = journal_.retain(**value, to);
  moves_.push_back({.commit = commit,
                    .from = stale.position,
                    .to = to,
                    .queue = 0,
                    .tag = 0,
                    .topic = stale.topic});
}

// What was written again can be read there now. Whoever has gone meanwhile let the old place go.
void Core::finish_moves(CommitNumber committed) {
  while (!moves_.empty() && moves_.front().commit <= committed) {
    const Move move = std::move(moves_.front());
    moves_.pop_front();
    journal_.let_go(set_place(move) ? move.from : move.to);
  }
}

bool Core::set_place(const Move& move) {
  if (move.queue == 0) {
    const model::MessageRef* const value = retained_.find_value(move.topic);
    if (value == nullptr || value->get()->position() != move.from) return false;
    value->get()->set_position(move.to);
    return true;
  }
  Queue::Entry* const entry = find_entry(move.queue, move.tag);
  if (entry == nullptr) return false;
  const Position place = Queue::place_of(*entry);
  if (place != move.from) return place == move.to;  // one who shares the message was here before
  if (entry->message.in_memory()) {
    entry->message.get()->set_position(move.to);
  } else {
    entry->message = Content::at(move.to);
  }
  return true;
}

}  // namespace hermod::core
