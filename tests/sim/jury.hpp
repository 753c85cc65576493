// SPDX-License-Identifier: Apache-2.0
// The oracles that see more than one client: what must have been delivered, retained and published
// in somebody's name once all is quiet, what an acknowledgement promises, and that no limit is ever
// passed. What one client may receive is judged by its Reader as it comes.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "ledger.hpp"
#include "reader.hpp"
#include "world.hpp"

namespace hermod::sim {

class Jury {
 public:
  Jury(World& world, Ledger& ledger) : world_(world), ledger_(ledger) {}

  /// A subscriber that is to get what it asked for. Outlives the jury.
  void add(Reader& reader) {
    readers_.push_back(&reader);
    if (forgiven_ > 0) reader.forgive();
  }

  /// A producer of that shard has got its acknowledgement: what it promises must be true now.
  void acknowledged(PublicationId id, std::uint16_t shard);
  /// Called with each publication that was acknowledged.
  void on_acknowledged(std::function<void(PublicationId id)> callback) {
    on_acknowledged_ = std::move(callback);
  }
  /// After each turn of a shard.
  void check_limits(std::uint16_t shard);

  /// A record of the broker's store has been damaged: one message or value may be missing.
  void forgive();
  /// How many have been damaged.
  [[nodiscard]] std::size_t forgiven() const { return forgiven_; }

  // Once all is quiet.
  void check_deliveries();
  void check_new_subscriptions();
  void check_wills();
  /// Nothing waits for a connected subscriber, and nothing it was sent is unsettled.
  void check_queues_empty();
  /// `values` is what a fresh subscriber to everything got; the same for all of them. With
  /// `dropped` some may be missing.
  void check_retained(const std::string& who, const std::map<TopicId, PublicationId>& values,
                      bool dropped);
  /// Messages for which a queue of the shard had no room, so far.
  [[nodiscard]] std::uint64_t dropped(std::uint16_t shard);
  /// After everybody has left and everything retained was cleared.
  void check_leftovers();

  /// Retained values that a topic may have now; `none`: or no value.
  struct Candidates {
    std::set<PublicationId> values;
    bool none = true;
  };
  [[nodiscard]] Candidates candidates(TopicId topic) const;
  [[nodiscard]] std::string describe(PublicationId id) const;

 private:
  [[nodiscard]] bool must_have(const Reader& reader, const Publication& publication) const;
  void check_new_subscription(const Reader& reader, const Grant& grant, TopicId topic);
  void check_queue(std::uint16_t shard, const Reader& reader);
  void check_mailboxes(std::uint16_t shard);
  [[nodiscard]] std::size_t message_max() const;

  World& world_;
  Ledger& ledger_;
  std::vector<Reader*> readers_;
  std::size_t forgiven_ = 0;
  std::function<void(PublicationId)> on_acknowledged_;
};

}  // namespace hermod::sim
