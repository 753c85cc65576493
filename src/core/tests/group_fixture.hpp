// SPDX-License-Identifier: Apache-2.0
// Two cores with groups whose members sit on both. For tests.
#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core_fixture.hpp"

namespace hermod::core {

/// Cores whose messages between groups and members the test carries. Letters of a core to itself
/// travel like those to others.
class GroupTest : public testing::Test {
 protected:
  static constexpr std::uint16_t kCores = 2;

  class Side final : public Outlet {
   public:
    Side(GroupTest& test, std::uint16_t shard)
        : test_(test),
          core{{.shard = shard, .shards = kCores, .hash_key = kHashKey},
               test.limits,
               test.journal,
               *this} {}

    void deliver(ConnectionKey connection, const model::DeliveryBatch& batch) override {
      for (std::size_t i = 0; i < batch.items.size(); ++i) {
        got[connection].push_back(text_of(batch.items[i]));
        if (batch.items[i].guarantee != Guarantee::kAtMostOnce) {
          tags[connection].push_back(batch.first_tag + i);
        }
      }
    }
    void forward(const model::Message& message, ShardSet, ShardSet) override {
      test_.letters.emplace_back([this, kept = message.own()] {
        Core& there = test_.side(1 - core_number()).core;
        there.receive(*kept, true, false);
        there.flush();
      });
    }
    void to_member(const MemberRef& member, GroupKey key, QueuePlace place,
                   const model::Delivery& delivery) override {
      test_.letters.emplace_back(
          [this, member, key, place, kept = delivery.message->own(), again = delivery.redelivered] {
            const model::Delivery arrived{.message = &*kept, .redelivered = again};
            if (!test_.side(member.shard).core.deliver_from_group(member, key, place, arrived)) {
              core.group_return(key, {place.tag, false});
            }
          });
    }
    void grant(std::uint16_t owner, GroupKey key, const MemberRef& member, std::uint32_t count,
               std::vector<model::Tag> done) override {
      if (count > 0) grants.push_back(count);
      test_.letters.emplace_back([=, this, done = std::move(done)] {
        test_.side(owner).core.group_grant(key, member, count, done);
      });
    }
    void give_back(std::uint16_t owner, std::string_view named, GroupKey key,
                   const MemberRef& member, std::vector<Returned> messages, bool leaves) override {
      test_.letters.emplace_back([this, owner, name = std::string{named}, key, member,
                                  messages = std::move(messages), leaves] {
        (void)test_.side(owner).core.group_return(name, key, member, messages, leaves);
      });
    }
    [[nodiscard]] std::uint16_t core_number() const {
      return static_cast<std::uint16_t>(core.stamp() & 63);
    }

    std::map<ConnectionKey, std::vector<std::string>> got;
    std::map<ConnectionKey, std::vector<model::Tag>> tags;
    std::vector<std::uint32_t> grants;

   private:
    GroupTest& test_;

   public:
    Core core;
  };

  /// Keeps nothing, or what a journal with that state keeps.
  explicit GroupTest(Journal::State state = Journal::State::kNothing) {
    journal.now = state;
    for (std::uint16_t i = 0; i < kCores; ++i) sides_.push_back(std::make_unique<Side>(*this, i));
    // A group's core must hear of what is published on the other one.
    owner_ = sides_[0]->core.owner_of(kGroup);
    other_ = static_cast<std::uint16_t>(1 - owner_);
    sides_[other_]->core.set_interest("a", owner_, true);
  }

  Side& side(std::uint16_t shard) { return *sides_[shard]; }
  Side& owner() { return side(owner_); }
  Side& other() { return side(other_); }

  /// Carries letters until none is left.
  void carry() {
    while (!letters.empty()) {
      const auto letter = std::move(letters.front());
      letters.pop_front();
      letter();
    }
  }
  SubscriberIndex attach(Side& at, std::string_view id, ConnectionKey connection,
                         std::uint32_t credit = 100, std::uint32_t expiry_s = 60) {
    const Core::Attached attached = at.core.attach(id, connection, false, expiry_s, {}, kStart);
    at.core.credit(attached.subscriber, credit);
    return attached.subscriber;
  }
  void join(Side& at, SubscriberIndex member, Guarantee guarantee = Guarantee::kExactlyOnce,
            std::uint32_t id = 0, std::string_view name = kGroup) {
    const Core::Member made =
        at.core.enter_group(member, name, {.guarantee_max = guarantee, .subscription_id = id});
    ASSERT_EQ(made.reason, model::Reason::kOk);
    ASSERT_EQ(made.owner, owner_);
    const bool durable = at.core.subscriber(member).durable();
    const Core::Group joined = owner().core.join_group(name, made.ref, durable);
    ASSERT_EQ(joined.reason, model::Reason::kOk);
    group = joined.key;
    at.core.group_joined(name, made.ref, joined);
    carry();
  }
  void publish(Side& at, std::string_view payload, Guarantee guarantee = Guarantee::kAtLeastOnce) {
    model::Message message{.destination = model::Destination::topic("a"),
                           .payload = as_bytes(payload),
                           .guarantee = guarantee};
    ASSERT_LE(at.core.publish(message, kStart), model::Reason::kNoMatch);
    at.core.flush();
    carry();
  }
  void publish_numbers(int first, int last) {
    for (int i = first; i <= last; ++i) publish(owner(), std::to_string(i));
  }
  void settle_all(Side& at, SubscriberIndex member, ConnectionKey connection) {
    for (const model::Tag tag : std::exchange(at.tags[connection], {})) {
      at.core.settle(member, tag, tag, model::Outcome::kAccept, 1);
    }
    carry();
  }
  void detach(Side& at, SubscriberIndex member, model::Inflight inflight = {}) {
    at.core.detach(member, std::move(inflight), true, kStart);
    carry();
  }

  static constexpr std::string_view kGroup = "$share/g/a";
  Limits limits;
  MemoryJournal journal;  ///< of all cores
  GroupKey group;         ///< that was joined last
  std::deque<std::function<void()>> letters;

 private:
  std::vector<std::unique_ptr<Side>> sides_;
  std::uint16_t owner_ = 0;
  std::uint16_t other_ = 0;
};

}  // namespace hermod::core
