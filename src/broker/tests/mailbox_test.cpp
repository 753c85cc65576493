// SPDX-License-Identifier: Apache-2.0
// Order and accounting of the mailboxes, on one thread.
#include "hermod/broker/mailbox.hpp"

#include <gtest/gtest.h>

namespace hermod::broker {
namespace {

std::unique_ptr<Batch> batch_of(std::initializer_list<RequestId> requests, std::size_t bytes = 0) {
  auto batch = std::make_unique<Batch>();
  for (const RequestId request : requests) batch->letters.emplace_back(InterestKnown{request, 0});
  batch->bytes = bytes;
  return batch;
}

// Reads everything, as a receiver does; the requests in order.
std::vector<RequestId> read(Mailbox& box) {
  std::vector<RequestId> requests;
  for (Batch* batch = box.take(); batch != nullptr;) {
    const std::unique_ptr<Batch> owned{batch};
    batch = batch->next;
    for (const Letter& letter : owned->letters) {
      requests.push_back(std::get<InterestKnown>(letter).request);
    }
    (void)box.finish(*owned);
  }
  return requests;
}

TEST(Mailbox, BatchesComeInTheOrderTheyWerePut) {
  Mailbox box;
  EXPECT_EQ(box.take(), nullptr);
  EXPECT_TRUE(box.put(batch_of({1, 2})));  // was empty: wake
  EXPECT_FALSE(box.put(batch_of({3})));
  EXPECT_FALSE(box.put(batch_of({4, 5})));
  EXPECT_EQ(read(box), (std::vector<RequestId>{1, 2, 3, 4, 5}));
  EXPECT_EQ(box.take(), nullptr);
  EXPECT_TRUE(box.put(batch_of({6})));
  EXPECT_EQ(read(box), (std::vector<RequestId>{6}));
}

TEST(Mailbox, LettersAndOctetsCountUntilTheyAreWorkedOff) {
  Mailbox box;
  (void)box.put(batch_of({1, 2}, 100));
  (void)box.put(batch_of({3}, 10));
  EXPECT_EQ(box.letters(), 3u);
  EXPECT_EQ(box.bytes(), 110u);
  const std::unique_ptr<Batch> first{box.take()};
  const std::unique_ptr<Batch> second{first->next};
  EXPECT_EQ(box.letters(), 3u);  // taken is not done
  EXPECT_FALSE(box.finish(*first));
  EXPECT_EQ(box.letters(), 1u);
  EXPECT_EQ(box.bytes(), 10u);
  box.wait_for_room();
  EXPECT_TRUE(box.finish(*second));
  EXPECT_EQ(box.letters(), 0u);
  EXPECT_EQ(box.bytes(), 0u);
}

TEST(Mailbox, TheWishForRoomIsGrantedOnce) {
  Mailbox box;
  const Batch empty;
  EXPECT_FALSE(box.finish(empty));
  box.wait_for_room();
  EXPECT_TRUE(box.finish(empty));
  EXPECT_FALSE(box.finish(empty));
}

// A message in a letter that nobody reads goes with the mailbox.
struct Home final : ForeignOwner {
  int returned = 0;
  void give_back(void*) override { ++returned; }
};

TEST(Mailbox, WhatWasNotReadIsFreedWithIt) {
  Home home;
  {
    Mailroom room{2};
    for (int i = 0; i < 3; ++i) {
      auto batch = std::make_unique<Batch>();
      batch->letters.emplace_back(Forward{.kept = model::OwnedMessage::copy_of(
                                              {.destination = model::Destination::topic("t")},
                                              SharedBytes::foreign(as_bytes("x"), home, nullptr))});
      (void)room.between(0, 1).put(std::move(batch));
    }
  }
  EXPECT_EQ(home.returned, 3);
}

TEST(Mailroom, EachOrderedPairHasItsOwn) {
  Mailroom room{3};
  EXPECT_EQ(room.shards(), 3u);
  for (std::uint16_t from = 0; from < 3; ++from) {
    for (std::uint16_t to = 0; to < 3; ++to) {
      (void)room.between(from, to).put(batch_of({RequestId{from} * 10 + to}));
    }
  }
  for (std::uint16_t from = 0; from < 3; ++from) {
    for (std::uint16_t to = 0; to < 3; ++to) {
      EXPECT_EQ(read(room.between(from, to)), (std::vector<RequestId>{RequestId{from} * 10 + to}));
    }
  }
}

}  // namespace
}  // namespace hermod::broker
