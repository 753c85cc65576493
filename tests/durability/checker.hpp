// SPDX-License-Identifier: Apache-2.0
// Decides from outside whether a broker kept its word: what was acknowledged comes to everybody who
// had subscribed before, exactly once where both sides asked for that, in the order of each
// publisher and topic, whole, and the last value of a topic is the last one acknowledged or a later
// one. Knows no broker, no socket and no clock: clients tell it what they did and saw.
//
// A lane is one topic of one publisher, at one guarantee; nobody else publishes there. What a
// publisher begins counts from begin() on; a reader's rights begin with subscribed().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/model/message.hpp"
#include "payload.hpp"

namespace hermod::durability {

using LaneId = std::uint32_t;
using ReaderId = std::uint32_t;

struct Lane {
  std::uint32_t producer = 0;
  std::uint32_t topic = 0;  ///< Label::topic
  std::string name;         ///< the whole topic name
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = false;  ///< its messages are values
};

/// A subscription that a reader asks for, granted as asked.
struct Filter {
  std::string text;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
};

/// What came of a run.
struct Report {
  std::uint64_t published = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0;    ///< acknowledged with a reason why not: promises nothing
  std::uint64_t delivered = 0;  ///< messages that came to a reader for the first time
  std::uint64_t repeated = 0;   ///< that came again where that is allowed
  // Faults:
  std::uint64_t lost = 0;               ///< acknowledged, and never came to a reader; of these
  std::uint64_t lost_exactly_once = 0;  ///< published at exactly once
  std::uint64_t duplicated = 0;         ///< of these
  std::uint64_t duplicated_exactly_once = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;  ///< with a wrong octet, on another's topic, or never sent
  std::uint64_t unwanted = 0;   ///< came to a reader that has no such subscription
  std::uint64_t values_lost = 0;
  std::uint64_t values_stale = 0;  ///< older than one that was acknowledged
  std::uint64_t sessions_lost = 0;
  std::uint64_t broken_off = 0;     ///< connections that the client had to end
  std::vector<std::string> faults;  ///< the first of them in words, kFaultsMax at most

  static constexpr std::size_t kFaultsMax = 40;
  [[nodiscard]] bool good() const {
    return lost + duplicated + reordered + corrupted + unwanted + values_lost + values_stale +
               sessions_lost + broken_off ==
           0;
  }
};

/// One thread's. Memory: an octet for each message, and one for each reader that may get it.
class Checker {
 public:
  /// All lanes come before the first reader.
  LaneId add_lane(Lane lane);
  /// `shared`: several clients are one reader, a group, which is promised no order.
  ReaderId add_reader(std::string name, std::vector<Filter> filters, bool shared = false);
  [[nodiscard]] const Lane& lane(LaneId id) const { return lanes_[id].lane; }

  // --- publishers ---
  /// A message is about to be sent; returns its sequence.
  std::uint64_t begin(LaneId lane);
  /// PUBACK or PUBREC has come.
  void acknowledged(LaneId lane, std::uint64_t sequence);
  void refused() { ++report_.refused; }
  /// Sent as a new message, as the broker knew no session: it may come twice.
  void renewed(LaneId lane, std::uint64_t sequence);

  // --- readers ---
  /// SUBACK has come for all filters of the reader. Only the first time counts.
  void subscribed(ReaderId reader);
  /// A message came. One that is sent as the value of its topic at SUBSCRIBE (`retained`) is only
  /// looked at for corruption.
  void arrived(ReaderId reader, std::string_view topic, Bytes payload, bool retained);
  /// What is the value of a topic at the end.
  void value(std::string_view topic, Bytes payload);
  /// A session that the broker had confirmed was not there any more.
  void session_lost(std::string_view client);
  /// A client could not go on with what the broker sent, for a model::Reason.
  void broke_off(std::string_view client, int reason);

  /// Messages still to come: acknowledged, and not seen by a reader that has a right to them.
  [[nodiscard]] std::uint64_t missing() const;
  /// Grows with whatever happens that cannot happen for ever.
  [[nodiscard]] std::uint64_t progress() const {
    return report_.acknowledged + report_.refused + report_.delivered;
  }
  /// Lanes whose value is wanted and has not been told yet.
  [[nodiscard]] std::uint64_t values_missing() const;
  [[nodiscard]] const Report& so_far() const { return report_; }
  /// The verdict, once nothing more will come.
  [[nodiscard]] Report judge() const;

 private:
  enum Mark : std::uint8_t { kAcknowledged = 1, kRenewed = 2 };
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  struct LaneState {
    Lane lane;
    std::vector<std::uint8_t> marks;  // by sequence
    std::uint64_t last_acknowledged = kNone;
    std::uint64_t value = kNone;  // its sequence
  };
  // A lane as one reader sees it.
  struct Stream {
    model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
    std::uint64_t from = kNone;  // the first sequence it has a right to
    std::uint64_t next = 0;      // behind the highest sequence that came
    std::vector<bool> seen;
  };
  struct ReaderState {
    std::string name;
    std::unordered_map<LaneId, Stream> streams;
    bool shared = false;
    bool subscribed = false;
  };

  void fault(std::uint64_t& count, std::string words);
  void add_stream(ReaderState& reader, LaneId lane, model::Guarantee guarantee);
  [[nodiscard]] const LaneId* lane_of(std::string_view topic, Bytes payload, Label& label) const;
  void again(const ReaderState& reader, const Stream& stream, const LaneState& lane,
             std::uint64_t sequence);
  template <typename Each>
  void for_each_missing(const Each& each) const;

  std::vector<LaneState> lanes_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, LaneId> by_label_;
  std::unordered_map<std::string, LaneId> by_name_;
  std::vector<ReaderState> readers_;
  Report report_;
};

}  // namespace hermod::durability
