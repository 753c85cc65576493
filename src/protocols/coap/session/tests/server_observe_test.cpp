// SPDX-License-Identifier: Apache-2.0
// Observing through a server session (RFC 7641), as scripts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using enum model::Reason;

class ServerObserveTest : public ::testing::Test {
 protected:
  // A live message, published at most once and not retained.
  static model::Message live(std::string_view topic, std::string_view payload) {
    model::Message message = value_of(topic, payload);
    message.retain = false;
    return message;
  }
  // The session subscribes, and looks the value up once that is granted.
  void subscribes(std::string_view topic, model::Reason reason = kOk) {
    ASSERT_EQ(peer.wants(), fmt::format("Subscribe {}", topic));
    peer.answers(0, reason);
    ASSERT_EQ(peer.wants(), fmt::format("Lookup {}", topic));
  }
  // Registers as a peer that has no observation yet; the topic has no value.
  void observes(const Sends& request, std::string_view topic) {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Attach");
    peer.answers(0, kOk);
    subscribes(topic);
    peer.answers(0, kNotFound);
    ASSERT_EQ(peer.sent(),
              fmt::format("ACK 2.05 #{} t:{} Observe:n Max-Age:600", request.id, request.token));
  }
  // Another topic of a peer that is attached.
  void observes_too(const Sends& request, std::string_view topic) {
    peer.sends(request);
    subscribes(topic);
    peer.answers(0, kNotFound);
    ASSERT_EQ(peer.sent(),
              fmt::format("ACK 2.05 #{} t:{} Observe:n Max-Age:600", request.id, request.token));
  }
  // The first notification is confirmable and the peer confirms it. Own ids from 1 on are free.
  void proves(std::string_view topic, std::string_view token) {
    peer.delivers(live(topic, "0"));
    ASSERT_EQ(peer.sent(), fmt::format("CON 2.05 #s0 t:{} Observe:n Max-Age:600 '0'", token));
    peer.acknowledges(0);
    ASSERT_EQ(peer.sent(), "");
  }

  Settings settings{.observations_max = 4, .observations_unproven_max = 2, .unconfirmed_max = 3};
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
};

// --- registration ---

//   CON GET Observe 0 ->    Attach, then Subscribe a, then Lookup a
//                     <- ACK 2.05 Observe, with the value: RFC 7641 §4.1
TEST_F(ServerObserveTest, RegistersAndShowsTheValue) {
  peer.sends({.id = 7, .observe = 0});
  EXPECT_EQ(peer.wants(), "Attach");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.wants(), "Subscribe a");  // a value looked up now could be one too old
  peer.answers(0, kOk);
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "34.5", 5));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t ETag:05 Observe:n Max-Age:600 '34.5'");
}

// A topic needs no retained value to be observed.
TEST_F(ServerObserveTest, RegistersForATopicWithoutAValue) {
  observes({.observe = 0}, "a");
}

TEST_F(ServerObserveTest, AttachesOnce) {
  peer.sends({.id = 1, .token = "1", .path = "/ps/data/a", .observe = 0});
  peer.sends({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0});
  peer.sends({.id = 3, .token = "3", .path = "/ps/data/b"});
  EXPECT_EQ(peer.wants(), "Attach | Lookup b");
  peer.closes(kShutdown);
  EXPECT_EQ(peer.wants(), "Detach");
}

// RFC 7641 §4.1: unable to add an entry: a plain GET.
TEST_F(ServerObserveTest, FallsBackToAPlainGet) {
  peer.sends({.id = 7, .observe = 0});
  EXPECT_EQ(peer.wants(), "Attach");
  peer.answers(0, kQuotaExceeded);
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t '1'");
  peer.sends({.id = 8, .observe = 0});
  EXPECT_EQ(peer.wants(), "Attach");  // tries again
  peer.answers(0, kOk);
  subscribes("a", kQuotaExceeded);
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #8 t:t");
  EXPECT_EQ(peer.wants(), "");  // there is no subscription to end
}

TEST_F(ServerObserveTest, RefusesWhoMayNotRead) {
  peer.sends({.id = 7, .observe = 0});
  EXPECT_EQ(peer.wants(), "Attach");
  peer.answers(0, kNotAuthorized);
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "ACK 4.03 #7 t:t");
  peer.sends({.id = 8, .observe = 0});
  (void)peer.wants();
  peer.answers(0, kOk);
  subscribes("a", kNotAuthorized);
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "ACK 4.03 #8 t:t");
  peer.delivers(live("a", "1"));
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(ServerObserveTest, RefusesAnUnacceptableFormat) {
  const model::Properties json{.content_type = "application/json"};
  model::Message value = value_of("a", "{}");
  value.properties = &json;
  peer.sends({.id = 7, .observe = 0, .accept = 60});
  (void)peer.wants();
  peer.answers(0, kOk);
  subscribes("a");
  peer.answers_value(0, value);
  EXPECT_EQ(peer.sent(), "ACK 4.06 #7 t:t");
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
}

// An address may be forged: until the peer has confirmed something, it gets little.
TEST_F(ServerObserveTest, BoundsTheObservationsOfAnUnprovenPeer) {
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  observes_too({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0}, "b");
  peer.sends({.id = 3, .token = "3", .path = "/ps/data/c", .observe = 0});
  EXPECT_EQ(peer.wants(), "Lookup c");
  peer.answers_value(0, value_of("c", "x"));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #3 t:3 'x'");
  proves("a", "1");
  observes_too({.id = 4, .token = "3", .path = "/ps/data/c", .observe = 0}, "c");
  observes_too({.id = 5, .token = "4", .path = "/ps/data/d", .observe = 0}, "d");
  peer.sends({.id = 6, .token = "5", .path = "/ps/data/e", .observe = 0});
  EXPECT_EQ(peer.wants(), "Lookup e");
}

// RFC 7641 §4.1: the entry is keyed by endpoint and token.
TEST_F(ServerObserveTest, RenewsTheEntryOfTheSameToken) {
  observes({.id = 1, .observe = 0}, "a");
  peer.sends({.id = 2, .observe = 0});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:t Observe:n Max-Age:600 '1'");
  peer.delivers(live("a", "2"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600 '2'");  // once
}

TEST_F(ServerObserveTest, MovesATokenToAnotherTopic) {
  observes({.id = 1, .observe = 0}, "a");
  peer.sends({.id = 2, .path = "/ps/data/b", .observe = 0});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Subscribe b");
  peer.answers(0, kOk);
  peer.answers(1, kOk);
  EXPECT_EQ(peer.wants(), "Lookup b");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:t Observe:n Max-Age:600");
  peer.delivers(live("a", "1"));
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(ServerObserveTest, ServesTwoTokensOnOneTopic) {
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  peer.sends({.id = 2, .token = "2", .observe = 0});
  EXPECT_EQ(peer.wants(), "Lookup a");  // one subscription serves both
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:2 Observe:n Max-Age:600");
  peer.delivers(live("a", "x"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:2 Observe:n Max-Age:600 'x'");
  peer.acknowledges(0);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:1 Observe:n Max-Age:600 'x'");
  peer.resets(1);
  EXPECT_EQ(peer.wants(), "");
  peer.sends({.id = 3, .token = "2", .observe = 1});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Lookup a");
}

// What is published while the registration is under way is not missed.
TEST_F(ServerObserveTest, FollowsWithWhatCameMeanwhile) {
  peer.sends({.id = 7, .observe = 0});
  (void)peer.wants();
  peer.answers(0, kOk);
  subscribes("a");
  peer.delivers(value_of("a", "newer", 9));
  peer.delivers(value_of("a", "newest", 10));
  EXPECT_EQ(peer.sent(), "");
  peer.answers_value(0, value_of("a", "old", 8));
  EXPECT_EQ(peer.sent(),
            "ACK 2.05 #7 t:t ETag:08 Observe:n Max-Age:600 'old' | "
            "CON 2.05 #s0 t:t Observe:n Max-Age:600 'newest'");
}

TEST_F(ServerObserveTest, DoesNotRepeatWhatTheResponseShowed) {
  peer.sends({.id = 7, .observe = 0});
  (void)peer.wants();
  peer.answers(0, kOk);
  subscribes("a");
  peer.delivers(value_of("a", "new", 9));
  peer.answers_value(0, value_of("a", "new", 9));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t ETag:09 Observe:n Max-Age:600 'new'");
}

// What comes before the grant is in the value that is looked up after it, or older than its
// removal.
TEST_F(ServerObserveTest, LeavesWhatComesBeforeTheGrantToTheLookup) {
  peer.sends({.id = 7, .observe = 0});
  (void)peer.wants();
  peer.answers(0, kOk);
  peer.delivers(value_of("a", "gone", 7));
  subscribes("a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t Observe:n Max-Age:600");
}

// RFC 7641 §1.3: eventually consistent. Two shards' publications may overtake each other on their
// way here; the older one must not have the last word.
TEST_F(ServerObserveTest, AnOvertakenValueIsNotShown) {
  observes({.observe = 0}, "a");
  peer.delivers(value_of("a", "newer", 9));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600 'newer'");
  peer.acknowledges(0);
  peer.delivers(value_of("a", "older", 8));
  EXPECT_EQ(peer.sent(), "");
  peer.delivers(live("a", "not kept"));  // has no version: its order is that of its coming
  EXPECT_EQ(peer.sent(), "NON 2.05 #s1 t:t Observe:n Max-Age:600 'not kept'");
  peer.delivers(value_of("a", "older", 8));
  EXPECT_EQ(peer.sent(), "");
}

// A renewal asks another shard, and the next value is faster than the answer.
TEST_F(ServerObserveTest, ARenewalDoesNotGoBack) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  peer.sends({.id = 2, .observe = 0});
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.delivers(value_of("a", "newer", 9));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s1 t:t Observe:n Max-Age:600 'newer'");
  peer.answers_value(0, value_of("a", "older", 8));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:t ETag:09 Observe:n Max-Age:600 'newer'");
  peer.after(settings.quiet);  // the last of a burst, once more
  EXPECT_EQ(peer.sent(), "CON 2.05 #s2 t:t Observe:n Max-Age:600 'newer'");
}

// It found nothing yet, or what came was deleted: only a second look tells.
TEST_F(ServerObserveTest, ARenewalThatFindsNothingLooksAgain) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  peer.sends({.id = 2, .observe = 0});
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.delivers(value_of("a", "new", 9));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s1 t:t Observe:n Max-Age:600 'new'");
  peer.answers(0, kNotFound);
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:t Observe:n Max-Age:600");
  peer.delivers(value_of("a", "", 10));
  EXPECT_EQ(peer.sent(), "CON 4.04 #s2 t:t");
}

TEST_F(ServerObserveTest, EndsAfterTheResponseWhatWasDeletedMeanwhile) {
  peer.sends({.id = 7, .observe = 0});
  (void)peer.wants();
  peer.answers(0, kOk);
  subscribes("a");
  peer.delivers(value_of("a", "", 9));
  peer.answers_value(0, value_of("a", "old", 8));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t ETag:08 Observe:n Max-Age:600 'old' | CON 4.04 #s0 t:t");
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
}

// --- cancellation ---

//   CON GET Observe 1 ->    Unsubscribe, and the GET as usual: RFC 7641 §4.1
TEST_F(ServerObserveTest, DeregistersByRequest) {
  observes({.id = 1, .observe = 0}, "a");
  peer.sends({.id = 2, .observe = 1});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Lookup a");
  peer.answers(1, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #2 t:t");
  peer.delivers(live("a", "1"));
  EXPECT_EQ(peer.sent(), "");
  peer.answers(0, kOk);
  peer.sends({.id = 3, .token = "other", .observe = 1});  // nothing to remove
  EXPECT_EQ(peer.wants(), "Lookup a");
}

// A plain GET with the same token does not cancel (ETSI TD_COAP_OBS_10).
// Whatever ends an observation before its subscription is granted, its request is answered.
TEST_F(ServerObserveTest, AnswersARegistrationThatIsCancelledAtOnce) {
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  peer.sends({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0});
  EXPECT_EQ(peer.wants(), "Subscribe b");
  peer.sends({.id = 3, .token = "2", .path = "/ps/data/b", .observe = 1});
  EXPECT_EQ(peer.wants(), "Lookup b | Unsubscribe b | Lookup b");
  peer.answers_value(0, value_of("b", "x"));
  peer.answers(1, kOk);
  peer.answers_value(2, value_of("b", "x"));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:2 'x' | ACK 2.05 #3 t:2 'x'");
}

TEST_F(ServerObserveTest, APlainGetChangesNothing) {
  observes({.id = 1, .observe = 0}, "a");
  peer.sends({.id = 2});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #2 t:t");
  peer.delivers(live("a", "1"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600 '1'");
}

// RFC 7641 §4.5: a Reset to a confirmable or non-confirmable notification removes the entry.
TEST_F(ServerObserveTest, ResetCancels) {
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  observes_too({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0}, "b");
  proves("a", "1");
  peer.delivers(live("b", "x"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:2 Observe:n Max-Age:600 'x'");
  peer.resets(1);
  EXPECT_EQ(peer.wants(), "Unsubscribe b");
  peer.delivers(live("a", "y"));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s2 t:1 Observe:n Max-Age:600 'y'");
  peer.resets(1);  // of what is over
  EXPECT_EQ(peer.wants(), "");
  peer.resets(2);
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
}

//   NON GET #1 Observe 0 -------->
//   <------------------ NON 2.05 #s0
//   RST #s0 --------------------->  Unsubscribe      RFC 7641 §3.6: the first notification counts
TEST_F(ServerObserveTest, ResetOfTheResponseCancels) {
  peer.sends({.type = Type::kNon, .observe = 0});
  ASSERT_EQ(peer.wants(), "Attach");
  peer.answers(0, kOk);
  subscribes("a");
  peer.answers(0, kNotFound);
  ASSERT_EQ(peer.sent(), "NON 2.05 #s0 t:t Observe:n Max-Age:600");
  peer.resets(0);
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
}

TEST_F(ServerObserveTest, ResetOfTheSeparateResponseCancels) {
  peer.sends({.observe = 0});
  ASSERT_EQ(peer.wants(), "Attach");
  peer.answers(0, kOk);
  subscribes("a");
  peer.after(seconds{1});
  ASSERT_EQ(peer.sent(), "ACK 0.00 #1");
  peer.answers(0, kNotFound);
  ASSERT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600");
  peer.resets(0);
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
}

TEST_F(ServerObserveTest, SubscribesAgainWhileUnsubscribing) {
  observes({.id = 1, .observe = 0}, "a");
  peer.sends({.id = 2, .observe = 1});
  peer.sends({.id = 3, .observe = 0});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Lookup a | Subscribe a");
  peer.answers(0, kOk);
  peer.answers(1, kNotFound);
  peer.answers(2, kOk);
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #2 t:t | ACK 2.05 #3 t:t Observe:n Max-Age:600");
  peer.delivers(live("a", "1"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600 '1'");
}

// RFC 7641 §3.2, ETSI TD_COAP_OBS_07: the value is deleted: a last notification, 4.04 without
// Observe.
TEST_F(ServerObserveTest, DeletionEndsTheObservation) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  peer.delivers(value_of("a", ""));
  EXPECT_EQ(peer.sent(), "CON 4.04 #s1 t:t");
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
  peer.after(seconds{4});
  EXPECT_EQ(peer.sent(), "CON 4.04 #s1 t:t");  // confirmable, so it is repeated
  peer.acknowledges(1);
}

// RFC 7641 §4.2, ETSI TD_COAP_OBS_08: the format of the first notification holds to the end.
TEST_F(ServerObserveTest, AnotherFormatEndsTheObservation) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  const model::Properties json{.content_type = "application/json"};
  const model::Properties cbor{.content_type = "application/cbor"};
  model::Message message = live("a", "{}");
  message.properties = &json;
  peer.delivers(message);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s1 t:t Observe:n Content-Format:50 Max-Age:600 '{}'");
  peer.delivers(live("a", "plain"));  // says nothing, contradicts nothing
  EXPECT_EQ(peer.sent(), "NON 2.05 #s2 t:t Observe:n Max-Age:600 'plain'");
  message.properties = &cbor;
  peer.delivers(message);
  EXPECT_EQ(peer.sent(), "CON 4.06 #s3 t:t");
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
}

// RFC 7959 §2.6: the first block, and what tells the others of this value from those of the next.
TEST_F(ServerObserveTest, LargeValuesAreToldByTheirFirstBlock) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  const std::string block(1024, 'x');
  const std::string large(5000, 'x');
  model::EncodeSlots slots;
  peer.delivers(value_of("a", large, 5), &slots);
  EXPECT_EQ(peer.sent(),
            "NON 2.05 #s1 t:t ETag:05 Observe:n Max-Age:600 Block2:0+/1024 '" + block + "'");
  peer.after(settings.quiet);  // once more, as the last of a burst
  EXPECT_EQ(peer.sent(),
            "CON 2.05 #s2 t:t ETag:05 Observe:n Max-Age:600 Block2:0+/1024 '" + block + "'");
}

// What is not retained has no version. Its first block must not be taken for that of another value,
// shared or encoded alone (RFC 7959 §2.4).
TEST_F(ServerObserveTest, TheFirstBlockOfWhatIsNotRetainedHasATagOfItsOwn) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  const auto told = [&](const std::string& value, model::EncodeSlots* slots) {
    peer.delivers(live("a", value), slots);
    const std::string sent = peer.sent();
    EXPECT_THAT(sent, testing::StartsWith("NON 2.05 #s"));
    EXPECT_THAT(sent, testing::HasSubstr("Block2:0+/1024"));
    const std::size_t at = sent.find("ETag:");
    return at == std::string::npos ? std::string{} : sent.substr(at, sent.find(' ', at) - at);
  };
  model::EncodeSlots slots;
  const std::string shared = told(std::string(5000, 'x'), &slots);
  const std::string alone = told(std::string(5000, 'x'), nullptr);
  const std::string other = told(std::string(4999, 'x'), nullptr);
  EXPECT_NE(shared, "");
  EXPECT_EQ(shared, alone);
  EXPECT_NE(other, "");
  EXPECT_NE(shared, other);
}

TEST_F(ServerObserveTest, NotificationsHaveTheBlockSizeOfTheRegistration) {
  observes({.id = 1, .observe = 0, .block2 = Block{.size_exponent = 0}}, "a");
  proves("a", "t");
  model::EncodeSlots slots;
  peer.delivers(value_of("a", "0123456789abcdef!", 5), &slots);
  EXPECT_EQ(peer.sent(),
            "NON 2.05 #s1 t:t ETag:05 Observe:n Max-Age:600 Block2:0+/16 '0123456789abcdef'");
}

//   value 4 in flight, value 5 waits; GET, Observe 0, Block2 of 32 octets; ACK of value 4
TEST_F(ServerObserveTest, ARenewalMayAskForOtherBlocksThanTheValueThatWaits) {
  observes({.id = 1, .observe = 0, .block2 = Block{.size_exponent = 0}}, "a");
  proves("a", "t");
  for (const char* value : {"1", "2", "3", "4"}) peer.delivers(live("a", value));
  peer.delivers(live("a", "0123456789abcdef0123456789abcdef!"));  // the one that waits
  EXPECT_THAT(peer.sent(), testing::EndsWith("CON 2.05 #s4 t:t Observe:n Max-Age:600 '4'"));
  const auto renews = [&](std::uint16_t id, std::uint8_t exponent) {
    peer.sends({.id = id, .observe = 0, .block2 = Block{.size_exponent = exponent}});
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers(0, kNotFound);
    EXPECT_THAT(peer.sent(), testing::StartsWith("ACK 2.05"));
  };
  renews(2, 1);
  peer.acknowledges(4);
  EXPECT_THAT(peer.sent(), testing::EndsWith("Block2:0+/16 '0123456789abcdef'"));  // what was kept
  for (const char* value : {"6", "7"}) peer.delivers(live("a", value));
  peer.delivers(live("a", "8"));
  peer.delivers(live("a", "0123456789abcdef!"));  // whole in 32 octets
  (void)peer.sent();
  renews(3, 0);
  peer.acknowledges(8);
  EXPECT_THAT(peer.sent(), testing::EndsWith("Block2:0+/16 '0123456789abcdef'"));
}

// RFC 7641 §4.5: the last attempt has timed out: nobody is interested, in anything.
TEST_F(ServerObserveTest, UnreachablePeerIsForgotten) {
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  observes_too({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0}, "b");
  peer.delivers(live("a", "x"));
  peer.after(seconds{100});
  EXPECT_EQ(peer.sent(),
            "CON 2.05 #s0 t:1 Observe:n Max-Age:600 'x' | "
            "CON 2.05 #s0 t:1 Observe:n Max-Age:600 'x' | "
            "CON 2.05 #s0 t:1 Observe:n Max-Age:600 'x' | "
            "CON 2.05 #s0 t:1 Observe:n Max-Age:600 'x' | "
            "CON 2.05 #s0 t:1 Observe:n Max-Age:600 'x'");
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Unsubscribe b | Close ok");
}

// --- notifications ---

//   delivery ->  NON 2.05       three of them, then
//   delivery ->  CON 2.05       and nothing more until it is acknowledged
TEST_F(ServerObserveTest, ConfirmsNowAndThen) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  for (const char* value : {"1", "2", "3"}) {
    peer.delivers(live("a", value));
    EXPECT_EQ(peer.sent(),
              fmt::format("NON 2.05 #s{} t:t Observe:n Max-Age:600 '{}'", value, value));
  }
  peer.delivers(live("a", "4"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s4 t:t Observe:n Max-Age:600 '4'");
  peer.acknowledges(4);
  peer.delivers(live("a", "5"));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s5 t:t Observe:n Max-Age:600 '5'");
}

// While one is in flight, values are skipped but the last one arrives: RFC 7641 §4.5, §4.5.1.
TEST_F(ServerObserveTest, LatestValueWins) {
  observes({.id = 1, .observe = 0}, "a");
  for (const char* value : {"1", "2", "3"}) peer.delivers(live("a", value));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600 '1'");
  peer.acknowledges(0);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s1 t:t Observe:n Max-Age:600 '3'");
}

// RFC 7641 §4.5.2: the attempt times out and there is a newer value: it goes instead, with a new
// id and the same counter.
TEST_F(ServerObserveTest, NewerValueSupersedesARepetition) {
  observes({.id = 1, .observe = 0}, "a");
  peer.delivers(live("a", "1"));
  peer.delivers(live("a", "2"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600 '1'");
  peer.after(seconds{3});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:t Observe:n Max-Age:600 '2'");
  peer.acknowledges(0);  // late, for what was superseded: harmless
  peer.delivers(live("a", "3"));
  EXPECT_EQ(peer.sent(), "");
  peer.acknowledges(1);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s2 t:t Observe:n Max-Age:600 '3'");
}

// The counter is kept: 5 attempts in all, and then the peer is gone.
TEST_F(ServerObserveTest, SupersedingDoesNotGoOnForEver) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  peer.after(settings.quiet);
  for (int i = 0; i < 100; ++i) {
    peer.delivers(live("a", std::to_string(i)));
    peer.after(seconds{1});
  }
  EXPECT_EQ(std::ranges::count(peer.sent(), '|'), 4);
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Close ok");
}

TEST_F(ServerObserveTest, GuaranteedMessagesAreConfirmable) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  model::Message message = live("a", "1");
  message.guarantee = model::Guarantee::kAtLeastOnce;
  peer.delivers(message);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:t Observe:n Max-Age:600 '1'");
}

// One confirmable notification of any topic holds back all of the peer: NSTART is 1.
TEST_F(ServerObserveTest, OneInFlightPerPeer) {
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  observes_too({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0}, "b");
  proves("a", "1");
  peer.delivers(live("b", "x"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:2 Observe:n Max-Age:600 'x'");
  peer.delivers(live("a", "y"));
  EXPECT_EQ(peer.sent(), "");
  peer.acknowledges(1);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s2 t:1 Observe:n Max-Age:600 'y'");
}

// With a greater NSTART topics do not wait for each other; of one topic the latest value does.
TEST_F(ServerObserveTest, SeveralInFlight) {
  settings.transmission.nstart = 2;
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  observes_too({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0}, "b");
  peer.delivers(live("a", "1"));
  peer.delivers(live("a", "2"));
  peer.delivers(live("a", "3"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:1 Observe:n Max-Age:600 '1'");
  peer.delivers(live("b", "x"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:2 Observe:n Max-Age:600 'x'");
  peer.acknowledges(1);
  EXPECT_EQ(peer.sent(), "");
  peer.delivers(live("b", "y"));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s2 t:2 Observe:n Max-Age:600 'y'");
  peer.after(seconds{3});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s3 t:1 Observe:n Max-Age:600 '3'");
  peer.delivers(live("a", "4"));
  peer.acknowledges(3);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s4 t:1 Observe:n Max-Age:600 '4'");
}

// RFC 7641 §4.3.1: Max-Age is what is left of the value's life.
TEST_F(ServerObserveTest, SaysHowLongAValueLives) {
  observes({.id = 1, .observe = 0}, "a");
  model::Message message = live("a", "1");
  message.expires_at = peer.now + seconds{30};
  peer.delivers(message);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:30 '1'");
}

// RFC 7641 §4.5: the last change of a burst must arrive. It is repeated with its own sequence
// number, so that who has it does not take it for news.
TEST_F(ServerObserveTest, RepeatsTheLastOfABurstConfirmably) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  peer.delivers(live("a", "1"));
  peer.after(seconds{1});
  peer.delivers(live("a", "2"));
  EXPECT_EQ(peer.sent(),
            "NON 2.05 #s1 t:t Observe:n Max-Age:600 '1' | "
            "NON 2.05 #s2 t:t Observe:n Max-Age:600 '2'");
  peer.after(seconds{10} - milliseconds{1});
  EXPECT_EQ(peer.sent(), "");
  peer.delivers(live("a", "3"));
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  const Bytes sequence = Bytes{peer.wire.sent[0]}.subspan(6, 3);
  const std::vector<std::uint8_t> last(sequence.begin(), sequence.end());
  EXPECT_EQ(peer.sent(), "NON 2.05 #s3 t:t Observe:n Max-Age:600 '3'");
  peer.after(seconds{10});
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(Bytes{peer.wire.sent[0]}.subspan(6, 3), last));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s4 t:t Observe:n Max-Age:600 '3'");
  peer.acknowledges(4);
  peer.after(hours{1});
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(ServerObserveTest, RareChangesAreConfirmable) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  peer.after(seconds{10});
  peer.delivers(live("a", "1"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:t Observe:n Max-Age:600 '1'");
}

// RFC 7641 §4.5: an observer is asked at least every 24 hours, also when nothing happens.
TEST_F(ServerObserveTest, AsksASilentObserver) {
  observes({.id = 1, .observe = 0}, "a");
  model::Message message = live("a", "0");
  message.expires_at = peer.now + seconds{30};
  peer.delivers(message);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:30 '0'");
  peer.acknowledges(0);
  peer.after(hours{24} - seconds{1});
  EXPECT_EQ(peer.sent(), "");
  peer.after(seconds{1});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:t Observe:n Max-Age:0 '0'");
  peer.acknowledges(1);
  peer.after(hours{24});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s2 t:t Observe:n Max-Age:0 '0'");
  peer.after(seconds{100});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Close ok");
}

// One that has never confirmed anything is asked within a minute: a forged address costs nothing
// for long.
TEST_F(ServerObserveTest, AsksAnUnprovenObserverSoon) {
  observes({.id = 1, .observe = 0}, "a");
  peer.after(minutes{1} - milliseconds{1});
  EXPECT_EQ(peer.sent(), "");
  peer.after(milliseconds{1});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600");
  peer.after(seconds{100});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Close ok");
}

// Several at once: one in flight, the others follow.
TEST_F(ServerObserveTest, AsksObserversOneAfterTheOther) {
  observes({.id = 1, .token = "1", .observe = 0}, "a");
  observes_too({.id = 2, .token = "2", .path = "/ps/data/b", .observe = 0}, "b");
  peer.after(minutes{1});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:1 Observe:n Max-Age:600");
  peer.acknowledges(0);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:2 Observe:n Max-Age:600");
  peer.acknowledges(1);
  peer.after(minutes{10});
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(ServerObserveTest, SaysGoodbyeOnShutdown) {
  observes({.id = 1, .observe = 0}, "a");
  peer.closes(kShutdown);
  EXPECT_EQ(peer.sent(), "NON 5.03 #s0 t:t");
  EXPECT_EQ(peer.wants(), "Detach");
}

TEST_F(ServerObserveTest, DoesNotLeaveWhileItObserves) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  peer.after(hours{1});
  EXPECT_EQ(peer.wants(), "");
  peer.sends({.id = 2, .observe = 1});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Lookup a");
  peer.answers(0, kOk);
  peer.answers(1, kNotFound);
  peer.after(seconds{6});
  EXPECT_EQ(peer.wants(), "Close ok");
}

// --- encoding once ---

TEST_F(ServerObserveTest, EncodesABatchOnceForAllObservers) {
  ServerSession other{settings, {.limits = &limits, .rng = &rng}};
  Script second{other};
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  second.sends({.id = 1, .token = "other", .observe = 0});
  (void)second.wants();
  second.answers(0, kOk);
  (void)second.wants();
  second.answers(0, kOk);
  (void)second.wants();
  second.answers(0, kNotFound);
  (void)second.sent();

  model::EncodeSlots slots;
  const std::array<model::Message, 2> messages{live("a", "first"), live("a", "second")};
  const std::array<model::Delivery, 2> items{model::Delivery{.message = &messages[0]},
                                             model::Delivery{.message = &messages[1]}};
  for (Script* script : {&peer, &second}) {
    ServerSession& target = script == &peer ? session : other;
    script->run([&](session::Effects& effects) {
      target.on_deliveries({.items = items, .slots = &slots}, script->now, effects);
    });
  }
  EXPECT_EQ(peer.sent(),
            "NON 2.05 #s1 t:t Observe:n Max-Age:600 'first' | "
            "NON 2.05 #s2 t:t Observe:n Max-Age:600 'second'");
  EXPECT_EQ(second.sent(), "CON 2.05 #s0 t:other Observe:n Max-Age:600 'first'");
  second.acknowledges(0);
  EXPECT_EQ(second.sent(), "NON 2.05 #s1 t:other Observe:n Max-Age:600 'second'");
}

// A shared encoding and one made alone are the same octets, but for what is the observer's own.
TEST_F(ServerObserveTest, SharedEncodingChangesNothing) {
  observes({.id = 1, .observe = 0}, "a");
  proves("a", "t");
  const model::Properties json{.content_type = "application/json"};
  model::Message message = live("a", "{}");
  message.properties = &json;
  peer.delivers(message);
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  const auto alone = peer.wire.sent[0];
  peer.wire.sent.clear();
  model::EncodeSlots slots;
  peer.delivers(message, &slots);
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  auto shared = peer.wire.sent[0];
  ASSERT_EQ(shared.size(), alone.size());
  // message id, and the Observe option's value behind header, token and option header
  for (const std::size_t at : {2u, 3u, 6u, 7u, 8u}) shared[at] = alone[at];
  EXPECT_EQ(shared, alone);
}

// RFC 8974: a long token is echoed like any other.
TEST_F(ServerObserveTest, CarriesLongTokens) {
  const std::string token(300, 'k');
  observes({.id = 1, .token = token, .observe = 0}, "a");
  proves("a", token);
  model::EncodeSlots slots;
  peer.delivers(live("a", "1"), &slots);
  peer.delivers(live("a", "2"));
  EXPECT_EQ(peer.sent(), fmt::format("NON 2.05 #s1 t:{0} Observe:n Max-Age:600 '1' | "
                                     "NON 2.05 #s2 t:{0} Observe:n Max-Age:600 '2'",
                                     token));
}

}  // namespace
}  // namespace hermod::coap::test
