// SPDX-License-Identifier: Apache-2.0
// A core whose outlet writes down what comes out of it, as text. For tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "hash_key.hpp"
#include "hermod/core/core.hpp"
#include "hermod/testkit/memory_journal.hpp"

namespace hermod::core {

using model::Guarantee;

inline constexpr Instant kStart{std::chrono::seconds{1}};

/// What one delivery said: payload, '/' guarantee, 'r' retained, 'd' redelivered, '#' ids.
inline std::string text_of(const model::Delivery& delivery) {
  std::string out = fmt::format("{}/{}", as_text(delivery.message->payload),
                                static_cast<int>(delivery.guarantee));
  if (delivery.retain) out += 'r';
  if (delivery.redelivered) out += 'd';
  for (const std::uint32_t id : delivery.subscription_ids) out += fmt::format("#{}", id);
  return out;
}

class RecordingOutlet final : public Outlet {
 public:
  struct Batch {
    ConnectionKey connection = 0;
    std::vector<std::string> items;
    model::Tag first_tag = 0;
    const model::Delivery* span = nullptr;
    model::EncodeSlots* slots = nullptr;
  };
  void deliver(ConnectionKey connection, const model::DeliveryBatch& batch) override {
    Batch& made = batches.emplace_back(
        Batch{connection, {}, batch.first_tag, batch.items.data(), batch.slots});
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      made.items.push_back(text_of(batch.items[i]));
      expiries.push_back(batch.items[i].message->expires_at);
      if (batch.items[i].guarantee != Guarantee::kAtMostOnce) {
        tags[connection].push_back(batch.first_tag + i);
      }
      sequences[connection] += made.items.back() + ' ';
    }
  }
  void forward(const model::Message& message, ShardSet interested,
               ShardSet retained_owner) override {
    forwarded.push_back(fmt::format("{}={} to {:x} owner {:x}", message.destination.address,
                                    as_text(message.payload), interested, retained_owner));
  }

  void to_member(const MemberRef& member, GroupKey, QueuePlace place,
                 const model::Delivery& delivery) override {
    letters.push_back(fmt::format("to {}:{} {}={}", member.subscriber, member.membership, place.tag,
                                  as_text(delivery.message->payload)));
  }
  void grant(std::uint16_t owner, GroupKey, const MemberRef& member, std::uint32_t count,
             std::vector<model::Tag> done) override {
    letters.push_back(fmt::format("grant {} {}:{} {} done {}", owner, member.subscriber,
                                  member.membership, count, done.size()));
  }
  void give_back(std::uint16_t owner, std::string_view name, GroupKey, const MemberRef& member,
                 std::vector<Returned> messages, bool leaves) override {
    std::string text =
        fmt::format("return {} {} {}:{}", owner, name, member.subscriber, member.membership);
    for (const Returned& message : messages) {
      text += fmt::format(" {}{}", message.tag, message.delivered ? "d" : "");
    }
    letters.push_back(text + (leaves ? " leaves" : ""));
  }

  /// What a connection got so far, blank-separated; forgets it.
  std::string take(ConnectionKey connection) { return std::exchange(sequences[connection], {}); }

  std::vector<Batch> batches;
  std::vector<Instant> expiries;  ///< of each delivery
  std::map<ConnectionKey, std::string> sequences;
  std::map<ConnectionKey, std::vector<model::Tag>> tags;  ///< of at least once and better
  std::vector<std::string> forwarded;
  std::vector<std::string> letters;  ///< between groups and members
};

/// Writes down the records and commits when told.
class CoreFixture : public testing::Test {
 protected:
  explicit CoreFixture(std::uint16_t shards = 1)
      : core{{.shard = 0, .shards = shards, .hash_key = kHashKey}, limits, journal, outlet} {}

  /// Attaches a connection; returns its subscriber. The connection's number is its low half.
  SubscriberIndex attach(std::string_view id, ConnectionKey connection, bool clean = true,
                         std::uint32_t expiry_s = 0, std::uint32_t credit = 100) {
    const Core::Attached attached = core.attach(id, connection, clean, expiry_s, {}, now);
    EXPECT_EQ(attached.reason, model::Reason::kOk);
    if (credit > 0) core.credit(attached.subscriber, credit);
    return attached.subscriber;
  }
  void subscribe(SubscriberIndex index, std::string_view filter,
                 Guarantee guarantee = Guarantee::kExactlyOnce,
                 model::SubscriptionOptions options = {}) {
    options.guarantee_max = guarantee;
    EXPECT_EQ(core.subscribe(index, filter, options).reason, model::Reason::kOk);
  }
  /// Publishes into the open run. The message lives until the end of the test.
  model::Reason publish(std::string_view topic, std::string_view payload,
                        Guarantee guarantee = Guarantee::kAtMostOnce, bool retain = false,
                        std::uint32_t from_connection = 0) {
    Kept& kept = kept_.emplace_back(Kept{std::string{topic}, std::string{payload}, {}});
    kept.message = {.destination = model::Destination::topic(kept.topic),
                    .payload = as_bytes(kept.payload),
                    .guarantee = guarantee,
                    .retain = retain,
                    .origin = {.connection = from_connection},
                    .expires_at = expires_at};
    core.set_time(now);
    return core.publish(kept.message, now);
  }
  /// The same, delivered.
  void send(std::string_view topic, std::string_view payload,
            Guarantee guarantee = Guarantee::kAtMostOnce, bool retain = false) {
    EXPECT_LE(publish(topic, payload, guarantee, retain), model::Reason::kNoMatch);
    core.flush();
  }
  model::MessageRef will_of(std::string_view topic, std::string_view payload, bool retain = false) {
    return model::Message{.destination = model::Destination::topic(topic),
                          .payload = as_bytes(payload),
                          .guarantee = Guarantee::kAtLeastOnce,
                          .retain = retain}
        .own();
  }

  Limits limits;
  RecordingOutlet outlet;
  MemoryJournal journal;
  Core core;
  Instant now = kStart;
  Instant expires_at = kNever;  ///< of what is published

 private:
  struct Kept {
    std::string topic;
    std::string payload;
    model::Message message;
  };
  std::deque<Kept> kept_;
};

}  // namespace hermod::core
