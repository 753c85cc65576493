// SPDX-License-Identifier: Apache-2.0
// The queue against a plain list of entries under random operations, then its promises by name.
#include "hermod/core/queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "hermod/base/rng.hpp"

namespace hermod::core {
namespace {

using model::Delivery;
using model::Guarantee;
using model::Tag;

Queue::Entry entry_of(std::string_view payload, Guarantee guarantee) {
  Queue::Entry entry{.message = model::Message{.destination = model::Destination::topic("t"),
                                               .payload = as_bytes(payload)}
                                    .own(),
                     .marks = {.guarantee = guarantee}};
  return entry;
}

Tag hand_over(Queue& queue, Queue::Entry entry) {
  return queue.push_taken(entry.message.ref(), entry.marks, entry.subscription_ids());
}

// One entry as the model sees it.
struct Item {
  Tag tag;
  std::string payload;
  Guarantee guarantee;
  std::uint32_t id;
  bool delivered = false;
  bool settled = false;
  std::size_t memory = 0;
};

class QueueAndModel {
 public:
  explicit QueueAndModel(std::uint64_t seed) : rng_(seed) { queue_.set_usage(&usage_); }

  void step() {
    switch (rng_.below(9)) {
      case 0:
      case 1:
      case 2:
        push();
        break;
      case 3:
        push_taken();
        break;
      case 4:
      case 5:
        take();
        break;
      case 6:
        settle();
        break;
      case 7:
        drop();
        break;
      default:
        if (rng_.below(4) == 0) rewind(rng_.below(2) == 0);
    }
    check();
  }

  /// A subscriber that settles little, and much is dropped meanwhile.
  void stuck_step() {
    const std::uint64_t what = rng_.below(20);
    if (what == 0) take();
    if (what == 1) settle();
    if (what == 2) rewind(true);
    if (what <= 3 && !items_.empty()) settle(items_.front().tag, rng_.below(40));
    for (std::uint64_t i = rng_.below(600); i > 0; --i) push();
    for (std::uint64_t i = rng_.below(600); i > 0; --i) drop();
    check();
  }
  /// Everything that is left is taken and settled.
  void drain() {
    queue_.rewind(true);
    next_ = 0;
    for (int i = 0; i < 1'000'000 && !queue_.empty(); ++i) {
      std::vector<Delivery> got;
      const Tag first = queue_.take(1'000, 1'000, got);
      ASSERT_FALSE(got.empty());
      for (std::size_t j = 0; j < got.size(); ++j) {
        while (items_.front().settled) items_.pop_front();
        EXPECT_EQ(first + j, items_.front().tag);
        EXPECT_EQ(as_text(got[j].message->payload), items_.front().payload);
        items_.pop_front();
      }
      queue_.trim();
      (void)queue_.settle(first, first + got.size() - 1);
    }
    for (const Item& item : items_) EXPECT_TRUE(item.settled);
    EXPECT_EQ(usage_.waiting, 0u);
    EXPECT_EQ(usage_.bytes, 0u);
  }
  [[nodiscard]] std::size_t dropped() const { return dropped_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  Item make() {
    Item item{.tag = queue_.next_tag(),
              .payload = std::to_string(queue_.next_tag()),
              .guarantee = static_cast<Guarantee>(rng_.below(3)),
              .id = static_cast<std::uint32_t>(rng_.below(3))};
    return item;
  }
  static Queue::Entry entry(Item& item) {
    Queue::Entry out = entry_of(item.payload, item.guarantee);
    out.set_ids({&item.id, item.id == 0 ? 0u : 1u});
    item.memory = out.message.get()->memory();
    return out;
  }

  void push() {
    Item item = make();
    EXPECT_EQ(queue_.push(entry(item)), item.tag);
    items_.push_back(item);
  }
  void push_taken() {
    if (queue_.waiting() > 0) return;
    Item item = make();
    if (item.guarantee == Guarantee::kAtMostOnce) item.guarantee = Guarantee::kAtLeastOnce;
    EXPECT_EQ(hand_over(queue_, entry(item)), item.tag);
    item.delivered = true;
    items_.push_back(item);
    next_ = items_.size();
  }
  void take() {
    const std::size_t count_max = 1 + rng_.below(6);
    auto credit = static_cast<std::uint32_t>(rng_.below(4));
    std::vector<Delivery> got;
    const Tag first = queue_.take(count_max, credit, got);

    if (settled_before_next() >= Queue::kSettledMax) {
      EXPECT_TRUE(got.empty());
      return;
    }
    while (next_ < items_.size() && items_[next_].settled) ++next_;
    if (settled_before_next() >= Queue::kSettledMax) {
      EXPECT_TRUE(got.empty());
      return;
    }
    std::size_t count = 0;
    for (; count < count_max && next_ < items_.size() && !items_[next_].settled; ++count, ++next_) {
      Item& item = items_[next_];
      const bool counted = item.guarantee != Guarantee::kAtMostOnce;
      if (counted && credit == 0) break;
      ASSERT_LT(count, got.size());
      EXPECT_EQ(first + count, item.tag);
      EXPECT_EQ(as_text(got[count].message->payload), item.payload);
      EXPECT_EQ(got[count].guarantee, item.guarantee);
      EXPECT_EQ(got[count].redelivered, item.delivered);
      const std::vector<std::uint32_t> ids(got[count].subscription_ids.begin(),
                                           got[count].subscription_ids.end());
      EXPECT_EQ(ids, item.id == 0 ? std::vector<std::uint32_t>{} : std::vector{item.id});
      item.delivered = true;
      if (counted) {
        --credit;
      } else {
        item.settled = true;
      }
    }
    EXPECT_EQ(got.size(), count);
    queue_.trim();
    trim();
  }
  void settle() {
    const Tag first = queue_.next_tag() - std::min<Tag>(rng_.below(12), queue_.next_tag() - 1);
    settle(first, rng_.below(4));
  }
  void settle(Tag first, Tag more) {
    const Tag last = first + more;
    std::size_t marked = 0;
    for (std::size_t i = 0; i < next_; ++i) {
      Item& item = items_[i];
      if (item.tag < first || item.tag > last || item.settled) continue;
      item.settled = true;
      ++marked;
    }
    EXPECT_EQ(queue_.settle(first, last), marked);
    trim();
  }
  [[nodiscard]] std::size_t settled_before_next() const {
    std::size_t tags = next_ == 0 ? 0 : items_[next_ - 1].tag - items_.front().tag + 1;
    for (std::size_t i = 0; i < next_; ++i) tags -= items_[i].settled ? 0 : 1;
    return tags;
  }
  void drop() {
    const Tag tag = queue_.drop_oldest();
    for (std::size_t i = std::max(next_, waits_from_); i < items_.size(); ++i) {
      Item& item = items_[i];
      if (item.settled || (item.delivered && item.guarantee != Guarantee::kAtMostOnce)) continue;
      waits_from_ = i;
      if (tag == 0) {  // too many stand behind one that is not settled
        ++refused_;
        EXPECT_FALSE(items_.front().settled);
        return;
      }
      EXPECT_EQ(tag, item.tag);
      item.settled = true;
      ++dropped_;
      return trim();
    }
    EXPECT_EQ(tag, 0u);
  }
  void rewind(bool keep_at_most_once) {
    queue_.rewind(keep_at_most_once);
    for (Item& item : items_) {
      if (!keep_at_most_once && item.guarantee == Guarantee::kAtMostOnce) item.settled = true;
    }
    next_ = 0;
    trim();
  }
  void trim() {
    while (!items_.empty() && items_.front().settled) {
      items_.pop_front();
      if (next_ > 0) --next_;
      if (waits_from_ > 0) --waits_from_;
    }
  }
  void check() {
    std::size_t bytes = 0;
    std::size_t waiting = 0;
    std::size_t unsettled = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].settled) continue;
      ++(i < next_ ? unsettled : waiting);
      bytes += items_[i].memory;
    }
    EXPECT_EQ(queue_.waiting(), waiting);
    EXPECT_EQ(queue_.unsettled(), unsettled);
    EXPECT_EQ(queue_.empty(), items_.empty());
    EXPECT_EQ(queue_.bytes(), bytes);
    EXPECT_EQ(usage_.waiting, waiting);
    EXPECT_EQ(usage_.bytes, bytes);
  }

  SeededRng rng_;
  Usage usage_;
  Queue queue_;
  std::deque<Item> items_;
  std::size_t next_ = 0;
  std::size_t waits_from_ = 0;  // nothing before it may be dropped
  std::size_t dropped_ = 0;
  std::size_t refused_ = 0;
};

TEST(Queue, IsAListInOrderOfArrival) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    QueueAndModel both{seed};
    for (int i = 0; i < 300; ++i) both.step();
    if (testing::Test::HasFailure()) return;
  }
}

// Tags that were dropped in a row cost nothing, and no entry is lost or gets another tag by that.
TEST(Queue, IsThatListToo_WhenMuchIsDroppedBehindWhatIsNotSettled) {
  std::size_t dropped = 0;
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    QueueAndModel both{seed};
    for (int i = 0; i < 200; ++i) both.stuck_step();
    both.drain();
    dropped += both.dropped();
    refused += both.refused();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(dropped, 100'000u);
  EXPECT_LT(refused, dropped / 4);
}

std::string taken(Queue& queue, std::size_t count_max, std::uint32_t credit, Tag* first = nullptr) {
  std::vector<Delivery> items;
  const Tag tag = queue.take(count_max, credit, items);
  if (first != nullptr) *first = tag;
  std::string out;
  for (const Delivery& item : items) {
    out += as_text(item.message->payload);
    if (item.redelivered) out += '!';
  }
  return out;
}

TEST(Queue, TagsGrowByOneAndAreNeverUsedTwice) {
  Queue queue;
  EXPECT_EQ(queue.push(entry_of("a", Guarantee::kAtLeastOnce)), 1u);
  EXPECT_EQ(queue.push(entry_of("b", Guarantee::kAtLeastOnce)), 2u);
  (void)taken(queue, 10, 10);
  EXPECT_EQ(queue.settle(1, 2), 2u);
  EXPECT_TRUE(queue.empty());
  queue.clear();
  EXPECT_EQ(queue.push(entry_of("c", Guarantee::kAtLeastOnce)), 3u);
  EXPECT_EQ(queue.next_tag(), 4u);
}

TEST(Queue, CreditIsForAtLeastOnceAndBetter) {
  Queue queue;
  queue.push(entry_of("a", Guarantee::kAtMostOnce));
  queue.push(entry_of("b", Guarantee::kAtLeastOnce));
  queue.push(entry_of("c", Guarantee::kAtMostOnce));
  queue.push(entry_of("d", Guarantee::kExactlyOnce));
  queue.push(entry_of("e", Guarantee::kAtMostOnce));
  EXPECT_EQ(taken(queue, 10, 0), "a");
  EXPECT_EQ(taken(queue, 10, 0), "");
  Tag first = 0;
  EXPECT_EQ(taken(queue, 10, 1, &first), "bc");
  EXPECT_EQ(first, 2u);
  EXPECT_EQ(taken(queue, 1, 5, &first), "d");
  EXPECT_EQ(first, 4u);
  EXPECT_EQ(taken(queue, 10, 0), "e");
}

TEST(Queue, OnlyWhatWasTakenCanBeSettled) {
  Queue queue;
  queue.push(entry_of("a", Guarantee::kAtLeastOnce));
  EXPECT_EQ(queue.settle(1, 1), 0u);
  (void)taken(queue, 1, 1);
  EXPECT_EQ(queue.settle(2, 1'000'000'000'000), 0u);
  EXPECT_EQ(queue.settle(0, UINT64_MAX), 1u);
  EXPECT_EQ(queue.settle(1, 1), 0u);
  EXPECT_EQ(Queue{}.settle(1, 1), 0u);
}

TEST(Queue, WhatWasNotSettledComesAgainInOrderAsARepetition) {
  Queue queue;
  for (const char* payload : {"a", "b", "c"}) {
    queue.push(entry_of(payload, Guarantee::kAtLeastOnce));
  }
  EXPECT_EQ(taken(queue, 2, 10), "ab");
  queue.rewind(false);
  EXPECT_EQ(taken(queue, 10, 10), "a!b!c");
}

// Tags of one delivery are consecutive: a settled one in between ends it.
TEST(Queue, ASettledOneInBetweenEndsADelivery) {
  Queue queue;
  for (const char* payload : {"a", "b", "c"}) {
    queue.push(entry_of(payload, Guarantee::kAtLeastOnce));
  }
  (void)taken(queue, 10, 10);
  EXPECT_EQ(queue.settle(2, 2), 1u);
  queue.rewind(false);
  Tag first = 0;
  EXPECT_EQ(taken(queue, 10, 10, &first), "a!");
  EXPECT_EQ(first, 1u);
  EXPECT_EQ(taken(queue, 10, 10, &first), "c!");
  EXPECT_EQ(first, 3u);
}

TEST(Queue, AtMostOnceWaitsForTheNextConnectionOnlyWhenAsked) {
  for (const bool keep : {false, true}) {
    Queue queue;
    queue.push(entry_of("taken", Guarantee::kAtMostOnce));
    (void)taken(queue, 1, 0);
    queue.push(entry_of("waiting", Guarantee::kAtMostOnce));
    queue.push(entry_of("sure", Guarantee::kAtLeastOnce));
    queue.rewind(keep);
    EXPECT_EQ(taken(queue, 1, 9), keep ? "waiting" : "sure");
  }
}

TEST(Queue, ManySubscriptionIdsComeBack) {
  const std::array<std::uint32_t, 3> ids{4, 5, 6};
  Queue queue;
  Queue::Entry entry = entry_of("a", Guarantee::kAtLeastOnce);
  entry.set_ids(ids);
  queue.push(std::move(entry));
  std::vector<Delivery> items;
  (void)queue.take(1, 1, items);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(items[0].subscription_ids, ids));
}

TEST(Queue, RetainIsKept) {
  Queue queue;
  Queue::Entry entry = entry_of("a", Guarantee::kAtMostOnce);
  entry.marks.retain = true;
  queue.push(std::move(entry));
  std::vector<Delivery> items;
  (void)queue.take(1, 1, items);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_TRUE(items[0].retain);
}

// What is settled holds no memory and does not count as waiting, although it cannot leave the ring.
TEST(Queue, SettledOnesBehindAnUnsettledOneHoldNothing) {
  Queue queue;
  hand_over(queue, entry_of("stuck", Guarantee::kAtLeastOnce));
  const std::size_t bytes = queue.bytes();
  for (int i = 0; i < 100; ++i) {
    const Tag tag = hand_over(queue, entry_of("settled", Guarantee::kAtLeastOnce));
    EXPECT_EQ(queue.settle(tag, tag), 1u);
    queue.push(entry_of("at most once", Guarantee::kAtMostOnce));
    EXPECT_EQ(taken(queue, 1, 0), "at most once");
    queue.trim();
  }
  EXPECT_EQ(queue.bytes(), bytes);
  EXPECT_EQ(queue.unsettled(), 1u);
  queue.rewind(false);
  EXPECT_EQ(queue.waiting(), 1u);
  EXPECT_EQ(taken(queue, 9, 9), "stuck!");
}

TEST(Queue, AStuckOneHoldsUpTheOthersInTheEnd) {
  Queue queue;
  const Tag stuck = hand_over(queue, entry_of("stuck", Guarantee::kAtLeastOnce));
  for (std::size_t i = 0; i < Queue::kSettledMax; ++i) {
    ASSERT_TRUE(queue.can_take());
    const Tag tag = hand_over(queue, entry_of("settled", Guarantee::kAtLeastOnce));
    EXPECT_EQ(queue.settle(tag, tag), 1u);
  }
  EXPECT_FALSE(queue.can_take());
  queue.push(entry_of("next", Guarantee::kAtMostOnce));
  EXPECT_EQ(taken(queue, 9, 9), "");
  EXPECT_EQ(queue.settle(stuck, stuck), 1u);
  EXPECT_EQ(taken(queue, 9, 9), "next");
}

// What stands behind the tags that are said may not be on the disk yet.
TEST(Queue, OnlyWhatIsSaidLeavesMemory) {
  Queue queue;
  for (model::Position place = 8; place <= 80; place += 8) {
    Queue::Entry entry = entry_of("x", Guarantee::kAtLeastOnce);
    entry.marks.kept = true;
    entry.message.get()->set_position(place);
    queue.push(std::move(entry));
  }
  std::vector<Delivery> items;
  queue.take(3, 3, items);
  queue.page_out(2, 4);  // 2 and 3 are on their way
  std::vector<Tag> in_memory;
  queue.for_each([&](Tag tag, const Queue::Entry& entry) {
    if (entry.message.in_memory()) in_memory.push_back(tag);
  });
  EXPECT_EQ(in_memory, (std::vector<Tag>{1, 2, 3, 6, 7, 8, 9, 10}));
}

TEST(Queue, AnEmptyOneIsSmall) {
  EXPECT_LE(sizeof(Queue), 16u);
}

}  // namespace
}  // namespace hermod::core
