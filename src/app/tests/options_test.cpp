// SPDX-License-Identifier: Apache-2.0
// What follows from the options of pub and sub, and which of them exclude each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include "commands/options.hpp"

namespace hermod::app {
namespace {

PubOptions pub(std::string url = {}, std::string topic = "a") {
  PubOptions options{.topic = std::move(topic), .message = "x"};
  options.client.url = std::move(url);
  return options;
}

SubOptions sub(std::vector<std::string> topics) {
  return {.topics = std::move(topics)};
}

template <typename Options>
std::string error(Options options) {
  const auto checked = complete(options);
  return checked ? "accepted" : checked.error();
}

TEST(Options, DefaultsAreThisMachineOverMqtt) {
  PubOptions options = pub();
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.scheme, Scheme::kMqtt);
  EXPECT_EQ(options.client.host, "localhost");
  EXPECT_EQ(options.client.port, 1883);
}

TEST(Options, UrlsFillInWhatTheySay) {
  PubOptions options = pub("coap://[::1]:77/ps/data/a/b", "");
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.scheme, Scheme::kCoap);
  EXPECT_EQ(options.client.host, "::1");
  EXPECT_EQ(options.client.port, 77);
  EXPECT_EQ(options.topic, "a/b");

  SubOptions more = sub({"c"});
  more.client.url = "mqtt://me:pw@h/a/%23";
  ASSERT_TRUE(complete(more));
  EXPECT_THAT(more.topics, testing::ElementsAre("a/#", "c"));
  EXPECT_EQ(more.client.user, "me");
  EXPECT_EQ(more.client.password, "pw");
}

TEST(Options, AuthIsOfMqtt5AndNeedsNameAndPassword) {
  const auto with = [](std::string auth, std::string url = "mqtt://me:pw@h") {
    PubOptions options = pub(std::move(url));
    options.client.auth = std::move(auth);
    return options;
  };
  PubOptions good = with("SCRAM-SHA-256");
  ASSERT_TRUE(complete(good));
  EXPECT_EQ(good.client.protocol, mqtt::Version::kV5);
  PubOptions small = with("scram-sha-256");
  ASSERT_TRUE(complete(small));
  EXPECT_EQ(small.client.auth, "SCRAM-SHA-256");
  EXPECT_THAT(error(with("SCRAM-SHA-1")), testing::HasSubstr("only SCRAM-SHA-256 is known"));
  EXPECT_THAT(error(with("SCRAM-SHA-256", "")), testing::HasSubstr("give -u and -P too"));
  EXPECT_THAT(error(with("SCRAM-SHA-256", "mqtt://me@h")),
              testing::HasSubstr("give -u and -P too"));
  EXPECT_THAT(error(with("SCRAM-SHA-256", "coap://h/ps/data/a")), testing::HasSubstr("CoAP"));
  PubOptions older = with("SCRAM-SHA-256");
  older.client.version = "mqttv311";
  EXPECT_THAT(error(older), testing::HasSubstr("belongs to MQTT 5"));
}

TEST(Options, OptionsWinOverTheUrlsUser) {
  PubOptions options = pub("mqtt://me:pw@h");
  options.client.user = "you";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.user, "you");
  EXPECT_EQ(options.client.password, "pw");
}

TEST(Options, IdPrefixesGetTheProcessId) {
  PubOptions options = pub();
  options.client.id_prefix = "p-";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.id, "p-" + std::to_string(getpid()));
}

TEST(Options, OneMessageAndOneTopic) {
  PubOptions both = pub();
  both.file = "f";
  EXPECT_EQ(error(both), "-m, -f, -s, -l and -n exclude each other: give one of them.");
  PubOptions none = pub();
  none.message.reset();
  EXPECT_EQ(error(none),
            "there is no message: give -m TEXT, -f FILE, -s (standard input), -l (each "
            "line of it) or -n (an empty one).");
  EXPECT_EQ(error(pub("", "")),
            "there is no topic: give -t TOPIC, or a URL such as mqtt://localhost/TOPIC.");
  EXPECT_EQ(error(pub("mqtt://h/b")), "the URL holds a topic already: leave out -t.");
}

TEST(Options, TopicsAreChecked) {
  EXPECT_EQ(error(pub("", "a/+")),
            "\"a/+\" is not a topic: + and # are wildcards, which only a "
            "subscription may have.");
  EXPECT_EQ(error(pub("", "\xff")), "\"\xff\" is not a topic: it is not UTF-8.");
  EXPECT_EQ(error(pub("mqtt://h/a%00b", "")),
            std::string("\"a\0b\" is not a topic: it holds a zero octet.", 44));
  EXPECT_EQ(error(pub("", std::string(65'536, 'x'))).substr(65'536),
            "x\" is not a topic: it is longer than 65535 octets.");
  EXPECT_EQ(error(sub({"a#"})),
            "\"a#\" is not a topic filter: # must stand alone in the last level.");
  EXPECT_EQ(error(sub({"a+/b"})),
            "\"a+/b\" is not a topic filter: + must stand alone in its level.");
  EXPECT_EQ(error(sub({""})), "\"\" is not a topic filter: it is empty.");
  SubOptions filtered = sub({"a"});
  filtered.filtered_out = {"#/a"};
  EXPECT_THAT(error(filtered), testing::StartsWith("\"#/a\" is not a topic filter"));
}

TEST(Options, WillsNeedATopicAndHaveALimit) {
  PubOptions options = pub();
  options.client.will_retain = true;
  EXPECT_EQ(error(options), "a will needs its topic: give --will-topic too.");
  options.client.will_topic = "w";
  EXPECT_EQ(error(options), "accepted");
  options.client.will_payload = std::string(65'536, 'x');
  EXPECT_EQ(error(options), "--will-payload has at most 65535 octets.");
}

TEST(Options, CoapHasNoSessions) {
  PubOptions options = pub("coap://h");
  options.client.keep_session = true;
  options.client.id = "me";
  EXPECT_EQ(error(options), "CoAP has no counterpart of -i: leave it out.");
  PubOptions twice = pub("coap://h");
  twice.client.qos = 2;
  EXPECT_EQ(error(twice), "CoAP has no counterpart of -q 2: leave it out.");
  SubOptions wild = sub({"a/#"});
  wild.client.url = "coap://h";
  EXPECT_EQ(error(wild),
            "\"a/#\" has wildcards, but CoAP observes one topic at a time. Use an "
            "mqtt:// URL.");
}

}  // namespace
}  // namespace hermod::app
