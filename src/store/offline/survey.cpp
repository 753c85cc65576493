// SPDX-License-Identifier: Apache-2.0
#include "offline/survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "recovery.hpp"
#include "settlement_records.hpp"
#include "state_record.hpp"

namespace hermod::store {

void Census::add(const RecordView& record) {
  const auto kind = static_cast<std::size_t>(record.kind);
  ++kinds_[kind < kKinds ? kind : 0];
  if (!understood(record)) not_understood_.push_back(record.position);
}

bool Census::understood(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::kMessage:
      return add_message(record);
    case RecordKind::kValue:
      return decode_value(record, Duration{}, properties_).has_value();
    case RecordKind::kSettled:
      return add_items<Settled>(record, [](const Settled& item) { return item.queue; });
    case RecordKind::kReleased:
      return add_items<Released>(record, [](const Released& item) { return item.queue; });
    case RecordKind::kClosed:
      return add_items<Closed>(record, [](const Closed& item) { return item.exchange >> 16; });
    case RecordKind::kState:
      return add_state(record);
    case RecordKind::kMetadata: {
      Cursor cursor(record.body);
      generation_ = std::max(generation_, cursor.varint());
      return cursor.ok();
    }
  }
  return true;  // of a later release, which found that it may be skipped
}

bool Census::add_message(const RecordView& record) {
  auto message = decode_message(record);
  if (!message) return false;
  if (message->exchange != 0) queues_.insert(message->exchange >> 16);
  if (message->moved_from.queue != 0) queues_.insert(message->moved_from.queue);
  while (message->recipients.next()) {
    ++deliveries_;
    queues_.insert(message->recipients.recipient().queue);
  }
  return message->recipients.ok() &&
         decode_content(message->content, Duration{}, properties_).has_value();
}

bool Census::add_state(const RecordView& record) {
  StateReader reader(record);
  while (reader.next()) queues_.insert(reader.standing().queue);
  return reader.ok();
}

template <typename Item, typename QueueOf>
bool Census::add_items(const RecordView& record, QueueOf queue_of) {
  ItemReader<Item> reader(record);
  while (reader.next()) queues_.insert(queue_of(reader.item()));
  return reader.ok();
}

namespace {

// A queue that the metadata does not have is that of a subscriber that has ended, unless the
// metadata is not all there, or never knew such a number.
void find_orphans(Survey& survey) {
  boost::unordered_flat_set<core::QueueId> known;
  for (const core::Change& change : survey.metadata.changes) {
    if (const auto* subscriber = std::get_if<core::KeepSubscriber>(&change)) {
      known.insert(subscriber->queue);
    }
  }
  const core::QueueId end = survey.metadata.first_free_queue;
  for (const core::QueueId queue : survey.census.queues()) {
    if (end != 0 && queue >= end) survey.beyond_metadata = true;
    if (known.contains(queue)) continue;
    if (!survey.metadata.whole() || queue >= end) survey.orphans.insert(queue);
  }
}

}  // namespace

std::expected<Survey, std::string> survey(Disk& disk, std::string folder) {
  auto log = LogSurvey::open(disk);
  if (!log) return std::unexpected(fmt::format("{}: {}", folder, log.error()));
  Survey survey{.folder = std::move(folder)};
  survey.metadata = read_metadata(disk, survey.folder);
  if (log->empty() && !survey.metadata.there) {
    return std::unexpected(
        fmt::format("there is no store in {}: neither metadata nor log", survey.folder));
  }
  survey.log = log->read([&](const RecordView& record) { survey.census.add(record); });
  find_orphans(survey);

  Recovery recovery{Duration{}};
  for (core::Change& change : survey.metadata.changes) recovery.add(std::move(change));
  for (const core::QueueId queue : survey.orphans) {
    recovery.add(core::KeepSubscriber{.queue = queue});
  }
  (void)log->read([&](const RecordView& record) { recovery.add(record); });
  survey.state = recovery.finish([](SegmentNumber, std::uint64_t, std::uint64_t) {});
  return survey;
}

}  // namespace hermod::store
