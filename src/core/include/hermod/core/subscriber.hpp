// SPDX-License-Identifier: Apache-2.0
// What outlives a connection: name, subscriptions, queue, packet ids in flight, will. An anonymous
// one (a CoAP observer) has no name and goes with its connection.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/hash.hpp"
#include "hermod/base/slab.hpp"
#include "hermod/base/time.hpp"
#include "hermod/core/group.hpp"
#include "hermod/core/journal.hpp"
#include "hermod/core/queue.hpp"
#include "hermod/core/topic_tree.hpp"
#include "hermod/model/inflight.hpp"

namespace hermod::core {

/// Names a connection to whoever carries it; opaque to core. Never 0 for a real one.
using ConnectionKey = std::uint64_t;

/// What is published when a connection ends without a goodbye.
struct Will {
  model::MessageRef message;
  std::uint32_t delay_s = 0;  ///< after the end, unless the client is back or the session over
  std::optional<std::uint32_t> expiry_s;  ///< its life from the publication on
  std::uint32_t client = 0;               ///< the mark of whose it is; attach() sets it
};

/// Whose a session is that outlives its connection: who comes with its name must be the same.
struct Holder {
  std::optional<std::string> user;
  std::string_view listener;  ///< that it came by; a name that the broker's settings hold
};

/// An exactly once publication of a subscriber that is kept, until its PUBREL.
struct HeldExchange {
  enum class State : std::uint8_t {
    kCutOff,    ///< by a stop: it may not be everywhere, and comes again
    kUnderWay,  ///< it has been published, and is not safe everywhere
    kComplete,
  };
  std::uint16_t packet_id = 0;
  State state = State::kUnderWay;
};

struct Subscriber {
  explicit Subscriber(std::string_view name) : id(name) {}

  std::string id;  ///< client id; empty: anonymous
  std::vector<TopicTree::Node*> subscriptions;
  Queue queue;
  QueueId kept_as = 0;  ///< of `queue` in the store; 0: it is not kept
  std::unique_ptr<std::vector<HeldExchange>> exchanges;  ///< open ones
  model::Inflight inflight;                              ///< while nobody is attached
  Will will;
  std::unique_ptr<Holder> holder;                        ///< nothing: nobody's
  Usage* usage = nullptr;                                ///< of its user, where users have limits
  std::unique_ptr<Group> group;                          ///< this is a group, not a client
  std::unique_ptr<std::vector<Membership>> memberships;  ///< groups it belongs to, by number
  ConnectionKey connection = 0;                          ///< 0: away
  Instant will_at = kNever;                              ///< while away: the will is due
  Instant expires_at = kNever;                           ///< while away
  std::uint32_t expiry_s = 0;  ///< how long it outlives its connection; UINT32_MAX: for ever
  std::uint32_t credit = 0;    ///< deliveries of at least once or better that may still go out
  SubscriberIndex index = 0;   ///< its own
  bool open : 1 = false;       ///< the connection's output takes more
  bool reading : 1 = false;    ///< retained values are still being sent to it

  [[nodiscard]] bool attached() const { return connection != 0; }
  /// Nobody is there to take messages now.
  [[nodiscard]] bool away() const { return group ? !group->connected() : !attached(); }
  /// Messages wait for it while it is away.
  [[nodiscard]] bool durable() const { return expiry_s > 0; }
};

/// The subscribers of one shard, by index and by name.
class Subscribers {
 public:
  static constexpr SubscriberIndex kNone = UINT32_MAX;

  explicit Subscribers(std::uint64_t hash_key);

  [[nodiscard]] SubscriberIndex find(std::string_view id) const;
  SubscriberIndex add(std::string_view id);
  void remove(SubscriberIndex index);

  [[nodiscard]] bool holds(SubscriberIndex index) const { return table_.holds(index); }
  [[nodiscard]] Subscriber& operator[](SubscriberIndex index) { return table_[index]; }
  [[nodiscard]] const Subscriber& operator[](SubscriberIndex index) const { return table_[index]; }
  [[nodiscard]] std::uint32_t generation(SubscriberIndex index) const {
    return table_.generation(index);
  }
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] std::uint32_t places() const { return table_.places(); }
  /// Stands for a client id in messages that outlive their connection, to tell whether a client
  /// published one itself; 0 for no id. Two ids have the same mark once in 2^32: a value that
  /// another client retained is then missing from a subscription with No Local.
  [[nodiscard]] static std::uint32_t mark(std::string_view id) {
    constexpr std::uint64_t kKey = 0x6d61726b;
    return id.empty() ? 0 : static_cast<std::uint32_t>(keyed_hash(id, kKey)) | 1;
  }
  /// How many have a name.
  [[nodiscard]] std::size_t named() const { return names_.size(); }

 private:
  struct ByName {
    using is_transparent = void;
    using is_avalanching = void;
    const Slab<Subscriber>* table;
    std::uint64_t key;
    std::size_t operator()(std::string_view id) const { return keyed_hash(id, key); }
    std::size_t operator()(SubscriberIndex index) const {
      return keyed_hash((*table)[index].id, key);
    }
    bool operator()(SubscriberIndex a, SubscriberIndex b) const { return a == b; }
    bool operator()(std::string_view id, SubscriberIndex index) const {
      return (*table)[index].id == id;
    }
    bool operator()(SubscriberIndex index, std::string_view id) const {
      return (*table)[index].id == id;
    }
  };

  Slab<Subscriber> table_;
  boost::unordered_flat_set<SubscriberIndex, ByName, ByName> names_;
};

}  // namespace hermod::core
