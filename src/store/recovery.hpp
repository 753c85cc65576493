// SPDX-License-Identifier: Apache-2.0
// Puts together what the metadata and the records of the log say. The order of records does not
// matter for queues: what is left is what was appended, less what is settled. For exchanges that a
// publisher has open it does: their names come again.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hermod/store/store.hpp"
#include "message_record.hpp"
#include "segment.hpp"
#include "state_record.hpp"

namespace hermod::store {

class Recovery {
 public:
  explicit Recovery(Duration to_calendar) : to_calendar_(to_calendar) {}

  /// What the metadata keeps: subscribers first, each with its subscriptions.
  void add(core::Change&& change);
  /// A record of the log.
  void add(const RecordView& record);
  /// Everything has been added. `account(segment, live, total)` is told what of the segments is
  /// referred to.
  using Account = std::function<void(SegmentNumber, std::uint64_t, std::uint64_t)>;
  [[nodiscard]] RecoveredState finish(const Account& account);
  /// Clears of values, by segment, once finish() has been called: each refers to its record.
  [[nodiscard]] const std::map<SegmentNumber, std::uint64_t>& clears() const { return clears_; }
  /// The largest generation of the metadata that the log knows of.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// Records that are whole and say nothing that can be understood.
  [[nodiscard]] std::uint64_t not_understood() const { return not_understood_; }

 private:
  struct Entry {
    model::Tag tag = 0;
    Position position = 0;
    std::unique_ptr<std::uint32_t[]> ids;
    std::uint32_t id_count = 0;
    std::uint32_t octets = 0;
    model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
    bool retain = false;
  };
  struct Queue {
    std::size_t place = 0;  // in state_.queues
    std::vector<Entry> entries;
    std::vector<core::TagRange> settled;
    std::vector<model::Tag> released;
    model::Tag next = 1;  // above every tag that was seen
    boost::unordered_flat_map<std::uint16_t, core::OpenExchange> exchanges;  // by packet id
  };
  struct Value {
    std::uint64_t version = 0;
    model::MessageRef message;  // nothing: cleared
    Position position = 0;
  };
  struct Count {
    std::uint64_t live = 0;
    std::uint64_t total = 0;
  };

  void add_message(const RecordView& record);
  void add_value(const RecordView& record);
  void add_settled(const RecordView& record);
  void add_released(const RecordView& record);
  void add_closed(const RecordView& record);
  void add_state(const RecordView& record);
  void add_exchanges(Queue& queue, const std::vector<core::OpenExchange>& said);
  [[nodiscard]] Queue* find(core::QueueId queue);
  void finish(Queue& queue);
  void restore(Queue& queue, std::vector<Entry>& entries);

  Duration to_calendar_;
  RecoveredState state_;
  boost::unordered_flat_map<core::QueueId, Queue> queues_;
  boost::unordered_flat_map<std::string, Value> values_;
  boost::unordered_flat_map<SegmentNumber, Count> counts_;
  std::map<SegmentNumber, std::uint64_t> clears_;
  PropertyStorage properties_;
  std::vector<std::uint32_t> ids_;
  std::uint64_t generation_ = 0;
  std::uint64_t not_understood_ = 0;
};

}  // namespace hermod::store
