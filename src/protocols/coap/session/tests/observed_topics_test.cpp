// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/observed_topics.hpp"

#include <gtest/gtest.h>

namespace hermod::coap::test {
namespace {

TEST(ObservedTopics, KnowsWhoObservesWhat) {
  ObservedTopics list{nullptr};
  list.add(1, "x");
  list.add(5, "x");
  list.add(3, "y");
  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ(list.find("x"), list[1].topic);
  EXPECT_EQ(list.find("z"), 0u);
  EXPECT_TRUE(list.holds(3));
  EXPECT_FALSE(list.holds(2));
  EXPECT_FALSE(list.holds(6));
  const ObservedTopic& x = list.topic(list[1].topic);
  EXPECT_EQ(x.observers, 2u);
  EXPECT_EQ(x.first, 5u);
  EXPECT_EQ(list[5].next_of_topic, 1u);
  list.remove(1);
  EXPECT_EQ(x.observers, 1u);
  EXPECT_EQ(list[5].next_of_topic, 0u);
}

TEST(ObservedTopics, ForgetsATopicWithItsLastObserverAndUnsubscribe) {
  ObservedTopics list{nullptr};
  list.add(1, "x");
  list.add(2, "x");
  const TopicId topic = list[1].topic;
  list.remove(1);
  list.release(topic);
  EXPECT_EQ(list.find("x"), topic);
  list.remove(2);
  list.topic(topic).unsubscribes_pending = 1;
  list.release(topic);
  EXPECT_TRUE(list.has(topic));
  list.topic(topic).unsubscribes_pending = 0;
  list.release(topic);
  EXPECT_FALSE(list.has(topic));
  EXPECT_EQ(list.size(), 0u);
  EXPECT_EQ(list.add(2, "z").topic, topic);  // places are used again
}

TEST(ObservedTopics, TellsSubscribesApart) {
  ObservedTopics list{nullptr};
  const TopicId topic = list.add(1, "x").topic;
  const std::uint32_t first = list.ask(topic);
  EXPECT_NE(list.current(topic, first), nullptr);
  const std::uint32_t second = list.ask(topic);
  EXPECT_EQ(list.current(topic, first), nullptr);
  EXPECT_NE(list.current(topic, second), nullptr);
  EXPECT_EQ(list.current(topic + 1, second), nullptr);
}

}  // namespace
}  // namespace hermod::coap::test
