// SPDX-License-Identifier: Apache-2.0
#include "../flow_plan.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace hermod::load {
namespace {

std::vector<std::string> all(const FilterSet& filters) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < filters.count; ++i) names.push_back(filters.name(i));
  return names;
}

// The topics that a publisher writes into its packets, one round of them.
std::vector<std::string> round_of(const TopicCycle& topics) {
  if (topics.count == 1) return {topics.first};
  std::vector<std::string> round;
  TopicNumber number(topics.count);
  std::string topic = topics.first;
  for (std::uint32_t i = 0; i < topics.count; ++i) {
    number.write_and_advance(
        reinterpret_cast<std::uint8_t*>(&topic[topic.size() - TopicCycle::kDigits]));
    round.push_back(topic);
  }
  return round;
}

TEST(FlowPlan, GivesEachPublisherATopic) {
  const Options fan = *resolve({.scenario = Scenario::kFanIn, .publishers = 3});
  const FlowPlan plan(fan, "r");
  EXPECT_FALSE(plan.paired());
  EXPECT_EQ(round_of(plan.topics(2)), std::vector<std::string>{"hb/r/2"});
  EXPECT_EQ(all(plan.filters(0)), std::vector<std::string>{"hb/r/+"});

  const Options pairs = *resolve({.scenario = Scenario::kPairs, .publishers = 3});
  const FlowPlan paired(pairs, "r");
  EXPECT_TRUE(paired.paired());
  EXPECT_EQ(all(paired.filters(2)), round_of(paired.topics(2)));
}

TEST(FlowPlan, DealsTopicsOutToThePublishers) {
  for (const unsigned topics : {1u, 2u, 3u, 7u, 12u}) {
    const Options options =
        *resolve({.scenario = Scenario::kFanIn, .publishers = 3, .topics = topics, .exact = true});
    const FlowPlan plan(options, "r");
    std::set<std::string> published;
    for (unsigned p = 0; p < 3; ++p) {
      for (const std::string& topic : round_of(plan.topics(p))) published.insert(topic);
    }
    const auto subscribed = all(plan.filters(0));
    EXPECT_EQ(published.size(), topics);
    EXPECT_EQ(subscribed.size(), topics);
    EXPECT_EQ(std::set(subscribed.begin(), subscribed.end()), published);
  }
}

TEST(FlowPlan, DealsSubscribersOutToGroups) {
  const Options options = *resolve({.scenario = Scenario::kFanIn, .subscribers = 5, .groups = 2});
  const FlowPlan plan(options, "r");
  EXPECT_EQ(plan.receivers(), 2u);
  EXPECT_EQ(plan.receiver_of(3), 1u);
  EXPECT_EQ(all(plan.filters(3)), std::vector<std::string>{"$share/g1/hb/r/+"});
}

TEST(FlowPlan, PairsShareNoTopic) {
  Options options =
      *resolve({.scenario = Scenario::kPairs, .publishers = 3, .topics = 8, .exact = true});
  const FlowPlan plan(options, "r");
  std::set<std::string> topics;
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(all(plan.filters(i)), round_of(plan.topics(i)));
    for (const std::string& topic : all(plan.filters(i))) topics.insert(topic);
  }
  EXPECT_EQ(topics.size(), 8u);
  options.exact = false;
  EXPECT_EQ(all(plan.filters(1)), std::vector<std::string>{"hb/r/0001/+"});
}

TEST(TopicNumber, CountsInDecimalAndBeginsAgain) {
  TopicNumber number(1002);
  std::string digits(TopicCycle::kDigits, ' ');
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1002; ++i) {
      number.write_and_advance(reinterpret_cast<std::uint8_t*>(digits.data()));
      ASSERT_EQ(std::stoi(digits), i);
    }
  }
}

}  // namespace
}  // namespace hermod::load
