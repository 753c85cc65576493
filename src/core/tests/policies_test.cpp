// SPDX-License-Identifier: Apache-2.0
// What happens to messages for which there is no room, or whose time is over: in the queues, in the
// counters, and in the store.
#include <gmock/gmock.h>

#include "core_fixture.hpp"

namespace hermod::core {
namespace {

using model::Reason;
using std::chrono::seconds;
using testing::Contains;
using testing::Not;

class PoliciesTest : public CoreFixture {
 protected:
  [[nodiscard]] const RouterCounters& counters() const { return core.counters(); }
  [[nodiscard]] Queue& queue(SubscriberIndex index) { return core.subscriber(index).queue; }
  /// A lasting subscriber of a topic that is not there.
  SubscriberIndex away(std::string_view id, std::string_view filter,
                       std::optional<std::string> user = std::nullopt) {
    auto holder = std::make_unique<Holder>();
    holder->user = std::move(user);
    const SubscriberIndex index =
        core.attach(id, 1, true, 60'000, {}, now, std::move(holder)).subscriber;
    subscribe(index, filter);
    core.detach(index, {}, true, now);
    return index;
  }
  /// It comes, gets so much, settles that, and goes.
  std::string fetch(std::string_view id, std::uint32_t credit = 10'000) {
    const SubscriberIndex index = attach(id, 7, false, 60'000, credit);
    for (const model::Tag tag : std::exchange(outlet.tags[7], {})) {
      core.settle(index, tag, tag, model::Outcome::kAccept, 0);
    }
    core.detach(index, {}, true, now);
    return outlet.take(7);
  }
  void send_many(std::string_view topic, int first, int last,
                 Guarantee guarantee = Guarantee::kAtLeastOnce) {
    for (int i = first; i <= last; ++i) send(topic, std::to_string(i), guarantee);
  }
  void pass(Duration time) {
    now += time;
    core.set_time(now);
    for (int i = 0; i < 10'000 && core.next_message_expiry() <= now; ++i) {
      core.expire_messages(now);
    }
    ASSERT_GT(core.next_message_expiry(), now);
    core.hear_journal();
  }
};

// --- drop-head ---

TEST_F(PoliciesTest, DropHeadMakesRoomAndTheStoreLetsGo) {
  limits.queue_overflow = Overflow::kDropHead;
  limits.queue_messages_max = 3;
  const SubscriberIndex one = away("one", "a");
  send_many("a", 1, 4);
  core.hear_journal();  // those that wait are away from memory
  journal.take_lines();
  send_many("a", 5, 6);
  EXPECT_THAT(journal.take_lines(), Contains("settle 1@3-3"));
  EXPECT_EQ(queue(one).waiting(), 3u);
  EXPECT_EQ(counters().dropped_head, 3u);
  EXPECT_EQ(counters().dropped_full(), 3u);
  EXPECT_EQ(journal.places(), 3u);
  EXPECT_EQ(fetch("one"), "4/1 5/1 6/1 ");
  EXPECT_EQ(journal.places(), 0u);
}

// They are written with their run, as others get them; the store hears of their end after that.
TEST_F(PoliciesTest, DropHeadWithinOneRun) {
  limits.queue_overflow = Overflow::kDropHead;
  limits.queue_messages_max = 3;
  (void)away("one", "a");
  journal.take_lines();
  for (const char* payload : {"1", "2", "3", "4", "5"}) {
    (void)publish("a", payload, Guarantee::kAtLeastOnce);
  }
  core.flush();
  EXPECT_EQ(journal.take_lines(),
            (std::vector<std::string>{"append 12345 for 1@1", "settle 1@1-1", "settle 1@2-2"}));
  EXPECT_EQ(journal.places(), 3u);
  EXPECT_EQ(fetch("one"), "3/1 4/1 5/1 ");
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(PoliciesTest, DropHeadLeavesWhatIsUnderWay) {
  limits.queue_overflow = Overflow::kDropHead;
  limits.queue_messages_max = 3;
  const SubscriberIndex one = attach("one", 1, true, 60, 2);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  send_many("a", 1, 6);
  EXPECT_EQ(counters().dropped_head, 1u);  // 3
  EXPECT_EQ(outlet.take(1), "1/1 2/1 ");
  core.detach(one, {}, true, now);  // the two wait again, and are not dropped
  send_many("a", 7, 8);
  EXPECT_EQ(counters().dropped_head, 5u);
  EXPECT_EQ(attach("one", 2, false, 60), one);
  EXPECT_EQ(outlet.take(2), "1/1d 2/1d 8/1 ");
}

TEST_F(PoliciesTest, WhereAllIsUnderWayTheNewestIsDropped) {
  limits.queue_overflow = Overflow::kDropHead;
  limits.queue_messages_max = 2;
  const SubscriberIndex one = attach("one", 1, true, 60, 2);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  send_many("a", 1, 2);
  core.detach(one, {}, true, now);
  send_many("a", 3, 3);
  EXPECT_EQ(counters().dropped_head, 0u);
  EXPECT_EQ(counters().dropped_length, 1u);
}

TEST_F(PoliciesTest, DropHeadOfOctetsDropsAsMuchAsIsNeededOrNothing) {
  limits.queue_overflow = Overflow::kDropHead;
  limits.queue_bytes_max = 10'000;
  const SubscriberIndex one = away("one", "a");
  for (const char* letter : {"a", "b", "c"}) {
    send("a", std::string(3'000, *letter), Guarantee::kAtLeastOnce);
  }
  send("a", std::string(5'000, 'd'), Guarantee::kAtLeastOnce);
  EXPECT_EQ(counters().dropped_head, 2u);
  EXPECT_EQ(queue(one).waiting(), 2u);
  send("a", std::string(10'001, 'e'), Guarantee::kAtLeastOnce);  // has no room in any case
  EXPECT_EQ(counters().dropped_head, 2u);
  EXPECT_EQ(counters().dropped_bytes, 1u);
  EXPECT_LE(queue(one).bytes(), limits.queue_bytes_max);
  EXPECT_THAT(fetch("one"), testing::StartsWith("cccc"));
}

// A client that has gone in the middle of a delivery, for very long: what it has begun is kept, the
// newest are there, and memory is bounded.
TEST_F(PoliciesTest, DropHeadGoesOnBehindWhatIsNotSettled) {
  limits.queue_overflow = Overflow::kDropHead;
  limits.queue_messages_max = 100;
  journal.notes = false;
  const SubscriberIndex one = attach("one", 1, true, 60'000, 2);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  send_many("a", 1, 2);
  core.detach(one, {}, true, now);
  send_many("a", 3, 70'000);
  EXPECT_EQ(counters().dropped_head, 70'000u - 100u);
  EXPECT_EQ(counters().dropped_length, 0u);
  EXPECT_EQ(queue(one).next_tag(), 70'001u);
  EXPECT_EQ(queue(one).head_tag(), 1u);
  EXPECT_EQ(journal.places(), 100u);
  EXPECT_NE(queue(one).find(2), nullptr);
  EXPECT_EQ(queue(one).find(3), nullptr);
  EXPECT_EQ(queue(one).find(50'000), nullptr);
  EXPECT_NE(queue(one).find(70'000), nullptr);
  journal.check_wanted = true;
  core.keep_house();
  ASSERT_EQ(journal.standings.size(), 1u);
  EXPECT_EQ(journal.standings[0].floor, 1u);
  EXPECT_EQ(journal.standings[0].next, 70'001u);
  EXPECT_EQ(journal.standings[0].settled, (std::vector<TagRange>{{3, 69'902}}));

  EXPECT_EQ(attach("one", 2, false, 60'000), one);
  EXPECT_EQ(outlet.take(2), "1/1d 2/1d ");  // nothing so far past them, for the packet ids' sake
  core.settle(one, 1, 1, model::Outcome::kAccept, 1);
  EXPECT_EQ(outlet.take(2), "");
  core.settle(one, 2, 2, model::Outcome::kAccept, 1);
  EXPECT_THAT(outlet.take(2), testing::StartsWith("69903/1 69904/1 "));
  EXPECT_EQ(outlet.tags[2].back(), 70'000u);
  core.settle(one, 69'903, 70'000, model::Outcome::kAccept, 0);
  EXPECT_TRUE(queue(one).empty());
  EXPECT_EQ(journal.places(), 0u);
}

// --- reject ---

TEST_F(PoliciesTest, RejectRefusesAPublicationBeforeAnybodyGetsIt) {
  limits.queue_overflow = Overflow::kReject;
  limits.queue_messages_max = 2;
  subscribe(attach("", 3), "a");
  (void)away("one", "a");
  EXPECT_EQ(publish("a", "1", Guarantee::kAtLeastOnce), Reason::kOk);
  EXPECT_EQ(publish("a", "2", Guarantee::kAtLeastOnce), Reason::kOk);
  journal.take_lines();
  EXPECT_EQ(publish("a", "3", Guarantee::kAtLeastOnce, true), Reason::kQuotaExceeded);
  EXPECT_EQ(publish("a", "4", Guarantee::kExactlyOnce), Reason::kQuotaExceeded);
  core.flush();
  EXPECT_EQ(outlet.take(3), "1/1 2/1 ");
  EXPECT_EQ(core.retained().find("a", now), nullptr);
  EXPECT_EQ(core.own_counters().refused_full, 2u);
  EXPECT_EQ(counters().dropped_full(), 0u);
  EXPECT_EQ(publish("a", "0", Guarantee::kAtMostOnce), Reason::kOk);  // has nobody to be told
  core.flush();
  EXPECT_EQ(outlet.take(3), "0/0 ");
  EXPECT_EQ(fetch("one", 1), "1/1 ");
  EXPECT_EQ(publish("a", "5", Guarantee::kAtLeastOnce), Reason::kOk);
  core.flush();
  EXPECT_EQ(fetch("one"), "2/1 5/1 ");
}

// What the broker and other shards publish is not refused: it finds no room and is counted.
TEST_F(PoliciesTest, WhatCannotBeRefusedIsDropped) {
  limits.queue_overflow = Overflow::kReject;
  limits.queue_messages_max = 1;
  (void)away("one", "a");
  send("a", "1", Guarantee::kAtLeastOnce);
  model::MessageRef will = will_of("a", "will");
  model::Message message = *will;
  EXPECT_EQ(core.publish_own(message, now), Reason::kOk);
  core.receive(message, true, false);
  core.flush();
  EXPECT_EQ(counters().dropped_length, 2u);
  EXPECT_EQ(core.own_counters().refused_full, 0u);
}

TEST_F(PoliciesTest, RejectKnowsWhoTakesItAtOnce) {
  limits.queue_overflow = Overflow::kReject;
  limits.queue_messages_max = 0;
  const SubscriberIndex one = attach("", 1, true, 0, 2);
  subscribe(one, "a", Guarantee::kAtLeastOnce, {.no_local = true});
  EXPECT_EQ(publish("a", "1", Guarantee::kAtLeastOnce), Reason::kOk);
  EXPECT_EQ(publish("a", "2", Guarantee::kAtLeastOnce), Reason::kOk);
  EXPECT_EQ(publish("a", "3", Guarantee::kAtLeastOnce), Reason::kQuotaExceeded);
  EXPECT_EQ(publish("a", "4", Guarantee::kAtLeastOnce, false, 1), Reason::kOk);  // its own
  core.flush();
  EXPECT_EQ(outlet.take(1), "1/1 2/1 ");
}

// --- users ---

TEST_F(PoliciesTest, AUsersQueuesHaveALimitTogether) {
  limits.user_messages_max = 4;
  const SubscriberIndex one = away("one", "a", "anna");
  const SubscriberIndex two = away("two", "b", "anna");
  (void)away("other", "#", "ben");
  (void)away("nobody", "#");
  send_many("a", 1, 3);
  send_many("b", 4, 6);
  EXPECT_EQ(queue(one).waiting() + queue(two).waiting(), 4u);
  EXPECT_EQ(core.usage_of("anna")->waiting, 4u);
  EXPECT_EQ(core.usage_of("ben")->waiting, 4u);  // has its own limit
  EXPECT_EQ(counters().dropped_user, 4u);
  EXPECT_EQ(fetch("nobody"), "1/1 2/1 3/1 4/1 5/1 6/1 ");
  core.attach("one", 9, true, 0, {}, now);  // ends the session: its messages give room
  send_many("b", 7, 9);
  EXPECT_EQ(queue(two).waiting(), 4u);
  core.attach("two", 9, true, 0, {}, now);
  EXPECT_EQ(core.usage_of("anna"), nullptr);
}

TEST_F(PoliciesTest, AUsersOctetsHaveALimitToo) {
  limits.user_bytes_max = 10'000;
  (void)away("one", "a", "anna");
  (void)away("two", "b", "anna");
  const std::string payload(3'000, 'x');
  for (const char* topic : {"a", "b", "a", "b"}) send(topic, payload, Guarantee::kAtLeastOnce);
  EXPECT_EQ(counters().dropped_user, 1u);
  EXPECT_LE(core.usage_of("anna")->bytes, limits.user_bytes_max);
}

TEST_F(PoliciesTest, DropHeadForAUserTakesFromTheSameQueue) {
  limits.queue_overflow = Overflow::kDropHead;
  limits.user_messages_max = 3;
  (void)away("one", "a", "anna");
  (void)away("two", "b", "anna");
  send_many("a", 1, 2);
  send_many("b", 3, 5);
  EXPECT_EQ(counters().dropped_head, 2u);
  send_many("a", 6, 6);
  EXPECT_EQ(fetch("one"), "2/1 6/1 ");
  EXPECT_EQ(fetch("two"), "5/1 ");
}

// One publication for two sessions of the same user needs two places.
TEST_F(PoliciesTest, RejectCountsAUsersSessionsTogether) {
  limits.queue_overflow = Overflow::kReject;
  limits.user_messages_max = 3;
  (void)away("one", "a", "anna");
  (void)away("two", "a", "anna");
  EXPECT_EQ(publish("a", "1", Guarantee::kAtLeastOnce), Reason::kOk);
  EXPECT_EQ(publish("a", "2", Guarantee::kAtLeastOnce), Reason::kQuotaExceeded);
  core.flush();
  EXPECT_EQ(core.usage_of("anna")->waiting, 2u);
  EXPECT_EQ(counters().dropped_full(), 0u);
}

// --- time ---

TEST_F(PoliciesTest, WhatIsOverLeavesTheFrontWhileTheSubscriberIsAway) {
  const SubscriberIndex one = away("one", "a");
  for (int i = 1; i <= 4; ++i) {
    expires_at = i == 3 ? now + seconds{5} : i == 4 ? kNever : now + seconds{10} * i;
    send("a", std::to_string(i), Guarantee::kAtLeastOnce);
  }
  core.hear_journal();
  ASSERT_EQ(queue(one).bytes_in_memory(), 0u);
  journal.readable = false;  // it is known without a look at the messages
  journal.take_lines();
  pass(seconds{9});
  EXPECT_EQ(queue(one).waiting(), 4u);  // 3 is over, and stands in the middle
  pass(seconds{2});
  EXPECT_EQ(queue(one).waiting(), 3u);
  EXPECT_THAT(journal.take_lines(), testing::ElementsAre("settle 1@1-1"));
  EXPECT_EQ(journal.places(), 3u);
  pass(seconds{10});  // 2 is over, and 3 comes to the front
  EXPECT_EQ(queue(one).waiting(), 1u);
  EXPECT_EQ(counters().expired, 3u);
  EXPECT_EQ(journal.places(), 1u);
  EXPECT_EQ(core.next_message_expiry(), kNever);
  journal.readable = true;
  EXPECT_EQ(fetch("one"), "4/1 ");
}

TEST_F(PoliciesTest, WhatIsOverInTheMiddleIsNotTaken) {
  (void)away("one", "a");
  send("a", "1", Guarantee::kAtLeastOnce);
  expires_at = now + seconds{5};
  send("a", "2", Guarantee::kExactlyOnce);
  expires_at = kNever;
  send("a", "3", Guarantee::kAtLeastOnce);
  pass(seconds{6});
  EXPECT_EQ(counters().expired, 0u);
  EXPECT_EQ(fetch("one"), "1/1 3/1 ");
  EXPECT_EQ(counters().expired, 1u);
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(PoliciesTest, WhatIsUnderWayIsCompletedHoweverOld) {  // [MQTT-4.3.3-7]
  const SubscriberIndex one = attach("one", 1, true, 60'000, 1);
  subscribe(one, "a");
  expires_at = now + seconds{5};
  send("a", "begun", Guarantee::kExactlyOnce);
  core.hear_journal();
  EXPECT_EQ(outlet.take(1), "begun/2 ");
  send("a", "waits", Guarantee::kExactlyOnce);
  core.detach(one, {}, true, now);
  core.hear_journal();
  pass(seconds{6});
  EXPECT_EQ(counters().expired, 1u);
  EXPECT_EQ(fetch("one"), "begun/2d ");
}

TEST_F(PoliciesTest, QueuesHaveALongestWait) {
  limits.queue_ttl = seconds{10};
  const SubscriberIndex one = attach("", 1, true, 0, 0);
  core.set_open(one, false);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  send("a", "1", Guarantee::kAtLeastOnce);
  pass(seconds{6});
  send("a", "at most once", Guarantee::kAtMostOnce);
  expires_at = now + seconds{2};
  send("a", "2", Guarantee::kAtLeastOnce);
  expires_at = now + seconds{60};
  send("a", "3", Guarantee::kAtLeastOnce);
  pass(seconds{5});
  EXPECT_EQ(queue(one).waiting(), 3u);  // 1 is over
  pass(seconds{20});
  EXPECT_EQ(queue(one).waiting(), 3u);  // the first may wait for ever
  core.credit(one, 10);
  core.set_open(one, true);
  EXPECT_EQ(outlet.take(1), "at most once/0 ");
  EXPECT_EQ(counters().expired, 3u);
  // The message itself is nobody's to change.
  core.set_open(one, false);
  expires_at = kNever;
  send("a", "4", Guarantee::kAtLeastOnce);
  core.set_open(one, true);
  EXPECT_EQ(outlet.expiries.back(), kNever);
}

TEST_F(PoliciesTest, AGroupsMessagesEndToo) {
  const std::string_view name = "$share/g/a";
  const SubscriberIndex member = attach("m", 1, true, 60);
  const Core::Member entered = core.enter_group(member, name, {});
  const Core::Group group = core.join_group(name, entered.ref, true);
  expires_at = now + seconds{5};
  send("a", "1", Guarantee::kAtLeastOnce);
  expires_at = kNever;
  send("a", "2", Guarantee::kAtLeastOnce);
  EXPECT_EQ(queue(group.key.index).waiting(), 2u);
  pass(seconds{6});
  EXPECT_EQ(queue(group.key.index).waiting(), 1u);
  EXPECT_EQ(counters().expired, 1u);
  core.group_grant(group.key, entered.ref, 4, {});
  EXPECT_THAT(outlet.letters, Contains("to 0:0 2=2"));
  EXPECT_THAT(outlet.letters, Not(Contains("to 0:0 1=1")));
}

// --- after a restart ---

class RestoredTest : public PoliciesTest {
 protected:
  /// A subscriber of an earlier run, with one entry for each position.
  SubscriberIndex restore(std::string_view name, std::span<const Position> positions,
                          model::Tag step = 1) {
    Core::Restored restored{.name = std::string{name}, .kept_as = journal.new_queue()};
    restored.expiry_s = UINT32_MAX;
    model::Tag tag = 1;
    for (const Position position : positions) {
      Queue::Entry entry{.message = Content::at(position),
                         .marks = {.guarantee = Guarantee::kAtLeastOnce, .recovered = true}};
      restored.queue.restore(tag, std::move(entry), 100);
      tag += step;
    }
    restored.queue.restore_next(tag - step + 1);
    return core.restore(std::move(restored));
  }
  Position keep(std::string_view payload, Instant until = kNever) {
    model::Message message{.destination = model::Destination::topic("a"),
                           .payload = as_bytes(payload),
                           .expires_at = until};
    Position position = 0;
    (void)journal.retain(message, position);
    return position;
  }
};

TEST_F(RestoredTest, MessagesAreReadToKnowWhenTheyAreOver) {
  const std::array<Position, 4> positions{keep("1", now + seconds{5}), keep("2"),
                                          keep("3", now + seconds{5}), keep("4")};
  const SubscriberIndex one = restore("one", positions);
  pass(seconds{6});
  EXPECT_EQ(queue(one).waiting(), 3u);
  EXPECT_EQ(queue(one).bytes_in_memory(), 0u);
  EXPECT_EQ(counters().expired, 1u);
  EXPECT_EQ(journal.places(), 3u);
  EXPECT_EQ(fetch("one"), "2/1 4/1 ");  // the sessions look at what is read while it is taken
}

TEST_F(RestoredTest, DamagedOnesAreOver) {
  const std::array<Position, 2> positions{keep("1"), keep("2", now + seconds{5})};
  journal.damage(positions[0]);
  const SubscriberIndex one = restore("one", positions);
  pass(seconds{1});
  EXPECT_EQ(queue(one).waiting(), 1u);
  EXPECT_EQ(counters().damaged, 1u);
  EXPECT_EQ(journal.places(), 1u);
  pass(seconds{5});
  EXPECT_EQ(queue(one).waiting(), 0u);
}

TEST_F(RestoredTest, WhatCannotBeReadIsReadLater) {
  const std::array<Position, 1> positions{keep("1", now + seconds{1})};
  const SubscriberIndex one = restore("one", positions);
  journal.readable = false;
  pass(seconds{2});
  EXPECT_EQ(queue(one).waiting(), 1u);
  journal.readable = true;
  pass(seconds{2});
  EXPECT_EQ(queue(one).waiting(), 0u);
}

TEST_F(RestoredTest, TheLongestWaitBeginsAnew) {
  limits.queue_ttl = seconds{10};
  const std::array<Position, 2> positions{keep("1"), keep("2")};
  core.set_time(now);
  const SubscriberIndex one = restore("one", positions);
  pass(seconds{9});
  EXPECT_EQ(queue(one).waiting(), 2u);
  pass(seconds{2});
  EXPECT_EQ(queue(one).waiting(), 0u);
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(RestoredTest, ATurnDoesOnlySoMuch) {
  constexpr std::size_t kQueues = 500;
  for (std::size_t i = 0; i < kQueues; ++i) {
    const std::array<Position, 1> positions{keep("x", now + seconds{1})};
    (void)restore(std::to_string(i), positions);
  }
  now += seconds{2};
  while (core.next_message_expiry() <= now) {
    const std::uint64_t before = counters().expired;
    core.expire_messages(now);
    ASSERT_LE(counters().expired - before, 64u);
    ASSERT_GT(counters().expired, before);
  }
  EXPECT_EQ(counters().expired, kQueues);
  EXPECT_EQ(journal.places(), 0u);
}

// Far between: tags that were settled cost no memory after a restart either.
TEST_F(RestoredTest, AGapOfTagsCostsNothing) {
  constexpr model::Tag kFar = 1'000'000'000'000;
  const std::array<Position, 2> positions{keep("1"), keep("2")};
  const SubscriberIndex one = restore("one", positions, kFar);
  EXPECT_EQ(queue(one).head_tag(), 1u);
  EXPECT_NE(queue(one).find(1 + kFar), nullptr);
  EXPECT_EQ(queue(one).find(kFar), nullptr);
  EXPECT_EQ(fetch("one", 1), "1/1 ");
  EXPECT_EQ(fetch("one", 1), "2/1 ");
}

// --- the table of queues that are watched ---

TEST_F(PoliciesTest, WatchesAreBounded) {
  const SubscriberIndex one = attach("", 1, true, 0, 1'000'000);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  for (int i = 0; i < 2'000; ++i) {  // each is over earlier than the one before
    expires_at = now + seconds{10'000 - i};
    core.set_open(one, false);
    send("a", "x", Guarantee::kAtLeastOnce);
    core.set_open(one, true);
    core.settle(one, 0, UINT64_MAX, model::Outcome::kAccept, 1);
    ASSERT_LE(core.watches(), 66u);
  }
  EXPECT_EQ(counters().delivered, 2'000u);
}

// --- R7 ---

TEST_F(PoliciesTest, R7_WhoReadsSlowlyHasABoundedQueueAndExactCounters) {
  for (const Overflow overflow : {Overflow::kDropTail, Overflow::kDropHead}) {
    limits.queue_overflow = overflow;
    limits.queue_messages_max = 50;
    limits.queue_bytes_max = 100'000;
    const RouterCounters before = counters();
    const SubscriberIndex slow = attach("", 1, true, 0, 1);
    const SubscriberIndex quick = attach("", 2, true, 0, 1'000'000);
    subscribe(slow, "a", Guarantee::kAtLeastOnce);
    subscribe(quick, "a", Guarantee::kAtLeastOnce);
    constexpr std::uint64_t kMessages = 5'000;
    outlet.tags.clear();
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      send("a", std::string(1 + i % 4'000, 'x'), Guarantee::kAtLeastOnce);
      ASSERT_LE(queue(slow).waiting(), 50u);
      ASSERT_LE(queue(slow).bytes(), 100'000u + 4'000u);
      if (i % 100 != 0) continue;
      const model::Tag tag = outlet.tags[1].back();
      core.settle(slow, tag, tag, model::Outcome::kAccept, 1);
    }
    EXPECT_EQ(outlet.tags[2].size(), kMessages);
    const std::uint64_t dropped = counters().dropped_full() - before.dropped_full();
    EXPECT_EQ(outlet.tags[1].size() + queue(slow).waiting() + dropped, kMessages);
    EXPECT_EQ(counters().dropped_head > before.dropped_head, overflow == Overflow::kDropHead);
    core.detach(slow, {}, true, now);
    core.detach(quick, {}, true, now);
    outlet.sequences.clear();
  }
}

}  // namespace
}  // namespace hermod::core
