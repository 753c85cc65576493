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
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hermod/broker/outbox.hpp"
#include "hermod/core/core.hpp"
#include "hermod/session/session.hpp"

namespace hermod::broker {

class Subscribing {
 public:
  /// Retained values looked at in one step.
  static constexpr std::size_t kPage = 64;
  /// Topics whose live values are remembered while something is being read; beyond that the oldest
  /// rule applies alone: a stale value may follow a live one, marked as retained.
  static constexpr std::size_t kLiveTopicsMax = 65'536;

  using Answer = std::function<void(core::ConnectionKey, const session::Answer&)>;

  Subscribing(core::Core& core, Outbox& outbox, std::uint16_t self, std::uint16_t shards,
              Answer answer);

  /// The core has taken the subscription: makes it known, answers `ticket`, sends retained values
  /// when `retained` is set.
  void start(core::SubscriberIndex subscriber, std::string_view filter,
             const model::SubscriptionOptions& options, bool retained, session::Ticket ticket,
             Instant now);
  void on_known(const InterestKnown& letter, std::uint16_t from, Instant now);
  void on_page(RetainedPage& page, Instant now);
  /// Another shard's question.
  [[nodiscard]] RetainedPage answer(const RetainedRequest& request, Instant now) const;

  /// The subscriber's queue may have drained: goes on reading for it.
  void go_on(core::SubscriberIndex subscriber, Instant now);

  /// A retained publication that went to this shard's subscribers live.
  void note_live(const model::Message& message);
  /// True while note_live() matters.
  [[nodiscard]] bool reading() const { return shards_ > 1 && !reads_.empty(); }
  [[nodiscard]] std::size_t pending() const { return reads_.size(); }

 private:
  struct Read {
    RequestId id = 0;
    core::ConnectionKey connection = 0;
    core::SubscriberIndex subscriber = 0;
    std::uint32_t generation = 0;
    session::Ticket ticket = 0;
    std::string filter;
    model::SubscriptionOptions options;
    bool retained = true;
    bool asked = false;               ///< a page is on its way
    std::uint16_t unknown = 0;        ///< shards that have not answered yet
    std::uint16_t shard = 0;          ///< the one being read
    std::uint16_t shard_end = 0;      ///< one past the last to be read
    std::vector<core::Stamp> stamps;  ///< by shard
    std::string after;
  };

  [[nodiscard]] bool alive(const Read& read);
  void known(Read& read, Instant now);
  void step(Read& read, Instant now);
  bool page_here(Read& read, Instant now);
  void deliver(const Read& read, const model::MessageRef& value);
  void finish(Read& read);

  core::Core& core_;
  Outbox& outbox_;
  std::uint16_t self_;
  std::uint16_t shards_;
  Answer answer_;
  RequestId last_id_ = 0;
  boost::unordered_flat_map<RequestId, std::unique_ptr<Read>> reads_;
  boost::unordered_flat_map<core::SubscriberIndex, std::vector<RequestId>> by_subscriber_;
  boost::unordered_flat_map<std::string, core::Stamp> live_;
};

}  // namespace hermod::broker
