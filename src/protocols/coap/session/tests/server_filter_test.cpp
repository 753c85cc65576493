// SPDX-License-Identifier: Apache-2.0
// Observing all topics that match a filter, as scripts.
#include <gtest/gtest.h>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using enum model::Reason;

class ServerFilterTest : public ::testing::Test {
 protected:
  static model::Message live(std::string_view topic, std::string_view payload) {
    model::Message message = value_of(topic, payload);
    message.retain = false;
    return message;
  }
  static std::string told(std::string_view type, unsigned id, std::string_view topic,
                          std::string_view payload) {
    std::string location = " Location-Path:'ps' Location-Path:'data'";
    for (model::Levels levels(topic); !levels.done();) {
      location += fmt::format(" Location-Path:'{}'", levels.next());
    }
    return fmt::format("{} 2.05 #s{} t:t Observe:n{} Max-Age:600 '{}'", type, id, location,
                       payload);
  }
  void observes(const Sends& request, std::string_view filter) {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Attach");
    peer.answers(0, kOk);
    ASSERT_EQ(peer.wants(), fmt::format("Subscribe {} all", filter));
    peer.answers(0, kOk);
    ASSERT_EQ(peer.wants(), "");  // nothing to look up
    ASSERT_EQ(peer.sent(),
              fmt::format("ACK 2.05 #{} t:{} Observe:n Max-Age:600", request.id, request.token));
  }
  void proves() {
    peer.delivers(live("a/0", "0"));
    ASSERT_EQ(peer.sent(), told("CON", 0, "a/0", "0"));
    peer.acknowledges(0);
    ASSERT_EQ(peer.sent(), "");
  }

  Settings settings{.amplification_max = 0, .stream_waiting_max = 3, .unconfirmed_max = 100};
  session::SessionLimits limits;
  session::Budget budget{4000};
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng, .budget = &budget}};
  Script peer{session};
};

//   CON GET Observe 0 /ps/data/a/+  ->    Attach, Subscribe a/+
//                                   <- ACK 2.05 Observe
//   delivery a/1                    <- NON 2.05 Observe Location-Path ps data a 1
TEST_F(ServerFilterTest, EachNotificationNamesItsTopic) {
  observes({.id = 7, .path = "/ps/data/a/+", .observe = 0}, "a/+");
  proves();
  peer.delivers(live("a/1", "x"));
  peer.delivers(value_of("a/2", "y", 5));
  peer.delivers(live("a/", "z"));
  EXPECT_EQ(peer.sent(), told("NON", 1, "a/1", "x") + " | NON 2.05 #s2 t:t Observe:n " +
                             "Location-Path:'ps' Location-Path:'data' Location-Path:'a' " +
                             "Location-Path:'2' Max-Age:600 'y' | " + told("NON", 3, "a/", "z"));
}

TEST_F(ServerFilterTest, AClearedValueIsToldEmpty) {
  observes({.id = 7, .path = "/ps/data/%23", .observe = 0}, "#");
  proves();
  peer.delivers(value_of("a", "", 5));
  EXPECT_EQ(peer.sent(),
            "NON 2.05 #s1 t:t Observe:n Location-Path:'ps' Location-Path:'data' "
            "Location-Path:'a' Max-Age:600");
  peer.delivers(live("b", "goes on"));
  EXPECT_EQ(peer.sent(), told("NON", 2, "b", "goes on"));
}

// While a confirmable notification is in flight, the values of different topics wait in line; of
// one topic the latest value does.
TEST_F(ServerFilterTest, ValuesOfDifferentTopicsDoNotTakeEachOthersPlace) {
  observes({.id = 7, .path = "/ps/data/a/+", .observe = 0}, "a/+");
  peer.delivers(live("a/1", "1"));
  peer.delivers(live("a/2", "2"));
  peer.delivers(live("a/3", "3"));
  peer.delivers(live("a/2", "22"));
  peer.delivers(live("a/1", "11"));
  EXPECT_EQ(peer.sent(), told("CON", 0, "a/1", "1"));
  peer.after(seconds{3});
  EXPECT_EQ(peer.sent(), told("CON", 0, "a/1", "1"));  // the same again
  peer.acknowledges(0);
  EXPECT_EQ(peer.sent(), told("NON", 1, "a/2", "22") + " | " + told("NON", 2, "a/3", "3") + " | " +
                             told("NON", 3, "a/1", "11"));
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(ServerFilterTest, TheLineIsBounded) {
  observes({.id = 7, .path = "/ps/data/a/+", .observe = 0}, "a/+");
  for (const char* topic : {"a/1", "a/2", "a/3", "a/4", "a/5", "a/6"}) {
    peer.delivers(live(topic, topic));
  }
  EXPECT_EQ(peer.sent(), told("CON", 0, "a/1", "a/1"));
  peer.acknowledges(0);
  // one is next, three are in line, and the oldest of them has made room
  EXPECT_EQ(peer.sent(), told("NON", 1, "a/2", "a/2") + " | " + told("NON", 2, "a/4", "a/4") +
                             " | " + told("NON", 3, "a/5", "a/5") + " | " +
                             told("NON", 4, "a/6", "a/6"));
}

TEST_F(ServerFilterTest, TheLineIsWithinTheBudget) {
  observes({.id = 7, .path = "/ps/data/a/+", .observe = 0}, "a/+");
  peer.delivers(live("a/1", "1"));
  peer.delivers(live("a/2", "2"));
  ASSERT_TRUE(budget.take(4000 - budget.used()));
  peer.delivers(live("a/3", "3"));
  (void)peer.sent();
  peer.acknowledges(0);
  EXPECT_EQ(peer.sent(), told("NON", 1, "a/2", "2"));
}

TEST_F(ServerFilterTest, ValuesThatDoNotSuitAreSkipped) {
  observes({.id = 7, .path = "/ps/data/%23", .observe = 0, .accept = 50}, "#");
  peer.delivers(live("a", "plain"));
  EXPECT_EQ(peer.sent(), "");
  const model::Properties json{.content_type = "application/json"};
  model::Message message = live("b", "{}");
  message.properties = &json;
  peer.delivers(message);
  EXPECT_EQ(peer.sent(),
            "CON 2.05 #s0 t:t Observe:n Location-Path:'ps' Location-Path:'data' "
            "Location-Path:'b' Content-Format:50 Max-Age:600 '{}'");
}

// The rest of a large value is fetched where Location-Path says.
TEST_F(ServerFilterTest, LargeValuesAreToldByTheirFirstBlock) {
  observes({.id = 7, .path = "/ps/data/+", .observe = 0, .block2 = Block{.size_exponent = 0}}, "+");
  peer.delivers(live("a", "0123456789abcdef!"));
  const std::string sent = peer.sent();
  const std::string tag = sent.substr(sent.find("ETag:"), 13);
  EXPECT_EQ(sent, fmt::format("CON 2.05 #s0 t:t {} Observe:n Location-Path:'ps' "
                              "Location-Path:'data' Location-Path:'a' Max-Age:600 Block2:0+/16 "
                              "'0123456789abcdef'",
                              tag));
  peer.acknowledges(0);
  peer.sends({.id = 8, .token = "u", .block2 = Block{.number = 1, .size_exponent = 0}});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), fmt::format("ACK 2.05 #8 t:u {} Block2:1/16 '!'", tag));
}

TEST_F(ServerFilterTest, EndsAsOthersDo) {
  observes({.id = 7, .path = "/ps/data/a/+", .observe = 0}, "a/+");
  peer.sends({.id = 8, .path = "/ps/data/a/+", .observe = 1});
  EXPECT_EQ(peer.wants(), "Unsubscribe a/+");
  EXPECT_EQ(peer.sent(), "ACK 2.05 #8 t:t");
}

// A second observer of the filter gets what is there too.
TEST_F(ServerFilterTest, EachRegistrationBringsTheValues) {
  observes({.id = 7, .path = "/ps/data/a/+", .observe = 0}, "a/+");
  proves();
  peer.sends({.id = 8, .token = "u", .path = "/ps/data/a/+", .observe = 0});
  EXPECT_EQ(peer.wants(), "Subscribe a/+ all");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #8 t:u Observe:n Max-Age:600");
  peer.sends({.id = 9, .path = "/ps/data/a/+", .observe = 0});  // renewed
  EXPECT_EQ(peer.wants(), "Subscribe a/+ all");
}

TEST_F(ServerFilterTest, RefusesWhatWildcardsAreNotFor) {
  peer.sends({.id = 1, .path = "/ps/data/a/+"});
  EXPECT_EQ(peer.sent(), "ACK 4.00 #1 t:t 'wildcards are observed, not read'");
  peer.sends({.code = code::kPut, .id = 2, .path = "/ps/data/%23", .payload = "x"});
  EXPECT_EQ(peer.sent(), "ACK 4.05 #2 t:t 'wildcards are observed'");
  peer.sends({.id = 3, .path = "/ps/data/a+/b", .observe = 0});
  EXPECT_EQ(peer.sent(), "ACK 4.00 #3 t:t ''+' or '#' is a level of its own, '#' the last'");
  peer.sends({.id = 4, .path = "/ps/data/%23/b", .observe = 0});
  EXPECT_EQ(peer.sent(), "ACK 4.00 #4 t:t ''+' or '#' is a level of its own, '#' the last'");
  peer.sends({.id = 5, .path = "/ps/conf/a/+"});
  EXPECT_EQ(peer.sent(), "ACK 4.00 #5 t:t 'a topic has no '+' or '#''");
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(ServerFilterTest, WhoMayNotSubscribeIsTold) {
  peer.sends({.id = 7, .path = "/ps/data/%23", .observe = 0});
  ASSERT_EQ(peer.wants(), "Attach");
  peer.answers(0, kOk);
  ASSERT_EQ(peer.wants(), "Subscribe # all");
  peer.answers(0, kNotAuthorized);
  EXPECT_EQ(peer.sent(), "ACK 4.03 #7 t:t");
}

TEST_F(ServerFilterTest, WhoMayNotAttachIsTold) {
  peer.sends({.id = 7, .path = "/ps/data/%23", .observe = 0});
  ASSERT_EQ(peer.wants(), "Attach");
  peer.answers(0, kBadCredentials);
  EXPECT_EQ(peer.sent(), "ACK 4.01 #7 t:t");
}

}  // namespace
}  // namespace hermod::coap::test
