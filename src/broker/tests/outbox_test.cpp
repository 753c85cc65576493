// SPDX-License-Identifier: Apache-2.0
// Two outboxes that exchange letters by hand: copies, lent payloads, room, promises, wakes.
#include "hermod/broker/outbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "hermod/base/output.hpp"
#include "hermod/broker/output_pool.hpp"

namespace hermod::broker {
namespace {

// Counts wakes; nothing to wait for.
class CountingPoller final : public transport::Poller {
 public:
  bool add(transport::Source&, transport::Token) override { return true; }
  void remove(transport::Source&) override {}
  std::span<const transport::Event> wait(Duration) override { return {}; }
  void wake() override { ++wakes; }
  int wakes = 0;
};

model::Message message_of(std::string_view topic, std::string_view payload) {
  return {.destination = model::Destination::topic(topic), .payload = as_bytes(payload)};
}

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    for (Outbox* outbox : {&first, &second, &third}) {
      outbox->connect({&pollers[0], &pollers[1], &pollers[2]});
    }
  }
  /// Reads the mail from one shard to another: `open` gets each letter, and they live until all
  /// have been read.
  template <typename Open>
  void read(std::uint16_t from, std::uint16_t to, Outbox& receiver, Open&& open) {
    for (Batch* batch = room.between(from, to).take(); batch != nullptr;) {
      const std::unique_ptr<Batch> owned{batch};
      batch = batch->next;
      for (Letter& letter : owned->letters) open(letter);
      receiver.finish(from, *owned);
    }
  }
  std::vector<model::MessageRef> read_forwards(std::uint16_t from, std::uint16_t to,
                                               Outbox& receiver) {
    std::vector<model::MessageRef> got;
    read(from, to, receiver, [&](Letter& letter) {
      got.push_back(receiver.open(std::get<Forward>(letter), from).own());
    });
    return got;
  }
  void read_returns(std::uint16_t from, std::uint16_t to, Outbox& receiver) {
    read(from, to, receiver,
         [&](Letter& letter) { receiver.returned(std::get<GiveBack>(letter).lent); });
  }

  MailLimits limits;
  Mailroom room{3};
  std::array<CountingPoller, 3> pollers;
  Outbox first{room, 0, limits};
  Outbox second{room, 1, limits};
  Outbox third{room, 2, limits};
};

TEST_F(OutboxTest, NothingLeavesBeforeSend) {
  first.add_forward(1, message_of("t", "x"), true, false);
  EXPECT_EQ(room.between(0, 1).take(), nullptr);
  first.send();
  EXPECT_EQ(pollers[1].wakes, 1);
  EXPECT_EQ(read_forwards(0, 1, second).size(), 1u);
  first.send();
  EXPECT_EQ(room.between(0, 1).take(), nullptr);
  EXPECT_EQ(pollers[1].wakes, 1);
}

TEST_F(OutboxTest, ASmallPublicationArrivesAsACopyOfItsOwn) {
  std::string topic = "a/b";
  std::string payload = "34.5";
  model::Message message = message_of(topic, payload);
  message.retain = true;
  message.version = 9;
  message.origin.connection = 4;
  const model::MessageRef kept = message.own();
  first.add_forward(1, *kept, true, true);
  topic = payload = "????";
  first.send();
  bool flags_seen = false;
  read(0, 1, second, [&](Letter& letter) {
    auto& forward = std::get<Forward>(letter);
    flags_seen = forward.for_subscribers && forward.for_retained;
    EXPECT_EQ(forward.lent, 0u);
    const model::Message* got = &second.open(forward, 0);
    EXPECT_EQ(got->owner, nullptr);
    EXPECT_EQ(got->destination.address, "a/b");
    EXPECT_EQ(as_text(got->payload), "34.5");
    EXPECT_TRUE(got->retain);
    EXPECT_EQ(got->version, 9u);
    EXPECT_EQ(got->origin.connection, 4u);
  });
  EXPECT_TRUE(flags_seen);
  EXPECT_EQ(first.lent(), 0u);
}

TEST_F(OutboxTest, ALargePayloadIsLentAndComesBack) {
  const std::string payload(Output::kShareFrom, 'x');
  const model::MessageRef kept = message_of("t", payload).own();
  first.add_forward(1, *kept, true, false);
  first.add_forward(2, *kept, true, false);
  first.send();
  EXPECT_EQ(first.lent(), 2u);
  auto at_second = read_forwards(0, 1, second);
  auto at_third = read_forwards(0, 2, third);
  ASSERT_EQ(at_second.size(), 1u);
  EXPECT_EQ(at_second[0]->payload.data(), kept->payload.data());  // nobody copied it
  EXPECT_EQ(at_third[0]->payload.data(), kept->payload.data());
  EXPECT_EQ(at_second[0]->destination.address, "t");

  at_second.clear();
  EXPECT_EQ(first.lent(), 2u);
  second.send();
  read_returns(1, 0, first);
  EXPECT_EQ(first.lent(), 1u);
  third.send();
  EXPECT_EQ(room.between(2, 0).take(), nullptr);  // still read there
  at_third.clear();
  third.send();
  read_returns(2, 0, first);
  EXPECT_EQ(first.lent(), 0u);
}

TEST_F(OutboxTest, ALentPayloadOutlivesItsMessageAtHome) {
  const std::string payload(Output::kShareFrom, 'x');
  {
    const model::MessageRef kept = message_of("t", payload).own();
    first.add_forward(1, *kept, true, false);
  }
  first.add_forward(1, message_of("u", payload), true, false);  // a view: copied once, then lent
  first.send();
  const auto got = read_forwards(0, 1, second);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(as_text(got[0]->payload), payload);
  EXPECT_EQ(as_text(got[1]->payload), payload);
}

// A group hands on what another shard has published. With nobody to take it back, it ends with the
// shard that lent it on.
TEST_F(OutboxTest, WhatIsLentOnMayEndWithItsOutbox) {
  first.add_forward(1, message_of("t", std::string(Output::kShareFrom, 'x')), true, false);
  first.send();
  Outbox between{room, 1, limits};
  between.connect({&pollers[0], &pollers[1], &pollers[2]});
  for (const model::MessageRef& message : read_forwards(0, 1, between)) {
    between.add_delivery(2, {}, *message);
  }
  EXPECT_EQ(between.lent(), 1u);
}

TEST_F(OutboxTest, LettersMaxEndsTheRoom) {
  limits.letters_max = 3;
  EXPECT_TRUE(first.has_room());
  first.add(1, GiveBack{});
  first.add(1, GiveBack{});
  EXPECT_TRUE(first.has_room());
  first.send();
  EXPECT_TRUE(first.has_room());
  first.add(1, GiveBack{});  // on its way and about to leave count together
  EXPECT_FALSE(first.has_room());
  first.send();
  EXPECT_FALSE(first.has_room());
  EXPECT_TRUE(second.has_room());
  const int wakes = pollers[0].wakes;
  read_returns(0, 1, second);
  EXPECT_GT(pollers[0].wakes, wakes);  // the sender waits for room
  EXPECT_TRUE(first.has_room());
}

TEST_F(OutboxTest, BytesMaxEndsTheRoom) {
  limits.bytes_max = 10;
  first.add_forward(2, message_of("t", "123456789"), true, false);
  EXPECT_TRUE(first.has_room());
  first.add_forward(2, message_of("t", "0"), true, false);
  EXPECT_FALSE(first.has_room());
  first.send();
  EXPECT_FALSE(first.has_room());
  (void)read_forwards(0, 2, third);
  EXPECT_TRUE(first.has_room());
}

TEST_F(OutboxTest, ASenderThatDoesNotWaitIsNotWoken) {
  first.add(1, GiveBack{});
  first.send();
  read_returns(0, 1, second);
  EXPECT_EQ(pollers[0].wakes, 0);
}

// Who reads the promise finds what was published before it in everybody's mailbox.
TEST_F(OutboxTest, PromisesLeaveAfterEverythingElse) {
  first.add(1, InterestKnown{.request = 1, .stamp = 5});
  first.add_forward(2, message_of("t", "x"), false, true);
  first.add_forward(1, message_of("t", "y"), true, false);
  first.send();
  std::string order;
  read(0, 1, second, [&](Letter& letter) {
    order += std::holds_alternative<Forward>(letter) ? "forward " : "promise ";
  });
  EXPECT_EQ(order, "forward promise ");
  EXPECT_EQ(room.between(0, 1).letters(), 0u);
  EXPECT_EQ(read_forwards(0, 2, third).size(), 1u);
}

TEST(OutputPool, OutputsComeBackEmpty) {
  OutputPool pool;
  std::unique_ptr<Output> output = pool.take();
  output->append(as_bytes("left over"));
  Output* const address = output.get();
  pool.give(std::move(output));
  const std::unique_ptr<Output> again = pool.take();
  EXPECT_EQ(again.get(), address);
  EXPECT_TRUE(again->empty());
  EXPECT_GT(again->capacity(), 0u);
}

TEST(OutputPool, AnOutputKeepsSoManyOctets) {
  OutputPool pool;
  std::unique_ptr<Output> output = pool.take();
  output->append(as_bytes(std::string(OutputPool::kKeptBytesMax + 1, 'x')));
  pool.give(std::move(output));
  EXPECT_EQ(pool.take()->capacity(), 0u);
}

TEST(OutputPool, SoManyOutputsAreKept) {
  OutputPool pool;
  std::vector<std::unique_ptr<Output>> all;
  for (std::size_t i = 0; i < OutputPool::kKeptMax + 10; ++i) {
    all.push_back(pool.take());
    all.back()->append(as_bytes("x"));
    all.back()->clear();
  }
  for (auto& output : all) pool.give(std::move(output));
  for (std::size_t i = 0; i < OutputPool::kKeptMax; ++i) {
    ASSERT_GT((all[i] = pool.take())->capacity(), 0u) << i;
  }
  EXPECT_EQ(pool.take()->capacity(), 0u);  // a new one
}

}  // namespace
}  // namespace hermod::broker
