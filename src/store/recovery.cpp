// SPDX-License-Identifier: Apache-2.0
#include "recovery.hpp"

#include <algorithm>

#include "settlement_records.hpp"

namespace hermod::store {

void Recovery::add(core::Change&& change) {
  if (auto* subscriber = std::get_if<core::KeepSubscriber>(&change)) {
    queues_[subscriber->queue].place = state_.queues.size();
    state_.queues.emplace_back().subscriber = std::move(*subscriber);
  } else if (auto* subscription = std::get_if<core::KeepSubscription>(&change)) {
    state_.queues.back().subscriptions.push_back(std::move(*subscription));
  } else if (auto* declaration = std::get_if<core::KeepDeclaration>(&change)) {
    state_.declarations.push_back(std::move(*declaration));
  }
}

void Recovery::add(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::kMessage:
      return add_message(record);
    case RecordKind::kValue:
      return add_value(record);
    case RecordKind::kSettled:
      return add_settled(record);
    case RecordKind::kReleased:
      return add_released(record);
    case RecordKind::kClosed:
      return add_closed(record);
    case RecordKind::kState:
      return add_state(record);
    case RecordKind::kMetadata: {
      Cursor cursor(record.body);
      generation_ = std::max(generation_, cursor.varint());
      return;
    }
  }
}

// Queues that the metadata does not have are those of subscribers that have ended.
Recovery::Queue* Recovery::find(core::QueueId queue) {
  const auto found = queues_.find(queue);
  return found == queues_.end() ? nullptr : &found->second;
}

void Recovery::add_message(const RecordView& record) {
  auto message = decode_message(record);
  if (!message) {
    ++not_understood_;
    return;
  }
  Count& count = counts_[segment_of(record.position)];
  Queue* const publisher = message->exchange == 0 ? nullptr : find(message->exchange >> 16);
  core::OpenExchange* const exchange =
      publisher == nullptr ? nullptr
                           : &publisher->exchanges[static_cast<std::uint16_t>(message->exchange)];
  if (exchange != nullptr) exchange->complete = false;
  if (Queue* const from = find(message->moved_from.queue)) {
    from->settled.push_back({message->moved_from.tag, message->moved_from.tag});
    from->next = std::max(from->next, message->moved_from.tag + 1);
  }
  while (message->recipients.next()) {
    ++count.total;
    const RecipientView& recipient = message->recipients.recipient();
    Queue* const queue = find(recipient.queue);
    if (queue == nullptr) continue;
    if (exchange != nullptr) exchange->queues.push_back(recipient.queue);
    queue->next = std::max(queue->next, recipient.tag + 1);
    Entry& entry = queue->entries.emplace_back();
    entry.tag = recipient.tag;
    entry.position = record.position;
    entry.octets = static_cast<std::uint32_t>(record.body.size());
    entry.guarantee = recipient.guarantee;
    entry.retain = recipient.retain_as_published;
    if (recipient.id_count == 0) continue;
    recipient.subscription_ids(ids_);
    entry.id_count = static_cast<std::uint32_t>(ids_.size());
    entry.ids = std::make_unique<std::uint32_t[]>(ids_.size());
    std::ranges::copy(ids_, entry.ids.get());
  }
  if (!message->recipients.ok()) ++not_understood_;
}

void Recovery::add_value(const RecordView& record) {
  const auto message = decode_value(record, to_calendar_, properties_);
  if (!message) {
    ++not_understood_;
    return;
  }
  Count& count = counts_[segment_of(record.position)];
  ++count.total;
  state_.version = std::max(state_.version, message->version);
  if (message->payload.empty()) {
    ++count.live;
    ++clears_[segment_of(record.position)];
  }
  Value& value = values_[std::string{message->destination.address}];
  if (value.position != 0 && message->version < value.version) return;
  value.version = message->version;
  value.message = message->payload.empty() ? model::MessageRef{} : message->own();
  value.position = record.position;
}

void Recovery::add_settled(const RecordView& record) {
  ItemReader<Settled> reader(record);
  while (reader.next()) {
    const Settled& item = reader.item();
    Queue* const queue = find(item.queue);
    if (queue == nullptr) continue;
    queue->next = std::max(queue->next, item.last + 1);
    if (!queue->settled.empty() && queue->settled.back().last + 1 == item.first) {
      queue->settled.back().last = item.last;
    } else {
      queue->settled.push_back({item.first, item.last});
    }
  }
  if (!reader.ok()) ++not_understood_;
}

void Recovery::add_released(const RecordView& record) {
  ItemReader<Released> reader(record);
  while (reader.next()) {
    if (Queue* const queue = find(reader.item().queue)) {
      queue->released.push_back(reader.item().tag);
      queue->next = std::max(queue->next, reader.item().tag + 1);
    }
  }
  if (!reader.ok()) ++not_understood_;
}

void Recovery::add_closed(const RecordView& record) {
  ItemReader<Closed> reader(record);
  while (reader.next()) {
    const std::uint64_t exchange = reader.item().exchange;
    if (Queue* const publisher = find(exchange >> 16)) {
      publisher->exchanges.erase(static_cast<std::uint16_t>(exchange));
    }
  }
  if (!reader.ok()) ++not_understood_;
}

void Recovery::add_state(const RecordView& record) {
  StateReader reader(record);
  while (reader.next()) {
    const core::Standing& said = reader.standing();
    Queue* const queue = find(said.queue);
    if (queue == nullptr) continue;
    queue->next = std::max(queue->next, said.next);
    if (said.floor > 1) queue->settled.push_back({1, said.floor - 1});
    queue->settled.insert(queue->settled.end(), said.settled.begin(), said.settled.end());
    queue->released.insert(queue->released.end(), said.released.begin(), said.released.end());
    add_exchanges(*queue, said.exchanges);
  }
  if (!reader.ok()) ++not_understood_;
}

// What is not among them is over. Of one that is not complete, records before it may know more.
void Recovery::add_exchanges(Queue& queue, const std::vector<core::OpenExchange>& said) {
  boost::unordered_flat_map<std::uint16_t, core::OpenExchange> open;
  for (const core::OpenExchange& one : said) {
    core::OpenExchange& is = open[one.packet_id] = one;
    std::erase_if(is.queues, [this](core::QueueId at) { return find(at) == nullptr; });
    const auto before = queue.exchanges.find(one.packet_id);
    if (is.complete || before == queue.exchanges.end()) continue;
    const std::vector<core::QueueId>& known = before->second.queues;
    is.queues.insert(is.queues.end(), known.begin(), known.end());
    std::ranges::sort(is.queues);
    is.queues.erase(std::ranges::unique(is.queues).begin(), is.queues.end());
  }
  queue.exchanges = std::move(open);
}

RecoveredState Recovery::finish(const Account& account) {
  for (auto& [id, queue] : queues_) finish(queue);
  for (auto& [topic, value] : values_) {
    if (!value.message) continue;
    ++counts_[segment_of(value.position)].live;
    state_.values.push_back({std::move(value.message), value.position});
  }
  for (const auto& [segment, count] : counts_) account(segment, count.live, count.total);
  return std::move(state_);
}

// What of a queue is left, in the order of its tags. What was written again has a tag twice: the
// later place counts.
void Recovery::finish(Queue& queue) {
  std::ranges::stable_sort(queue.entries, {}, &Entry::tag);
  std::ranges::sort(queue.settled, {}, &core::TagRange::first);
  std::ranges::sort(queue.released);
  std::vector<Entry> left;
  auto range = queue.settled.begin();
  model::Tag settled_to = 0;  // everything up to here that a range before covers
  for (Entry& entry : queue.entries) {
    while (range != queue.settled.end() && range->first <= entry.tag) {
      settled_to = std::max(settled_to, range->last);
      ++range;
    }
    if (entry.tag <= settled_to) continue;
    if (!left.empty() && left.back().tag == entry.tag) {
      left.back() = std::move(entry);
    } else {
      left.push_back(std::move(entry));
    }
  }
  restore(queue, left);
  RecoveredQueue& recovered = state_.queues[queue.place];
  for (auto& [packet_id, exchange] : queue.exchanges) {
    // A will that is there no more has been published.
    if (packet_id == core::kWillExchange && !recovered.subscriber.will) continue;
    if (exchange.complete) (void)recovered.inflight.note_incoming(packet_id);
    exchange.packet_id = packet_id;
    recovered.exchanges.push_back(std::move(exchange));
  }
  std::ranges::sort(recovered.exchanges, {}, &core::OpenExchange::packet_id);
}

void Recovery::restore(Queue& queue, std::vector<Entry>& entries) {
  RecoveredQueue& recovered = state_.queues[queue.place];
  for (Entry& from : entries) {
    ++counts_[segment_of(from.position)].live;
    ++state_.messages;
    core::Queue::Entry entry;
    entry.message = core::Content::at(from.position);
    entry.set_ids({from.ids.get(), from.id_count});
    entry.marks.guarantee = from.guarantee;
    entry.marks.retain = from.retain;
    // What a group gives out exactly once becomes its member's before.
    entry.marks.recovered =
        !recovered.subscriber.group || from.guarantee != model::Guarantee::kExactlyOnce;
    entry.marks.released = std::ranges::binary_search(queue.released, from.tag);
    if (entry.marks.released) {
      recovered.inflight.release(
          *recovered.inflight.find(recovered.inflight.take_for(from.tag, from.guarantee)));
    }
    recovered.queue.restore(from.tag, std::move(entry), from.octets);
  }
  recovered.queue.restore_next(queue.next);
}

}  // namespace hermod::store
