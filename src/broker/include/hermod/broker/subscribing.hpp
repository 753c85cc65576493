// SPDX-License-Identifier: Apache-2.0
// What happens between a SUBSCRIBE and the last retained value it brings:
//
//   subscribe -> the other shards learn of the interest, each answers with its stamp
//             -> the subscription is acknowledged
//             -> retained values are read, shard by shard and page by page, as the subscriber
//             drains
//
// A value whose stamp is above that of the shard it was published on came live already, and one
// that is older than a live one that came since is stale: both are left out. With one shard the
// same steps happen at once.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "hermod/broker/outbox.hpp"
#include "hermod/core/core.hpp"
#include "hermod/session/session.hpp"

namespace hermod::broker {

class Subscribing {
 public:
  /// Retained values looked at for one page, and octets with which a page ends.
  static constexpr std::size_t kPage = 64;
  static constexpr std::size_t kPageBytes = 256u << 10;
  /// Retained values of this shard looked at in one turn, about: others want to go on too.
  static constexpr std::size_t kVisitsPerTurn = 16'384;
  /// Topics whose live values are remembered while something is being read; beyond that the oldest
  /// rule applies alone: a stale value may follow a live one, marked as retained.
  static constexpr std::size_t kLiveTopicsMax = 65'536;

  /// Hands an answer to a session; must not call back.
  using Answer = std::function<void(core::ConnectionKey, const session::Answer&)>;

  Subscribing(core::Core& core, Outbox& outbox, std::uint16_t self, std::uint16_t shards,
              Answer answer);

  /// The core has taken the subscription: makes it known, answers `ticket` to `asker`, sends
  /// retained values when `retained` is set.
  void start(core::ConnectionKey asker, core::SubscriberIndex subscriber, std::string_view filter,
             const model::SubscriptionOptions& options, bool retained, session::Ticket ticket,
             Instant now);
  void on_known(const InterestKnown& letter, std::uint16_t from, Instant now);
  void on_page(RetainedPage& page, Instant now);
  /// Another shard's question.
  [[nodiscard]] RetainedPage answer(const RetainedRequest& request, Instant now) const;

  /// The subscriber's queue may have drained: goes on reading for it.
  void go_on(core::SubscriberIndex subscriber, Instant now);
  /// A turn of the loop: goes on for those that let others have theirs.
  void turn(Instant now);
  [[nodiscard]] bool wants_turn() const { return !turns_.empty(); }

  /// The filter was unsubscribed: none of its values are sent any more [MQTT-3.10.4-2].
  void withdraw(core::SubscriberIndex subscriber, std::string_view filter, Instant now);
  /// The subscriber's connection is about to go: nothing more is read for it.
  void stop(core::SubscriberIndex subscriber);

  /// A retained publication that went to this shard's subscribers live.
  void note_live(const model::Message& message);
  /// True while note_live() matters.
  [[nodiscard]] bool reading() const { return shards_ > 1 && !reads_.empty(); }
  [[nodiscard]] std::size_t pending() const { return reads_.size(); }

 private:
  struct Read {
    core::ConnectionKey asker = 0;
    core::SubscriberIndex subscriber = 0;
    session::Ticket ticket = 0;
    std::string filter;
    model::SubscriptionOptions options;
    std::uint64_t began = 0;  ///< notes_ at the start: what was noted later came live to it
    bool retained = true;
    std::uint16_t unknown = 0;        ///< shards that have not answered yet
    std::uint16_t shard = 0;          ///< the one being read
    std::uint16_t shard_end = 0;      ///< one past the last to be read
    std::vector<core::Stamp> stamps;  ///< by shard
    std::string after;
  };
  /// A subscriber with something under way.
  struct Reader {
    std::deque<RequestId> announced;  ///< not known to all shards yet
    std::deque<RequestId> reading;    ///< the first is being read, the others wait for it
    bool asked = false;               ///< a page is on its way
    bool waits_turn = false;          ///< in turns_
  };
  struct Live {
    core::Stamp version = 0;
    std::uint64_t noted = 0;
  };

  void known(RequestId id, Read& read, Instant now);
  void advance(core::SubscriberIndex subscriber, Reader& reader, Instant now);
  template <typename Take>
  std::string page(std::string_view filter, std::string_view after, Instant now, Take&& take) const;
  void deliver(const Read& read, const model::MessageRef& value);
  void forget(RequestId id);

  core::Core& core_;
  Outbox& outbox_;
  std::uint16_t self_;
  std::uint16_t shards_;
  Answer answer_;
  RequestId last_id_ = 0;
  boost::unordered_flat_map<RequestId, Read> reads_;
  boost::unordered_flat_map<core::SubscriberIndex, Reader> readers_;
  std::deque<core::SubscriberIndex> turns_;
  std::size_t visits_left_ = kVisitsPerTurn;
  boost::unordered_flat_map<std::string, Live> live_;
  std::uint64_t notes_ = 0;  ///< counts what was noted in live_
};

}  // namespace hermod::broker
