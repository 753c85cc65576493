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
  const Instant now{seconds{10}};
  ConfirmableOutbox outbox(parameters);
  EXPECT_TRUE(outbox.idle());
  EXPECT_EQ(outbox.deadline(), kNever);
  outbox.sent(1, testkit::octets("40450001"), 7, rng, now);
  EXPECT_FALSE(outbox.has_room());
  outbox.wait(2, testkit::octets("40450002"));
  EXPECT_EQ(outbox.next(rng, now), nullptr);
  EXPECT_TRUE(outbox.is_about(7));
  EXPECT_EQ(outbox.finish(2), std::nullopt);  // not in flight yet
  EXPECT_EQ(outbox.finish(1), 7u);
  EXPECT_EQ(outbox.finish(1), std::nullopt);
  EXPECT_FALSE(outbox.is_about(7));
  const ConfirmableOutbox::Message* second = outbox.next(rng, now);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->datagram, testkit::octets("40450002"));
  EXPECT_GE(outbox.deadline(), now + seconds{2});
  EXPECT_EQ(outbox.due(now), nullptr);
  ConfirmableOutbox::Message* due = outbox.due(outbox.deadline());
  ASSERT_EQ(due, second);
  ASSERT_TRUE(outbox.repeat(*due, outbox.deadline()));
  due->message_id = 3;  // a newer one in its place
  EXPECT_EQ(outbox.finish(2), std::nullopt);
  EXPECT_EQ(outbox.finish(3), 0u);
  EXPECT_EQ(outbox.waiting(), 0u);
  EXPECT_EQ(outbox.deadline(), kNever);
}

// RFC 7252 §4.7: NSTART.
TEST(ConfirmableOutbox, HasSeveralInFlight) {
  const TransmissionParameters parameters{.nstart = 3};
  SeededRng rng(1);
  const Instant now{seconds{10}};
  ConfirmableOutbox outbox(parameters);
  for (std::uint16_t id = 1; id <= 3; ++id) {
    ASSERT_TRUE(outbox.has_room());
    outbox.sent(id, testkit::octets("40450001"), id, rng, now + seconds{id});
  }
  EXPECT_FALSE(outbox.has_room());
  const Instant first = outbox.deadline();
  EXPECT_LE(first, now + seconds{4});  // of the first one
  EXPECT_EQ(outbox.due(first)->subject, 1u);
  outbox.forget_subject(2);
  EXPECT_EQ(outbox.finish(1), 1u);
  EXPECT_GT(outbox.deadline(), first);
  EXPECT_EQ(outbox.finish(2), 0u);
  EXPECT_TRUE(outbox.has_room());
  EXPECT_FALSE(outbox.idle());
  outbox.clear();
  EXPECT_TRUE(outbox.idle());
  EXPECT_EQ(outbox.finish(3), std::nullopt);
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
