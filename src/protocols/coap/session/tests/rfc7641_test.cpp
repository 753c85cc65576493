// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7641 that a server keeps, and the figures of its Appendix A from its side.
// Names: tests/conformance/rfc7641.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using enum model::Reason;
using Numbers = std::initializer_list<std::uint16_t>;

class Rfc7641Server : public ::testing::Test {
 protected:
  // A message that is published and not kept.
  static model::Message live(std::string_view payload) {
    model::Message message = value_of("a", payload);
    message.retain = false;
    return message;
  }
  // The first registration of the peer, for `a`.
  void registers(const Sends& request, const model::Message* value = nullptr) {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Attach");
    peer.answers(0, kOk);
    ASSERT_EQ(peer.wants(), "Subscribe a");
    peer.answers(0, kOk);
    shows(value);
  }
  // The value is looked up, and found or not.
  void shows(const model::Message* value) {
    ASSERT_EQ(peer.wants(), "Lookup a");
    if (value != nullptr) {
      peer.answers_value(0, *value);
    } else {
      peer.answers(0, kNotFound);
    }
  }
  // The peer is registered and has confirmed its first notification; own ids from 1 on are free.
  void observes(const Sends& request = {.observe = 0}) {
    registers(request);
    (void)peer.sent();
    peer.delivers(live("0"));
    ASSERT_THAT(peer.sent(), StartsWith("CON 2.05 #s0"));
    peer.acknowledges(0);
  }
  // The Observe options of what was sent since the last call of sent().
  std::vector<std::uint32_t> sequences() const {
    std::vector<std::uint32_t> out;
    for (const auto& octets : peer.wire.sent) {
      const auto observe = decode(octets).value().options.find(OptionNumber::kObserve);
      if (observe) out.push_back(uint_value(*observe).value());
    }
    return out;
  }

  Settings settings{.unconfirmed_max = 3};
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
};

//   GET #1633 Observe 0 -->   <-- 2.05 #1633 Observe "18.5 Cel"
//                             <-- 2.05 #s0 Observe "19.2 Cel"
TEST_F(Rfc7641Server, RFC7641_4_1_1_and_4_2_1_figure_3_shows_the_state_and_each_new_one) {
  const model::Message before = value_of("a", "18.5 Cel");
  registers({.id = 0x1633, .token = "J", .observe = 0}, &before);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #5683 t:J Observe:n Max-Age:600 '18.5 Cel'");
  peer.delivers(value_of("a", "19.2 Cel"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:J Observe:n Max-Age:600 '19.2 Cel'");
}

// Figure 4: a notification is lost, and the client registers again with another token.
TEST_F(Rfc7641Server, RFC7641_4_1_1_figure_4_a_second_registration_shows_the_state) {
  observes({.id = 0x1633, .token = "J", .observe = 0});
  peer.delivers(live("19.7 Cel"));
  EXPECT_THAT(peer.sent(), StartsWith("NON 2.05 #s1 t:J Observe:n"));  // lost
  peer.sends({.id = 0x1634, .token = "\xb2", .observe = 0});
  const model::Message now = value_of("a", "19.7 Cel", 0x7879);
  shows(&now);
  EXPECT_THAT(peer.sent(), HasSubstr("ETag:7879 Observe:n Max-Age:600 '19.7 Cel'"));
}

// Figure 5: after a crash, with the tag of what the client kept: 2.03 spares the payload.
TEST_F(Rfc7641Server, RFC7641_4_2_5_figure_5_a_registration_may_be_answered_valid) {
  const model::Message now = value_of("a", "19.7 Cel", 0x78797a);
  registers({.id = 0x1635, .token = "\xf9", .observe = 0, .etags = {"xyz"}}, &now);
  EXPECT_EQ(sequences().size(), 1u);
  EXPECT_EQ(peer.sent(), "ACK 2.03 #5685 t:\xf9 ETag:78797a Observe:n Max-Age:600");
}

//   <-- CON 2.05 #s1 "19.3 Cel"   RST #s1 -->   and nothing of 19.0 Cel
TEST_F(Rfc7641Server, RFC7641_4_5_2_figure_6_a_reset_cancels) {
  observes();
  peer.after(settings.quiet);
  (void)peer.sent();
  peer.delivers(live("19.3 Cel"));
  EXPECT_THAT(peer.sent(), StartsWith("CON 2.05 #s1"));
  peer.resets(1);
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
  peer.delivers(live("19.0 Cel"));
  peer.after(hours{25});
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(Rfc7641Server, RFC7641_4_5_2_a_reset_of_an_unconfirmed_notification_cancels) {
  observes();
  peer.delivers(live("1"));
  EXPECT_THAT(peer.sent(), StartsWith("NON 2.05 #s1"));
  peer.resets(1);
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
}

TEST_F(Rfc7641Server, RFC7641_4_5_2_who_does_not_answer_is_no_observer) {
  observes();
  peer.after(settings.quiet);
  peer.delivers(live("1"));
  peer.after(settings.transmission.max_transmit_wait());
  const std::string sent = peer.sent();
  EXPECT_EQ(std::ranges::count(sent, '|'), 4);  // MAX_RETRANSMIT repetitions
  EXPECT_THAT(peer.wants(), StartsWith("Unsubscribe a"));
}

TEST_F(Rfc7641Server, RFC7641_4_1_2_a_token_has_one_entry) {
  observes();
  for (const std::uint16_t id : Numbers{2, 3, 4}) {
    peer.sends({.id = id, .observe = 0});
    shows(nullptr);
    EXPECT_THAT(peer.sent(), StartsWith(fmt::format("ACK 2.05 #{} t:t Observe:n", id)));
  }
  peer.delivers(live("1"));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s1 t:t Observe:n Max-Age:600 '1'");
  peer.sends({.id = 5, .observe = 1});
  EXPECT_THAT(peer.wants(), HasSubstr("Unsubscribe a"));
  peer.delivers(live("2"));
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(Rfc7641Server, RFC7641_4_1_3_who_cannot_be_registered_is_not_told_so) {
  settings.observations_unproven_max = 0;
  peer.sends({.id = 7, .observe = 0});
  const model::Message value = value_of("a", "v");
  shows(&value);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t 'v'");
  peer.delivers(live("1"));
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(Rfc7641Server, RFC7641_4_1_4_and_5_cancels_and_answers_without_observe) {
  observes();
  peer.sends({.id = 2, .observe = 1});
  ASSERT_EQ(peer.wants(), "Unsubscribe a | Lookup a");
  peer.answers_value(1, value_of("a", "v"));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:t 'v'");
  peer.delivers(live("1"));
  peer.after(hours{25});
  EXPECT_EQ(peer.sent(), "");
}

// Of another token it cancels nothing.
TEST_F(Rfc7641Server, RFC7641_4_1_4_the_token_has_to_match) {
  observes();
  peer.sends({.id = 2, .token = "u", .observe = 1});
  shows(nullptr);
  (void)peer.sent();
  peer.delivers(live("1"));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s1 t:t Observe:n Max-Age:600 '1'");
}

TEST_F(Rfc7641Server, RFC7641_4_2_1_each_observer_sees_its_token) {
  observes({.id = 1, .token = "one", .observe = 0});
  peer.sends({.id = 2, .token = "", .observe = 0});
  shows(nullptr);
  (void)peer.sent();
  peer.delivers(live("1"));
  peer.acknowledges(1);
  const std::string sent = peer.sent();
  EXPECT_THAT(sent, HasSubstr(" t:one Observe:n"));
  EXPECT_THAT(sent, ::testing::ContainsRegex("2.05 #s[0-9] Observe:n"));
}

TEST_F(Rfc7641Server, RFC7641_4_2_2_and_5_deletion_ends_it_with_4_04_without_observe) {
  observes();
  peer.delivers(value_of("a", ""));
  EXPECT_EQ(peer.sent(), "CON 4.04 #s1 t:t");
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
  peer.acknowledges(1);
  peer.delivers(live("1"));
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(Rfc7641Server, RFC7641_4_2_3_and_4_the_format_stays_or_4_06_ends_it) {
  const model::Properties json{.content_type = "application/json"};
  const model::Properties cbor{.content_type = "application/cbor"};
  model::Message value = value_of("a", "{}");
  value.properties = &json;
  registers({.observe = 0}, &value);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t Observe:n Content-Format:50 Max-Age:600 '{}'");
  peer.delivers(value);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Content-Format:50 Max-Age:600 '{}'");
  peer.acknowledges(0);
  value.properties = &cbor;
  peer.delivers(value);
  EXPECT_THAT(peer.sent(), StartsWith("CON 4.06 #s1 t:t"));
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
  peer.acknowledges(1);
  value.properties = &json;
  peer.delivers(value);
  EXPECT_EQ(peer.sent(), "");
}

// Nothing holds a value back but an unanswered notification, and then the newest one follows.
TEST_F(Rfc7641Server, RFC7641_4_3_1_1_and_4_5_1_the_newest_value_follows_at_once) {
  observes();
  for (const char* value : {"1", "2", "3"}) {
    peer.delivers(live(value));
    EXPECT_THAT(peer.sent(), HasSubstr(fmt::format("'{}'", value)));
  }
  for (const char* value : {"4", "5", "6"}) peer.delivers(live(value));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s4 t:t Observe:n Max-Age:600 '4'");
  peer.acknowledges(4);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s5 t:t Observe:n Max-Age:600 '6'");
}

// Every notification with a value, the first response too, and what is left of a value's life.
TEST_F(Rfc7641Server, RFC7641_4_3_1_2_and_3_max_age_is_always_there) {
  registers({.observe = 0});
  EXPECT_THAT(peer.sent(), HasSubstr("Max-Age:600"));
  model::Message value = live("1");
  value.expires_at = peer.now + seconds{30};
  peer.delivers(value);
  EXPECT_THAT(peer.sent(), HasSubstr("Max-Age:30 "));
  peer.acknowledges(0);
  peer.delivers(live("2"));
  EXPECT_THAT(peer.sent(), HasSubstr("Max-Age:600"));
}

TEST_F(Rfc7641Server, RFC7641_4_4_1_to_3_the_numbers_only_rise_and_not_too_fast) {
  registers({.observe = 0});
  const Instant begin = peer.now;
  const std::uint32_t first = sequences().at(0);
  std::uint32_t last = first;
  (void)peer.sent();
  unsigned own = 0;
  for (int i = 0; i < 2000; ++i) {
    peer.delivers(live(std::to_string(i)));
    for (const std::uint32_t sequence : sequences()) {
      ASSERT_LT(sequence, 1u << 24);
      ASSERT_GT(sequence, last);
      last = sequence;
    }
    (void)peer.sent();
    peer.acknowledges(own++);
    peer.after(milliseconds{10});
  }
  ASSERT_LT(peer.now - begin, seconds{256});
  EXPECT_LT(last - first, 1u << 23);
}

// A repetition has its number as long as there is nothing newer; then the newer value goes, with
// a greater one.
TEST_F(Rfc7641Server, RFC7641_4_4_3_and_4_a_repetition_has_the_current_number) {
  observes();
  peer.after(settings.quiet);
  (void)peer.sent();
  peer.delivers(live("1"));
  peer.after(seconds{3});
  ASSERT_EQ(sequences().size(), 2u);
  EXPECT_EQ(sequences()[0], sequences()[1]);
  peer.delivers(live("2"));
  peer.after(seconds{6});
  ASSERT_EQ(sequences().size(), 3u);
  EXPECT_GT(sequences()[2], sequences()[1]);
  EXPECT_THAT(peer.sent(), HasSubstr("'2'"));
}

// The last of a burst is not confirmable, and lost: it comes again so that it must arrive.
TEST_F(Rfc7641Server, RFC7641_4_5_1_the_last_state_arrives_in_the_end) {
  observes();
  peer.delivers(live("1"));
  peer.delivers(live("2"));
  EXPECT_EQ(peer.sent(),
            "NON 2.05 #s1 t:t Observe:n Max-Age:600 '1' | "
            "NON 2.05 #s2 t:t Observe:n Max-Age:600 '2'");
  peer.after(settings.quiet);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s3 t:t Observe:n Max-Age:600 '2'");
  peer.after(seconds{3});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s3 t:t Observe:n Max-Age:600 '2'");
  peer.acknowledges(3);
  peer.after(hours{1});
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(Rfc7641Server, RFC7641_4_5_3_an_observer_is_asked_once_a_day) {
  observes();
  for (unsigned day = 1; day <= 3; ++day) {
    peer.after(hours{24});
    EXPECT_THAT(peer.sent(), StartsWith(fmt::format("CON 2.05 #s{} t:t Observe:n", day)));
    peer.acknowledges(day);
  }
}

// Also across observations: the second one waits for the first one's Acknowledgement.
TEST_F(Rfc7641Server, RFC7641_4_5_1_1_one_notification_outstanding) {
  registers({.id = 1, .token = "1", .observe = 0});
  peer.sends({.id = 2, .token = "2", .observe = 0});
  shows(nullptr);
  (void)peer.sent();
  peer.delivers(live("x"));
  peer.delivers(live("y"));
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  EXPECT_THAT(peer.sent(), HasSubstr("CON 2.05 #s0"));
  peer.acknowledges(0);
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  EXPECT_THAT(peer.sent(), HasSubstr("CON 2.05 #s1"));
}

TEST_F(Rfc7641Server, RFC7641_6_1_and_2_the_attribute_obs_stands_alone) {
  const std::vector<model::TopicEntry> topics{{.topic = "a", .has_value = true},
                                              {.topic = "b", .has_value = true}};
  const session::TopicPage page{.topics = topics};
  peer.sends({.id = 7, .path = "/.well-known/core?rt=core.ps.data"});
  ASSERT_THAT(peer.wants(), StartsWith("List "));
  peer.answers(0, session::Answer{.page = &page});
  const std::string links = peer.sent();
  EXPECT_THAT(links, StartsWith("ACK 2.05 #7"));
  EXPECT_THAT(links, HasSubstr(";obs"));
  EXPECT_THAT(links, Not(HasSubstr(";obs=")));
  EXPECT_THAT(links, Not(::testing::ContainsRegex(";obs[^,]*;obs")));
}

// Who acknowledges nothing gets unconfirmed_max notifications, then a Confirmable one, and nothing
// more.
TEST_F(Rfc7641Server, RFC7641_7_1_unconfirmed_notifications_are_bounded) {
  observes();
  for (int i = 0; i < 20; ++i) peer.delivers(live(std::to_string(i)));
  EXPECT_EQ(peer.wire.sent.size(), settings.unconfirmed_max + 1u);
  EXPECT_THAT(peer.sent(), HasSubstr(" | CON 2.05 #s4 "));
  peer.after(settings.transmission.max_transmit_wait());
  EXPECT_THAT(peer.sent(), Not(HasSubstr("NON")));
}

}  // namespace
}  // namespace hermod::coap::test
