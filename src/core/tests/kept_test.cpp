// SPDX-License-Identifier: Apache-2.0
// What a core tells a journal that keeps things, and what it makes of what it reads there.
#include <gmock/gmock.h>

#include "core_fixture.hpp"

namespace hermod::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KeptTest : public CoreFixture {
 protected:
  /// A lasting subscriber of "a" that is away.
  SubscriberIndex away(std::string_view name = "one") {
    const SubscriberIndex index = attach(name, 1, true, 60);
    subscribe(index, "a");
    core.detach(index, {}, true, now);
    core.hear_journal();
    (void)journal.take_lines();
    return index;
  }
  void send_all(std::string_view payloads, Guarantee guarantee = Guarantee::kAtLeastOnce) {
    for (std::size_t i = 0; i < payloads.size(); ++i) send("a", payloads.substr(i, 1), guarantee);
  }
  [[nodiscard]] Queue& queue(SubscriberIndex index) { return core.subscriber(index).queue; }
};

TEST_F(KeptTest, LastingSubscribersAreKeptFromAttachToEnd) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a/+");
  attach("passing", 2);
  EXPECT_EQ(core.unsubscribe(one, "a/+"), model::Reason::kOk);
  core.detach(one, {}, true, now);
  EXPECT_THAT(journal.take_lines(),
              ElementsAre("keep 1=one", "subscribe 1 a/+", "unsubscribe 1 a/+", "keep 1=one away"));
  attach("one", 3, true, 60);  // a clean start: another queue
  EXPECT_THAT(journal.take_lines(), ElementsAre("forget 1", "keep 2=one"));
}

TEST_F(KeptTest, AWillIsKeptUntilItIsPublished) {
  const Core::Attached one =
      core.attach("one", 1, true, 60, {.message = will_of("w", "x"), .delay_s = 5}, now);
  core.detach(one.subscriber, {}, false, now);
  EXPECT_THAT(journal.take_lines(), ElementsAre("keep 1=one will", "keep 1=one away will"));
  const SubscriberIndex reader = attach("reader", 2, true, 60);
  subscribe(reader, "w");
  (void)journal.take_lines();
  journal.hold(true);
  core.expire(now + std::chrono::seconds{6});
  EXPECT_THAT(journal.take_lines(), ElementsAre("append x for 2@1"));
  core.hear_journal();  // should it be lost, the will is still there
  EXPECT_THAT(journal.take_lines(), IsEmpty());
  EXPECT_THAT(core.take_wills(), ElementsAre(exchange_of(1, kWillExchange)));
  EXPECT_THAT(core.take_wills(), IsEmpty());
  core.complete_exchange(exchange_of(1, kWillExchange));
  EXPECT_THAT(journal.take_lines(), ElementsAre("keep 1=one away", "close 1#0"));
}

TEST_F(KeptTest, ASessionThatEndsWithItsWillIsForgottenWhenThatIsSafe) {
  const Core::Attached one =
      core.attach("one", 1, true, 3, {.message = will_of("w", "x"), .delay_s = 5}, now);
  core.detach(one.subscriber, {}, false, now);
  const SubscriberIndex reader = attach("reader", 2, true, 60);
  subscribe(reader, "w");
  (void)journal.take_lines();
  core.expire(now + std::chrono::seconds{4});  // MQTT 5 §3.1.3.2.2
  EXPECT_THAT(journal.take_lines(), ElementsAre("append x for 2@1"));
  EXPECT_EQ(core.find("one"), Subscribers::kNone);
  const std::uint64_t name = exchange_of(1, kWillExchange);
  EXPECT_THAT(core.take_wills(), ElementsAre(name));
  core.complete_exchange(name);
  EXPECT_THAT(journal.take_lines(), ElementsAre("forget 1"));
}

TEST_F(KeptTest, WhatWaitsForWhoIsAwayLeavesMemoryOnceItIsCommitted) {
  const SubscriberIndex one = away();
  journal.hold(true);
  send_all("12");
  core.hear_journal();
  EXPECT_GT(queue(one).bytes_in_memory(), 0u);
  const std::size_t bytes = queue(one).bytes();
  journal.let_commit();
  core.hear_journal();
  EXPECT_EQ(queue(one).bytes_in_memory(), 0u);
  EXPECT_GE(queue(one).bytes(), bytes - bytes / 8);  // and yet it counts
  attach("one", 2, false, 60);
  EXPECT_EQ(outlet.take(2), "1/1 2/1 ");
  core.settle(one, 1, 2, model::Outcome::kAccept, 2);
  EXPECT_EQ(journal.places(), 0u);
  EXPECT_EQ(queue(one).bytes(), 0u);
}

TEST_F(KeptTest, ExactlyOnceIsDeliveredWhenItIsCommitted) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a");
  journal.hold(true);
  send_all("1", Guarantee::kExactlyOnce);
  send_all("2", Guarantee::kAtLeastOnce);  // behind it
  EXPECT_EQ(outlet.take(1), "");
  EXPECT_TRUE(core.waits_for_commit());
  journal.let_commit();
  core.hear_journal();
  EXPECT_EQ(outlet.take(1), "1/2 2/1 ");
  EXPECT_FALSE(core.waits_for_commit());
}

TEST_F(KeptTest, AReleasedEntryHoldsItsPlaceUntilItIsSettled) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a");
  send_all("12", Guarantee::kExactlyOnce);
  core.hear_journal();
  EXPECT_EQ(outlet.take(1), "1/2 2/2 ");
  (void)journal.take_lines();
  core.release(one, 1);
  core.release(one, 1);  // once is enough
  EXPECT_THAT(journal.take_lines(), ElementsAre("release 1@1"));
  model::Inflight inflight;
  inflight.release(*inflight.find(inflight.take_for(1, Guarantee::kExactlyOnce)));
  core.detach(one, std::move(inflight), true, now);
  core.hear_journal();
  attach("one", 2, false, 60);
  EXPECT_EQ(outlet.take(2), "2/2d ");  // what is released is not sent again
  core.settle(one, 1, 1, model::Outcome::kAccept, 1);
  core.settle(one, 2, 2, model::Outcome::kAccept, 1);
  EXPECT_EQ(journal.places(), 0u);
  EXPECT_TRUE(queue(one).empty());
}

// A released entry may be settled before what stands in front of it has been sent again.
TEST_F(KeptTest, AReleasedEntryIsSettledOutOfTurn) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a");
  send_all("12", Guarantee::kExactlyOnce);
  core.hear_journal();
  core.release(one, 2);
  core.detach(one, {}, true, now);
  core.attach("one", 2, false, 60, {}, now);  // no credit: nothing is sent
  core.settle(one, 2, 2, model::Outcome::kAccept, 0);
  EXPECT_EQ(queue(one).waiting(), 1u);
  EXPECT_EQ(queue(one).find(2), nullptr);
  core.credit(one, 1);
  EXPECT_EQ(outlet.take(2), "1/2d ");
}

// Nor does who is sent something new at once forget what is released and stands before it.
TEST_F(KeptTest, AReleasedEntryIsCountedUntilItIsSettled) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a");
  send_all("1", Guarantee::kExactlyOnce);
  core.hear_journal();
  core.release(one, 1);
  core.detach(one, {}, true, now);
  attach("one", 2, false, 60);
  send_all("2");
  core.hear_journal();
  EXPECT_EQ(queue(one).unsettled(), 2u);
  core.settle(one, 1, 1, model::Outcome::kAccept, 1);
  core.settle(one, 2, 2, model::Outcome::kAccept, 1);
  EXPECT_EQ(queue(one).unsettled(), 0u);
}

TEST_F(KeptTest, TheStoreKnowsNoTwoOfOneName) {
  const Core::Attached one =
      core.attach("one", 1, true, 3, {.message = will_of("w", "x"), .delay_s = 5}, now);
  core.detach(one.subscriber, {}, false, now);
  core.expire(now + std::chrono::seconds{4});
  (void)journal.take_lines();
  const Core::Attached other =
      core.attach("one", 2, false, 60, {}, now);  // before the will is safe
  EXPECT_FALSE(other.session_present);
  EXPECT_EQ(other.commit, journal.committed() - 1);  // which covers the end of the other
  core.complete_exchange(exchange_of(1, kWillExchange));
  EXPECT_THAT(journal.take_lines(), ElementsAre("forget 1", "keep 2=one"));
}

// Its publisher may not have been told.
TEST_F(KeptTest, WhatWasRefusedHasNotBeenHeard) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  core.note_exchange(one, 7);
  model::Inflight inflight;
  for (const std::uint16_t id : {std::uint16_t{7}, std::uint16_t{8}}) {
    EXPECT_TRUE(inflight.note_incoming(id));
  }
  core.detach(one, std::move(inflight), true, now);
  EXPECT_TRUE(core.subscriber(one).inflight.has_incoming(7));
  EXPECT_FALSE(core.subscriber(one).inflight.has_incoming(8));
  EXPECT_EQ(core.subscriber(one).inflight.incoming(), 1u);
}

// It came again and was refused: some of those who are to get it have not got it yet.
TEST_F(KeptTest, WhatAStopHasCutOffHasNotBeenHeardBeforeItHasComeAgain) {
  core.restore_exchange(exchange_of(5, 7), {5, 6});
  Core::Restored restored{.name = "one", .kept_as = 5, .expiry_s = 60};
  restored.exchanges = {{.packet_id = 7, .queues = {5, 6}}, {.packet_id = 8, .complete = true}};
  const SubscriberIndex one = core.restore(std::move(restored));
  for (const bool comes_again : {false, true}) {
    ASSERT_EQ(attach("one", 1, false, 60), one);
    if (comes_again) core.note_exchange(one, 7);
    model::Inflight inflight;
    for (const std::uint16_t id : {std::uint16_t{7}, std::uint16_t{8}}) {
      EXPECT_TRUE(inflight.note_incoming(id));
    }
    core.detach(one, std::move(inflight), true, now);
    EXPECT_EQ(core.subscriber(one).inflight.has_incoming(7), comes_again);
    EXPECT_TRUE(core.subscriber(one).inflight.has_incoming(8));
  }
}

// The publisher's shard may not have heard yet that the disk is full: it waits for the commit.
TEST_F(KeptTest, AValueOfAnotherShardIsKeptAlsoWithoutRoom) {
  journal.now = Journal::State::kFull;
  core.hear_journal();
  model::Message value{.destination = model::Destination::topic("v"),
                       .payload = as_bytes("1"),
                       .guarantee = Guarantee::kAtLeastOnce,
                       .retain = true};
  value.version = 100;
  core.receive(value, false, true);
  value.guarantee = Guarantee::kAtMostOnce;
  value.version = 200;
  core.receive(value, false, true);
  EXPECT_THAT(journal.take_lines(), ElementsAre("retain v=1"));
}

TEST_F(KeptTest, ADamagedMessageIsSkippedAndCounted) {
  const SubscriberIndex one = away();
  send_all("123");
  core.hear_journal();
  journal.damage(queue(one).find(2)->message.position());
  (void)journal.take_lines();
  attach("one", 2, false, 60);
  EXPECT_EQ(outlet.take(2), "1/1 3/1 ");
  EXPECT_EQ(core.counters().damaged, 1u);
  EXPECT_THAT(journal.take_lines(), ElementsAre("keep 1=one", "settle 1@2-2"));
}

TEST_F(KeptTest, WhatCannotBeReadNowIsReadLater) {
  const SubscriberIndex one = away();
  send_all("12");
  core.hear_journal();
  journal.readable = false;
  attach("one", 2, false, 60);
  EXPECT_EQ(outlet.take(2), "");
  journal.readable = true;
  core.pump(one);
  EXPECT_EQ(outlet.take(2), "1/1 2/1 ");
}

TEST_F(KeptTest, WhatFollowsARefusedMessageOfARunIsWrittenAlone) {
  limits.queue_bytes_max = 2'000;
  const SubscriberIndex one = away();
  const std::string large(1'900, 'x');
  (void)publish("a", "1", Guarantee::kAtLeastOnce);
  (void)publish("a", large, Guarantee::kAtLeastOnce);
  (void)publish("a", "2", Guarantee::kAtLeastOnce);
  core.flush();
  EXPECT_THAT(journal.take_lines(), ElementsAre("append 1 for 1@1", "append 2 for 1@2"));
  EXPECT_EQ(core.counters().dropped_full(), 1u);
  core.hear_journal();
  attach("one", 2, false, 60);
  EXPECT_EQ(outlet.take(2), "1/1 2/1 ");
  core.settle(one, 1, 2, model::Outcome::kAccept, 2);
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(KeptTest, WithoutRoomWhatHasToBeKeptIsRefused) {
  away();
  attach("passing", 2);
  subscribe(core.find("passing"), "b");
  journal.now = Journal::State::kFull;
  core.hear_journal();
  EXPECT_EQ(publish("a", "x", Guarantee::kAtLeastOnce), model::Reason::kNoRoom);
  EXPECT_EQ(publish("b", "1", Guarantee::kAtLeastOnce), model::Reason::kOk);  // nobody lasting
  EXPECT_EQ(publish("a", "x"), model::Reason::kOk);
  EXPECT_EQ(publish("v", "x", Guarantee::kAtLeastOnce, true), model::Reason::kNoRoom);
  EXPECT_EQ(publish("v", "x", Guarantee::kAtMostOnce, true), model::Reason::kOk);
  core.flush();
  EXPECT_EQ(core.retained().find("v", now), nullptr);  // it could not be kept
  EXPECT_EQ(core.own_counters().refused, 2u);
  journal.now = Journal::State::kSealed;
  core.hear_journal();
  EXPECT_EQ(publish("a", "x", Guarantee::kAtLeastOnce), model::Reason::kUnavailable);
  journal.now = Journal::State::kWell;
  core.hear_journal();
  EXPECT_EQ(publish("a", "x", Guarantee::kAtLeastOnce), model::Reason::kOk);
}

TEST_F(KeptTest, ValuesAreKeptAndLetGo) {
  send("v", "1", Guarantee::kAtLeastOnce, true);
  send("v", "2", Guarantee::kAtMostOnce, true);
  EXPECT_EQ(journal.places(), 1u);
  send("v", "", Guarantee::kAtMostOnce, true);
  send("w", "", Guarantee::kAtMostOnce, true);  // there was nothing
  EXPECT_EQ(journal.places(), 0u);
  EXPECT_THAT(journal.take_lines(), ElementsAre("retain v=1", "retain v=2", "retain v="));
}

// A retained value for a new subscription is a delivery like others, with a record of its own.
TEST_F(KeptTest, RetainedDeliveriesAreKeptApartFromTheValue) {
  send("v", "1", Guarantee::kAtLeastOnce, true);
  const SubscriberIndex one = attach("one", 1, true, 60, 0);
  subscribe(one, "v");
  const model::Message value = *core.retained().find("v", now);
  core.deliver_retained(one, value, {.guarantee_max = Guarantee::kAtLeastOnce});
  EXPECT_EQ(journal.places(), 2u);
  core.credit(one, 1);
  core.settle(one, 1, 1, model::Outcome::kAccept, 1);
  EXPECT_EQ(journal.places(), 1u);
}

TEST_F(KeptTest, WhatIsStaleIsWrittenAgainAndReadThere) {
  const SubscriberIndex one = away("one");
  const SubscriberIndex two = away("two");
  send_all("12");
  core.hear_journal();
  const Position before = queue(one).find(1)->message.position();
  ASSERT_EQ(queue(two).find(1)->message.position(), before);
  (void)journal.take_lines();
  journal.stale = {{.position = before, .queue = 1, .tag = 1},
                   {.position = before, .queue = 2, .tag = 1},
                   {.position = before, .queue = 77, .tag = 1}};  // has ended meanwhile
  journal.hold(true);
  core.keep_house();
  EXPECT_THAT(journal.take_lines(), ElementsAre("append 1 for 1@1 2@1"));
  core.hear_journal();
  EXPECT_EQ(queue(one).find(1)->message.position(), before);  // the new place may still be lost
  journal.let_commit();
  core.hear_journal();
  EXPECT_NE(queue(one).find(1)->message.position(), before);
  EXPECT_EQ(queue(two).find(1)->message.position(), queue(one).find(1)->message.position());
  attach("one", 2, false, 60);
  EXPECT_EQ(outlet.take(2), "1/1 2/1 ");
  core.settle(one, 1, 2, model::Outcome::kAccept, 2);
  attach("two", 3, false, 60);
  core.settle(two, 1, 2, model::Outcome::kAccept, 2);
  EXPECT_EQ(journal.places(), 0u);
}

// What goes while it is being written again lets both places go.
TEST_F(KeptTest, WhatIsSettledWhileItMovesIsLetGoTwice) {
  const SubscriberIndex one = away();
  send_all("1");
  send("v", "1", Guarantee::kAtLeastOnce, true);
  core.hear_journal();
  attach("one", 2, false, 60);
  journal.stale = {{.position = queue(one).find(1)->message.position(), .queue = 1, .tag = 1},
                   {.position = core.retained().find_value("v")->get()->position(), .topic = "v"}};
  journal.hold(true);
  core.keep_house();
  core.settle(one, 1, 1, model::Outcome::kAccept, 1);
  send("v", "", Guarantee::kAtLeastOnce, true);
  journal.let_commit();
  core.hear_journal();
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(KeptTest, TheStandingOfAQueueIsWhatIsNotSettled) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a");
  send_all("12345", Guarantee::kExactlyOnce);
  core.hear_journal();
  core.settle(one, 1, 1, model::Outcome::kAccept, 0);
  core.settle(one, 3, 4, model::Outcome::kAccept, 0);
  core.release(one, 2);
  core.note_exchange(one, 9);
  core.note_exchange(one, 10);
  core.close_exchange(one, 9);
  core.complete_exchange(exchange_of(1, 10));
  journal.check_wanted = true;
  core.keep_house();
  EXPECT_FALSE(core.has_house_work());
  ASSERT_EQ(journal.standings.size(), 1u);
  const Standing& standing = journal.standings[0];
  EXPECT_EQ(standing.queue, 1u);
  EXPECT_EQ(standing.floor, 2u);
  EXPECT_EQ(standing.next, 6u);
  EXPECT_THAT(standing.settled, ElementsAre(TagRange{3, 4}));
  EXPECT_THAT(standing.released, ElementsAre(2u));
  EXPECT_THAT(standing.exchanges, ElementsAre(OpenExchange{.packet_id = 10, .complete = true}));
}

// Until then an older record alone says where its message is.
TEST_F(KeptTest, ACheckEndsWhenTheExchangesItFoundUnderWayAreComplete) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  core.note_exchange(one, 7);
  core.note_exchange(one, 8);
  journal.check_wanted = true;
  core.keep_house();
  EXPECT_THAT(journal.standings.at(0).exchanges,
              ElementsAre(OpenExchange{.packet_id = 7}, OpenExchange{.packet_id = 8}));
  core.complete_exchange(exchange_of(1, 7));
  core.note_exchange(one, 9);  // for which no older record is needed
  EXPECT_FALSE(core.has_house_work());
  core.keep_house();
  EXPECT_TRUE(journal.check_wanted);
  EXPECT_EQ(journal.standings.size(), 1u);
  core.close_exchange(one, 8);
  EXPECT_TRUE(core.has_house_work());
  core.keep_house();
  EXPECT_FALSE(journal.check_wanted);
  EXPECT_FALSE(core.has_house_work());
  ASSERT_EQ(journal.standings.size(), 2u);
  EXPECT_THAT(
      journal.standings[1].exchanges,
      ElementsAre(OpenExchange{.packet_id = 7, .complete = true}, OpenExchange{.packet_id = 9}));
}

TEST_F(KeptTest, ACheckWaitsForNoExchangeOfOneThatHasEnded) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  core.note_exchange(one, 7);
  journal.check_wanted = true;
  core.keep_house();
  core.detach(one, {}, true, now);
  attach("one", 2, true, 0);  // a clean start
  EXPECT_TRUE(core.has_house_work());
  core.keep_house();
  EXPECT_FALSE(journal.check_wanted);
}

// Else its record would look like one of the exchange's, whoever subscribes much later.
TEST_F(KeptTest, AValueHasNoPartInTheExchangeThatItCameWith) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  model::Message message{.destination = model::Destination::topic("v"),
                         .payload = as_bytes("1"),
                         .guarantee = Guarantee::kExactlyOnce,
                         .retain = true,
                         .origin = {.exchange = exchange_of(1, 7)}};
  EXPECT_EQ(core.publish(message, now), model::Reason::kOk);
  core.note_exchange(one, 7);
  EXPECT_EQ(core.retained().find_value("v")->get()->message().origin.exchange, 0u);
}

TEST_F(KeptTest, WhereTheMessageOfAnExchangeThatWasCutOffIsStandsInEachCheck) {
  core.restore_exchange(exchange_of(5, 7), {5, 6});
  Core::Restored restored{.name = "one", .kept_as = 5, .expiry_s = 60};
  restored.exchanges = {{.packet_id = 7, .queues = {5, 6}}, {.packet_id = 8, .complete = true}};
  const std::vector<OpenExchange> left = restored.exchanges;
  const SubscriberIndex one = core.restore(std::move(restored));
  journal.check_wanted = true;
  core.keep_house();
  EXPECT_FALSE(journal.check_wanted);
  EXPECT_EQ(journal.standings.at(0).exchanges, left);
  core.note_exchange(one, 7);  // it has come again
  journal.check_wanted = true;
  core.keep_house();
  EXPECT_TRUE(journal.check_wanted);
  EXPECT_EQ(journal.standings.at(1).exchanges, left);
  core.complete_exchange(exchange_of(5, 7));
  core.keep_house();
  EXPECT_TRUE(journal.standings.at(2).exchanges.at(0).complete);
}

TEST_F(KeptTest, NothingIsSaidToAJournalThatKeepsNothing) {
  MemoryJournal none;
  none.now = Journal::State::kNothing;
  Core other{{.hash_key = kHashKey}, limits, none, outlet};
  const Core::Attached one = other.attach("one", 1, true, 60, {}, now);
  EXPECT_EQ(other.subscribe(one.subscriber, "a", {}).reason, model::Reason::kOk);
  model::Message message{.destination = model::Destination::topic("a"),
                         .payload = as_bytes("x"),
                         .guarantee = Guarantee::kExactlyOnce,
                         .retain = true};
  EXPECT_EQ(other.publish(message, now), model::Reason::kOk);
  other.flush();
  EXPECT_THAT(none.take_lines(), IsEmpty());
}

}  // namespace
}  // namespace hermod::core
