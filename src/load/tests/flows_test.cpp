// SPDX-License-Identifier: Apache-2.0
#include "../flows.hpp"

#include <gtest/gtest.h>

namespace hermod::load {
namespace {

TEST(Flows, FloorIsTheSlowestSubscriber) {
  Flows flows(2, 3, false);
  for (unsigned subscriber = 0; subscriber < 3; ++subscriber) {
    flows.set_seen(subscriber, 1, 10 + subscriber);
  }
  EXPECT_EQ(flows.floor(1), 10u);
  EXPECT_EQ(flows.floor(0), 0u);
  flows.set_seen(0, 1, Flows::kGone);
  EXPECT_EQ(flows.floor(1), 11u);
}

TEST(Flows, PairsDoNotMeetOthers) {
  Flows flows(3, 3, true);
  EXPECT_EQ(flows.sources(), 1u);
  EXPECT_EQ(flows.fan(), 1u);
  flows.set_seen(2, 0, 5);
  EXPECT_EQ(flows.floor(2), 5u);
  EXPECT_EQ(flows.floor(1), 0u);
  EXPECT_EQ(flows.source_of(2, 2), 0u);
  EXPECT_GE(flows.source_of(2, 1), flows.sources());
  EXPECT_GE(flows.source_of(2, 3), flows.sources());
}

TEST(Flows, SettlesWhenAllIsSeenAcknowledgedAndEnded) {
  Flows flows(1, 2, false);
  EXPECT_FALSE(flows.settled());
  flows.set_sent(0, 4);
  flows.set_open(0, 1, true);
  flows.set_seen(0, 0, 4);
  flows.set_seen(1, 0, 4);
  EXPECT_FALSE(flows.settled());  // one is not acknowledged
  flows.set_open(0, 0, false);
  EXPECT_FALSE(flows.settled());  // more may come
  flows.set_open(0, 0, true);
  EXPECT_TRUE(flows.settled());
  flows.set_sent(0, 5);
  EXPECT_FALSE(flows.settled());
  flows.set_seen(0, 0, 5);
  flows.set_seen(1, 0, Flows::kGone);
  EXPECT_TRUE(flows.settled());
}

TEST(Flows, KnowWhenTheMessagesOfAWindowWereSent) {
  Flows flows(2, 1, false, 100);
  EXPECT_TRUE(flows.timed());
  flows.set_send_time(1, 0, 60, Instant{Duration{1000}});
  flows.set_send_time(1, 60, 40, Instant{Duration{2000}});
  EXPECT_EQ(flows.send_time(1, 0), Instant{Duration{1000}});
  EXPECT_EQ(flows.send_time(1, 59), Instant{Duration{1000}});
  EXPECT_EQ(flows.send_time(1, 60), Instant{Duration{2000}});
  flows.set_send_time(1, 100, 40, Instant{Duration{3000}});
  EXPECT_EQ(flows.send_time(1, 40), Instant{Duration{1000}});  // still of the last 100
  EXPECT_EQ(flows.send_time(1, 139), Instant{Duration{3000}});
  EXPECT_FALSE(Flows(2, 1, false).timed());
}

}  // namespace
}  // namespace hermod::load
