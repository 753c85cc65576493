// SPDX-License-Identifier: Apache-2.0
// From SUBSCRIBE to the last retained value, step by step: one, two and three cores whose letters
// arrive when the test says so.
#include "hermod/broker/subscribing.hpp"

#include "desks.hpp"

namespace hermod::broker {
namespace {

// --- one core: all steps happen at once ---

TEST(SubscribingAlone, TheAnswerComesBeforeTheValues) {
  Desks desks{1};
  desks[0].publish("a/1", "x");
  desks[0].publish("a/2", "y");
  desks[0].publish("b/1", "z");
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "a/+", 7);
  EXPECT_EQ(desks[0].take(kMe), "#7 a/1=xr a/2=yr");
  EXPECT_EQ(desks.pending(), 0u);
  EXPECT_FALSE(desks[0].core.subscriber(me).reading);
}

TEST(SubscribingAlone, WithoutRetainedThereIsTheAnswerOnly) {
  Desks desks{1};
  desks[0].publish("a/1", "x");
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "a/+", 7, false);
  desks[0].publish("a/1", "live");
  EXPECT_EQ(desks[0].take(kMe), "#7 a/1=live");
  EXPECT_EQ(desks.pending(), 0u);
}

TEST(SubscribingAlone, AnExactFilterReadsOneValue) {
  Desks desks{1};
  desks[0].publish("a", "x");
  desks[0].publish("a/1", "y");
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "a", 7);
  EXPECT_EQ(desks[0].take(kMe), "#7 a=xr");
}

// [MQTT-3.8.4-3]: the same filter again sends the retained values again.
TEST(SubscribingAlone, TheSameFilterAgainReadsAgain) {
  Desks desks{1};
  desks[0].publish("a", "x");
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "a", 7);
  desks[0].subscribe(me, "a", 8);
  EXPECT_EQ(desks[0].take(kMe), "#7 a=xr #8 a=xr");
}

// --- two cores: interest, stamp, acknowledgement, pages ---

TEST(SubscribingAcross, EachStepWaitsForTheOneBefore) {
  Desks desks{2};
  const std::string there = desks.topic_of(1, "t");
  desks[1].publish(there, "x");
  const SubscriberIndex me = desks[0].attach(kMe);

  desks[0].subscribe(me, "t/+", 7);
  EXPECT_EQ(desks[0].take(kMe), "");  // the other core does not know
  EXPECT_EQ(desks[0].subscribing.pending(), 1u);
  desks[1].read(0);
  EXPECT_EQ(desks[0].take(kMe), "");  // its stamp is on the way
  desks[0].read(1);
  EXPECT_EQ(desks[0].take(kMe), "#7");  // and the question leaves
  EXPECT_EQ(desks[1].questions(), 0u);
  desks[1].read(0);
  EXPECT_EQ(desks[1].questions(), 1u);
  desks[1].reply();
  EXPECT_EQ(desks[0].take(kMe), "");
  EXPECT_EQ(desks[0].subscribing.pending(), 1u);
  desks[0].read(1);
  EXPECT_EQ(desks[0].take(kMe), there + "=xr");
  EXPECT_EQ(desks.pending(), 0u);
}

TEST(SubscribingAcross, AnExactFilterAsksTheOwnerAlone) {
  for (const std::uint16_t owner : Cores{0, 1, 2}) {
    Desks desks{3};
    const std::string topic = desks.topic_of(owner, "t");
    desks[owner].publish(topic, "x");
    const SubscriberIndex me = desks[0].attach(kMe);
    desks[0].subscribe(me, topic, 7);
    desks[1].read(0);
    desks[2].read(0);
    desks[0].read_all();
    for (const std::uint16_t asked : Cores{1, 2}) {
      desks[asked].read(0);
      EXPECT_EQ(desks[asked].questions(), asked == owner ? 1u : 0u);
    }
    desks.settle();
    EXPECT_EQ(desks[0].take(kMe), "#7 " + topic + "=xr");
    EXPECT_EQ(desks.pending(), 0u);
  }
}

TEST(SubscribingAcross, WithoutRetainedNobodyIsAsked) {
  Desks desks{2};
  desks[1].publish(desks.topic_of(1, "t"), "x");
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "t/+", 7, false);
  desks.settle();
  EXPECT_EQ(desks[0].take(kMe), "#7");
  EXPECT_EQ(desks[0].pages, 0u);
  EXPECT_EQ(desks.pending(), 0u);
}

// The last of all stamps brings the answer, whichever it is.
TEST(SubscribingAcross, ThreeCoresAnswerInAnyOrder) {
  for (const std::uint16_t first : Cores{1, 2}) {
    Desks desks{3};
    std::string values;
    for (const std::uint16_t owner : Cores{0, 1, 2}) {
      const std::string topic = desks.topic_of(owner, "t");
      desks[owner].publish(topic, "x");
      values += ' ' + topic + "=xr";
    }
    const SubscriberIndex me = desks[0].attach(kMe);
    desks[0].subscribe(me, "#", 7);
    const auto second = static_cast<std::uint16_t>(3 - first);
    desks[first].read(0);
    desks[0].read(first);
    EXPECT_EQ(desks[0].take(kMe), "");
    desks[second].read(0);
    desks[0].read(second);
    desks.settle();
    EXPECT_EQ(desks[0].take(kMe), "#7" + values);  // core by core
    EXPECT_EQ(desks.pending(), 0u);
  }
}

TEST(SubscribingAcross, AnswersComeInTheOrderOfTheRequests) {
  Desks desks{3};
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "a/#", 7);
  desks[2].read(0);
  desks[0].subscribe(me, "b/#", 8);
  desks[2].read(0);
  desks[0].read(2);
  desks[1].read(0);  // both at once
  desks[0].read(1);
  EXPECT_EQ(desks[0].take(kMe), "#7 #8");
  desks.settle();
  EXPECT_EQ(desks.pending(), 0u);
}

// One after the other, so that never more than a page is on its way to one queue.
TEST(SubscribingAcross, TheSecondFilterIsReadAfterTheFirst) {
  Desks desks{2};
  const std::string a = desks.topic_of(1, "a");
  const std::string b = desks.topic_of(1, "b");
  desks[1].publish(a, "x");
  desks[1].publish(b, "y");
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "a/#", 7);
  desks[0].subscribe(me, "b/#", 8);
  desks[1].read(0);
  desks[0].read(1);
  desks[1].read(0);
  EXPECT_EQ(desks[1].questions(), 1u);
  desks.settle();
  EXPECT_EQ(desks[0].take(kMe), "#7 #8 " + a + "=xr " + b + "=yr");
}

TEST(SubscribingAcross, TwoSubscribersAreReadSideBySide) {
  Desks desks{2};
  const std::string topic = desks.topic_of(1, "t");
  desks[1].publish(topic, "x");
  const SubscriberIndex me = desks[0].attach(kMe);
  const SubscriberIndex other = desks[0].attach(kOther);
  desks[0].subscribe(me, topic, 7);
  desks[0].subscribe(other, "t/#", 8);
  desks[1].read(0);
  desks[0].read(1);
  desks[1].read(0);
  EXPECT_EQ(desks[1].questions(), 2u);
  desks.settle();
  EXPECT_EQ(desks[0].take(kMe), "#7 " + topic + "=xr");
  EXPECT_EQ(desks[0].take(kOther), "#8 " + topic + "=xr");
}

// --- ends in the middle ---

// Goes so many steps towards the page and then does `act`; whatever arrives later changes nothing.
template <typename Act>
std::string interrupted_after(int steps, Act&& act) {
  Desks desks{2};
  desks[1].publish(desks.topic_of(1, "t"), "x");
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "t/+", 7);
  if (steps > 0) desks[1].read(0);  // the interest
  if (steps > 1) desks[0].read(1);  // the stamp; the question leaves
  if (steps > 2) desks[1].read(0);  // the question
  if (steps > 3) desks[1].reply();  // the page leaves
  act(desks, me);
  desks.settle();
  EXPECT_EQ(desks.pending(), 0u) << "after " << steps;
  for (const std::uint16_t from : Cores{0, 1}) {
    EXPECT_EQ(desks.room.between(from, 1 - from).letters(), 0u);
  }
  return desks[0].take(kMe);
}

TEST(SubscribingEnds, UnsubscribedValuesAreNotSent) {  // [MQTT-3.10.4-2]
  for (int steps = 0; steps < 5; ++steps) {
    const std::string got = interrupted_after(
        steps, [](Desks& desks, SubscriberIndex me) { desks[0].unsubscribe(me, "t/+"); });
    EXPECT_EQ(got, "#7") << "after " << steps;  // SUBSCRIBE is answered all the same
  }
}

TEST(SubscribingEnds, NothingIsLeftOfADisconnectedOne) {
  for (int steps = 0; steps < 5; ++steps) {
    const std::string got =
        interrupted_after(steps, [](Desks& desks, SubscriberIndex me) { desks[0].leave(me); });
    EXPECT_EQ(got, steps < 2 ? "" : "#7") << "after " << steps;
  }
}

// The letters of the one that has gone must not be taken for those of its successor.
TEST(SubscribingEnds, ItsPlaceIsTakenByAnother) {
  for (int steps = 0; steps < 5; ++steps) {
    const std::string got = interrupted_after(steps, [](Desks& desks, SubscriberIndex me) {
      desks[0].leave(me);
      const SubscriberIndex next = desks[0].attach(kMe);
      EXPECT_EQ(next, me);
      desks[0].subscribe(next, "t/+", 9);
    });
    EXPECT_EQ(got.substr(0, got.find('=')),
              (steps < 2 ? "#9 " : "#7 #9 ") + Desks{2}.topic_of(1, "t"));
  }
}

TEST(SubscribingEnds, UnsubscribedAndSubscribedAgainReadsOnce) {
  for (int steps = 0; steps < 5; ++steps) {
    const std::string got = interrupted_after(steps, [](Desks& desks, SubscriberIndex me) {
      desks[0].unsubscribe(me, "t/+");
      desks[0].subscribe(me, "t/+", 8);
    });
    EXPECT_EQ(got, "#7 #8 " + Desks{2}.topic_of(1, "t") + "=xr") << "after " << steps;
  }
}

TEST(SubscribingEnds, SubscribedAgainMeanwhileReadsTwice) {
  for (int steps = 0; steps < 5; ++steps) {
    const std::string got = interrupted_after(
        steps, [](Desks& desks, SubscriberIndex me) { desks[0].subscribe(me, "t/+", 8); });
    const std::string value = Desks{2}.topic_of(1, "t") + "=xr";
    EXPECT_EQ(std::ranges::count(got, '='), 2) << got;
    EXPECT_NE(got.find("#7"), std::string::npos);
    EXPECT_TRUE(got.find("#8") < got.rfind(value)) << got;  // acknowledged before its values
  }
}

// The other filter goes on where the withdrawn one stood in its way.
TEST(SubscribingEnds, AnotherFilterGoesOn) {
  for (int steps = 0; steps < 5; ++steps) {
    Desks desks{2};
    const std::string mine = desks.topic_of(1, "u");
    desks[1].publish(mine, "y");
    desks[1].publish(desks.topic_of(1, "t"), "x");
    const SubscriberIndex me = desks[0].attach(kMe);
    desks[0].subscribe(me, "t/+", 7);
    desks[0].subscribe(me, "u/+", 8);
    if (steps > 0) desks[1].read(0);
    if (steps > 1) desks[0].read(1);
    if (steps > 2) desks[1].read(0);
    if (steps > 3) desks[1].reply();
    desks[0].unsubscribe(me, "t/+");
    desks.settle();
    EXPECT_EQ(desks[0].take(kMe), "#7 #8 " + mine + "=yr") << "after " << steps;
    EXPECT_EQ(desks.pending(), 0u);
  }
}

TEST(SubscribingEnds, InterestIsTakenBackWithTheLastSubscriber) {
  Desks desks{2};
  const SubscriberIndex me = desks[0].attach(kMe);
  const SubscriberIndex other = desks[0].attach(kOther);
  desks[0].subscribe(me, "t/+", 7);
  desks[0].subscribe(other, "t/+", 8);
  desks.settle();
  desks[0].unsubscribe(me, "t/+");
  desks.settle();
  desks[1].publish("t/1", "a", false);
  EXPECT_EQ(desks.room.between(1, 0).letters(), 1u);
  desks.settle();
  desks[0].leave(other);
  desks.settle();
  desks[1].publish("t/1", "b", false);
  EXPECT_EQ(desks.room.between(1, 0).letters(), 0u);
  EXPECT_EQ(desks[0].take(kOther), "#8 t/1=a");
}

}  // namespace
}  // namespace hermod::broker
