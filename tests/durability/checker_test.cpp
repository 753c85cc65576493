// SPDX-License-Identifier: Apache-2.0
// The checker notices each kind of fault, and takes none for a fault that is none.
#include "checker.hpp"

#include <gtest/gtest.h>

namespace hermod::durability {
namespace {

using enum model::Guarantee;

TEST(Payload, IsReadBackAtEverySize) {
  for (const std::size_t size : {24u, 25u, 31u, 32u, 33u, 1'000u, 300'001u}) {
    const Label label{7, 3, size};
    const auto payload = make_payload(label, size);
    EXPECT_EQ(payload.size(), size);
    EXPECT_EQ(read_payload(payload), label);
  }
}

TEST(Payload, AnyWrongOctetIsNoticed) {
  const auto payload = make_payload({1, 2, 3}, 61);
  for (std::size_t at = 0; at < payload.size(); ++at) {
    auto wrong = payload;
    wrong[at] ^= 0x10;
    EXPECT_FALSE(read_payload(wrong)) << at;
    EXPECT_FALSE(read_payload(Bytes(payload).first(at))) << at;
  }
  auto longer = payload;
  longer.push_back(0);
  EXPECT_FALSE(read_payload(longer));
}

/// One publisher with a lane of each guarantee and a value, and one reader of them all.
class CheckerTest : public testing::Test {
 protected:
  LaneId lane(std::uint32_t topic, model::Guarantee guarantee, bool retain = false) {
    return checker.add_lane({.producer = 0,
                             .topic = topic,
                             .name = "d/" + std::to_string(topic),
                             .guarantee = guarantee,
                             .retain = retain});
  }
  void SetUp() override {
    for (const auto guarantee : {kAtMostOnce, kAtLeastOnce, kExactlyOnce}) {
      (void)lane(static_cast<std::uint32_t>(guarantee), guarantee);
    }
    (void)lane(kValue, kAtLeastOnce, true);
    reader = checker.add_reader("r", {{"d/#", kExactlyOnce}});
    checker.subscribed(reader);
  }
  std::uint64_t publish(LaneId lane) {
    const std::uint64_t sequence = checker.begin(lane);
    if (checker.lane(lane).guarantee != kAtMostOnce) checker.acknowledged(lane, sequence);
    return sequence;
  }
  void arrive(LaneId lane, std::uint64_t sequence, bool retained = false) {
    checker.arrived(reader, checker.lane(lane).name, make_payload({0, lane, sequence}, 50),
                    retained);
  }

  static constexpr LaneId k0 = 0, k1 = 1, k2 = 2, kValue = 3;
  Checker checker;
  ReaderId reader = 0;
};

TEST_F(CheckerTest, AGoodRunIsGood) {
  for (const LaneId lane : {k0, k1, k2, kValue}) {
    for (int i = 0; i < 5; ++i) arrive(lane, publish(lane));
  }
  EXPECT_EQ(checker.missing(), 0u);
  EXPECT_EQ(checker.values_missing(), 1u);
  checker.value("d/3", make_payload({0, kValue, 4}, 40));
  EXPECT_EQ(checker.values_missing(), 0u);
  const Report report = checker.judge();
  EXPECT_TRUE(report.good()) << report.faults[0];
  EXPECT_EQ(report.published, 20u);
  EXPECT_EQ(report.acknowledged, 15u);
  EXPECT_EQ(report.delivered, 20u);
  EXPECT_EQ(report.repeated, 0u);
}

TEST_F(CheckerTest, ALossIsNoticedOnceAcknowledged) {
  (void)checker.begin(k1);  // not acknowledged: promises nothing
  (void)publish(k0);
  EXPECT_EQ(checker.missing(), 0u);
  (void)publish(k1);
  (void)publish(k2);
  EXPECT_EQ(checker.missing(), 2u);
  const Report report = checker.judge();
  EXPECT_EQ(report.lost, 2u);
  EXPECT_EQ(report.lost_exactly_once, 1u);
  ASSERT_EQ(report.faults.size(), 2u);
  EXPECT_EQ(checker.so_far().lost, 0u) << "the verdict may be asked for again";
}

TEST_F(CheckerTest, WhatWasPublishedBeforeTheSubscriptionMayBeMissing) {
  const ReaderId later = checker.add_reader("later", {{"d/1", kAtLeastOnce}});
  arrive(k1, publish(k1));
  checker.subscribed(later);
  EXPECT_EQ(checker.missing(), 0u);
  arrive(k1, publish(k1));
  EXPECT_EQ(checker.missing(), 1u);
  checker.subscribed(later);  // again, as after a lost SUBACK or session: no forgiveness
  EXPECT_EQ(checker.missing(), 1u);
}

TEST_F(CheckerTest, AWholeGuaranteeIsTheLowerOfBothSides) {
  const ReaderId low = checker.add_reader("low", {{"d/2", kAtMostOnce}, {"d/1", kAtMostOnce}});
  checker.subscribed(low);
  arrive(k2, publish(k2));
  EXPECT_EQ(checker.missing(), 0u) << "at most once may be lost";
}

TEST_F(CheckerTest, ALossOfWhatWasPublishedAtExactlyOnceIsTold) {
  const ReaderId low = checker.add_reader("low", {{"d/2", kAtLeastOnce}, {"d/1", kAtLeastOnce}});
  checker.subscribed(low);
  arrive(k2, publish(k2));
  arrive(k1, publish(k1));
  EXPECT_EQ(checker.judge().lost, 2u);
  EXPECT_EQ(checker.judge().lost_exactly_once, 1u);
}

TEST_F(CheckerTest, OverlappingFiltersHaveTheHighestGuarantee) {
  const ReaderId both =
      checker.add_reader("both", {{"d/2", kAtMostOnce}, {"d/+", kExactlyOnce}, {"#", kAtMostOnce}});
  checker.subscribed(both);
  arrive(k2, publish(k2));
  EXPECT_EQ(checker.missing(), 1u);
}

TEST_F(CheckerTest, ADuplicateIsNoticedAtExactlyOnceAndAtMostOnce) {
  for (const LaneId lane : {k0, k2}) {
    const std::uint64_t sequence = publish(lane);
    arrive(lane, sequence);
    arrive(lane, sequence);
  }
  EXPECT_EQ(checker.judge().duplicated, 2u);
  EXPECT_EQ(checker.judge().duplicated_exactly_once, 1u);
  EXPECT_EQ(checker.judge().repeated, 0u);
}

TEST_F(CheckerTest, ADuplicateOfWhatWasNeverAcknowledgedIsOne) {
  const std::uint64_t sequence = checker.begin(k2);
  arrive(k2, sequence);
  arrive(k2, sequence);
  EXPECT_EQ(checker.judge().duplicated, 1u);
}

TEST_F(CheckerTest, ARepetitionIsAllowedAtLeastOnceAndAfterALostSession) {
  const std::uint64_t once = publish(k1);
  (void)publish(k1);
  arrive(k1, once);
  arrive(k1, once + 1);
  arrive(k1, once);  // no reordering either
  const std::uint64_t renewed = checker.begin(k2);
  checker.renewed(k2, renewed);
  checker.acknowledged(k2, renewed);
  arrive(k2, renewed);
  arrive(k2, renewed);
  const Report report = checker.judge();
  EXPECT_TRUE(report.good()) << report.faults[0];
  EXPECT_EQ(report.repeated, 2u);
}

TEST_F(CheckerTest, AWrongOrderIsNoticed) {
  for (const LaneId lane : {k1, k2}) {
    (void)publish(lane);
    (void)publish(lane);
    arrive(lane, 1);
    arrive(lane, 0);
  }
  EXPECT_EQ(checker.judge().reordered, 2u);
  EXPECT_EQ(checker.judge().lost, 0u);
}

TEST_F(CheckerTest, CorruptionIsNoticed) {
  const std::uint64_t sequence = publish(k1);
  auto payload = make_payload({0, k1, sequence}, 50);
  checker.arrived(reader, "d/2", payload, false);    // another's topic
  checker.arrived(reader, "d/1/x", payload, false);  // nobody's topic
  payload[40] ^= 1;
  checker.arrived(reader, "d/1", payload, false);  // a wrong octet
  checker.arrived(reader, "d/1", {}, false);       // nothing
  arrive(k1, sequence + 1);                        // not sent yet
  arrive(kValue, 0, true);                         // nor this value
  EXPECT_EQ(checker.judge().corrupted, 6u);
  EXPECT_EQ(checker.judge().lost, 1u);
}

TEST_F(CheckerTest, WhatNobodyAskedForIsNoticed) {
  const ReaderId other = checker.add_reader("other", {{"d/0", kAtMostOnce}});
  checker.subscribed(other);
  checker.arrived(other, "d/1", make_payload({0, k1, publish(k1)}, 50), false);
  EXPECT_EQ(checker.judge().unwanted, 1u);
}

TEST_F(CheckerTest, ValuesAtSubscribeAreNoDeliveries) {
  const std::uint64_t sequence = publish(kValue);
  arrive(kValue, sequence, true);
  EXPECT_EQ(checker.missing(), 1u);
  arrive(kValue, sequence);
  arrive(kValue, sequence, true);
  EXPECT_EQ(checker.missing(), 0u);
  EXPECT_EQ(checker.judge().repeated, 0u);
}

TEST_F(CheckerTest, AValueThatIsLostOrStaleOrCorruptedIsNoticed) {
  arrive(kValue, publish(kValue));
  arrive(kValue, publish(kValue));
  EXPECT_EQ(checker.judge().values_lost, 1u);
  checker.value("d/3", make_payload({0, kValue, 0}, 40));
  EXPECT_EQ(checker.judge().values_lost, 0u);
  EXPECT_EQ(checker.judge().values_stale, 1u);
  checker.value("d/3", make_payload({0, kValue, 2}, 40));  // never sent
  checker.value("d/1", make_payload({0, k1, 0}, 40));      // not a value
  EXPECT_EQ(checker.judge().corrupted, 2u);
  (void)checker.begin(kValue);
  checker.value("d/3", make_payload({0, kValue, 2}, 40));  // later than acknowledged
  EXPECT_EQ(checker.judge().values_stale, 0u);
}

// Its members are one reader: nothing is lost, and nothing exactly once comes to two of them.
TEST_F(CheckerTest, AGroupIsPromisedNoOrder) {
  const ReaderId group = checker.add_reader("group", {{"d/2", kExactlyOnce}}, true);
  checker.subscribed(group);
  const auto come = [&](std::uint64_t sequence) {
    checker.arrived(group, "d/2", make_payload({0, k2, sequence}, 50), false);
  };
  const std::uint64_t first = publish(k2);
  const std::uint64_t second = publish(k2);
  arrive(k2, first);
  arrive(k2, second);
  come(second);
  EXPECT_EQ(checker.judge().lost, 1u);
  come(first);
  EXPECT_TRUE(checker.judge().good());
  come(second);
  EXPECT_EQ(checker.judge().duplicated_exactly_once, 1u);
}

TEST_F(CheckerTest, ALostSessionIsAFault) {
  checker.session_lost("r");
  EXPECT_FALSE(checker.judge().good());
  EXPECT_EQ(checker.judge().sessions_lost, 1u);
}

TEST_F(CheckerTest, AConnectionThatCannotGoOnIsAFault) {
  checker.broke_off("r", 3);
  EXPECT_FALSE(checker.judge().good());
  EXPECT_EQ(checker.judge().broken_off, 1u);
}

TEST_F(CheckerTest, TheListOfFaultsIsBounded) {
  for (int i = 0; i < 100; ++i) checker.session_lost("r");
  EXPECT_EQ(checker.judge().faults.size(), Report::kFaultsMax);
  EXPECT_EQ(checker.judge().sessions_lost, 100u);
}

}  // namespace
}  // namespace hermod::durability
