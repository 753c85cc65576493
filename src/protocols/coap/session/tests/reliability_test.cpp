// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/reliability.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// RFC 7252 §4.8.2 Table 3.
TEST(TransmissionParameters, DeriveTheTableOfTimes) {
  const TransmissionParameters defaults;
  EXPECT_EQ(defaults.max_transmit_span(), seconds{45});
  EXPECT_EQ(defaults.max_transmit_wait(), seconds{93});
  EXPECT_EQ(defaults.exchange_lifetime(), seconds{247});
  EXPECT_EQ(defaults.non_lifetime(), seconds{145});
}

// RFC 7252 §4.2: the first pause is random between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR,
// each further one twice as long, and after MAX_RETRANSMIT repetitions it is over.
TEST(Retransmission, DoublesAndGivesUp) {
  const TransmissionParameters parameters;
  Duration least = Duration::max();
  Duration most{};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRng rng(seed);
    Retransmission timer;
    const Instant begin{seconds{10}};
    timer.start(parameters, rng, begin);
    Duration pause = timer.deadline() - begin;
    least = std::min(least, pause);
    most = std::max(most, pause);
    for (int count = 0; count < 4; ++count) {
      const Instant now = timer.deadline();
      ASSERT_TRUE(timer.repeat(parameters, now));
      EXPECT_EQ(timer.deadline() - now, pause * 2);
      pause *= 2;
    }
    const Instant end = timer.deadline();
    EXPECT_FALSE(timer.repeat(parameters, end));
    EXPECT_LE(end - begin, parameters.max_transmit_wait());
    EXPECT_EQ(timer.deadline(), kNever);
  }
  EXPECT_GE(least, seconds{2});
  EXPECT_LE(most, seconds{3});
  EXPECT_GT(most - least, milliseconds{900});  // it is spread
}

// RFC 7252 §4.2: a clock that fires late does not stretch the sequence beyond MAX_TRANSMIT_SPAN.
TEST(Retransmission, StaysWithinItsSpan) {
  const TransmissionParameters parameters;
  SeededRng rng(1);
  Retransmission timer;
  const Instant begin{seconds{10}};
  timer.start(parameters, rng, begin);
  EXPECT_TRUE(timer.repeat(parameters, begin + seconds{44}));
  EXPECT_FALSE(timer.repeat(parameters, begin + seconds{46}));
}

TEST(ConfirmableOutbox, SendsOneAfterTheOther) {
  const TransmissionParameters parameters;
  SeededRng rng(1);
  Wire wire;
  const Instant now{seconds{10}};
  ConfirmableOutbox outbox;
  EXPECT_TRUE(outbox.idle());
  EXPECT_EQ(outbox.deadline(), kNever);
  const auto first = testkit::octets("40450001");
  outbox.sent(1, first, 7, parameters, rng, now);
  outbox.wait(2, testkit::octets("40450002"));
  EXPECT_EQ(outbox.subject(), 7u);
  EXPECT_FALSE(outbox.finish(2));  // not in flight yet
  EXPECT_TRUE(outbox.finish(1));
  EXPECT_FALSE(outbox.finish(1));
  EXPECT_EQ(outbox.subject(), 0u);
  ASSERT_TRUE(outbox.next(parameters, rng, now));
  outbox.transmit(wire);
  ASSERT_EQ(wire.sent.size(), 1u);
  EXPECT_EQ(wire.sent[0], testkit::octets("40450002"));
  EXPECT_GE(outbox.deadline(), now + seconds{2});
  ASSERT_TRUE(outbox.repeat(parameters, outbox.deadline()));
  outbox.replace(3, testkit::octets("40450003"));
  outbox.transmit(wire);
  EXPECT_EQ(wire.sent[1], testkit::octets("40450003"));
  EXPECT_FALSE(outbox.finish(2));
  EXPECT_TRUE(outbox.finish(3));
  EXPECT_EQ(outbox.waiting(), 0u);
}

TEST(MessageIds, StartAnywhereAndWrap) {
  SeededRng rng(1);
  SeededRng other(2);
  MessageIds ids(rng);
  EXPECT_NE(ids.next(), MessageIds(other).next());  // RFC 7252 §4.4: a random start
  std::uint16_t last = ids.next();
  for (int i = 0; i < 70'000; ++i) {
    const std::uint16_t id = ids.next();
    ASSERT_EQ(static_cast<std::uint16_t>(last + 1), id);
    last = id;
  }
}

}  // namespace
}  // namespace hermod::coap::test
