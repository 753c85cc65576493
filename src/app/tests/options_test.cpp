// SPDX-License-Identifier: Apache-2.0
// What follows from the options of pub and sub, and which of them exclude each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <utility>

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
std::string error_of(Options options) {
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

TEST(Options, FiltersAreThoseOfTheVersion) {
  SubOptions shared = sub({"$share//a"});
  EXPECT_EQ(error_of(shared), "accepted");  // before MQTT 5 any topic may begin so
  shared.client.version = "5";
  EXPECT_EQ(error_of(shared),
            "\"$share//a\" is not a topic filter: the name of the share is missing behind "
            "$share/.");
}

TEST(Options, ThereAreOtherWaysThanAHost) {
  PubOptions file = pub();
  file.client.unix_path = "/s";
  EXPECT_EQ(error_of(file), "accepted");
  file.client.port_option = 1;
  EXPECT_EQ(
      error_of(file),
      "--unix says where the broker is: leave out -h, -p and the URL, also in an options file.");
  PubOptions proxied = pub("mqtt://h/a", "");
  proxied.client.proxy_option = "socks5h://p";
  ASSERT_TRUE(complete(proxied));
  EXPECT_EQ(proxied.client.proxy->host, "p");
  EXPECT_EQ(proxied.client.host, "h");
  proxied.client.service = true;
  EXPECT_EQ(error_of(proxied), "--proxy and -S are two ways to the broker: give one.");
  PubOptions service = pub();
  service.client.service = true;
  ASSERT_TRUE(complete(service));
  EXPECT_EQ(service.client.host, "");
  service.client.port_option = 1;
  EXPECT_EQ(error_of(service), "-S looks the port up: leave out -p.");
  PubOptions coap = pub("coap://h/a", "");
  coap.client.service = true;
  EXPECT_EQ(error_of(coap), "CoAP has no counterpart of -S: leave it out.");
}

TEST(Options, MosquittosProgramsHaveTheirHabits) {
  SubOptions few = sub({"a"});
  few.client.program = {.task = Task::kSub, .mosquitto = true};
  few.client.version = "5";
  few.count = 3;
  ASSERT_TRUE(complete(few));
  EXPECT_EQ(few.client.receive_max, 3);
  few.count = 300;
  ASSERT_TRUE(complete(few));
  EXPECT_EQ(few.client.receive_max, 20);
  few.client.keep_alive_s = 4;
  EXPECT_EQ(error_of(few), "Invalid keepalive given, it must be between 5 and 65535 inclusive.");
  few.client.keep_alive_s = 5;
  few.client.session_expiry = "-1";
  EXPECT_EQ(error_of(few),
            "a session without end needs a client id to come back to it: give -i ID.");
  SubOptions old = sub({"a"});
  old.client.program = {.task = Task::kSub, .mosquitto = true};
  old.client.version = "31";
  ASSERT_TRUE(complete(old));
  EXPECT_TRUE(old.client.id.starts_with("mosq-"));
  EXPECT_EQ(old.client.id.size(), 23u);
  PubOptions ordered = pub("mqtt://h/u", "t");
  ordered.client.program = {.task = Task::kPub, .mosquitto = true};
  ordered.client.host_option = "other";
  ordered.client.topic_before_url = true;
  PubOptions behind = ordered;
  ASSERT_TRUE(complete(ordered));
  EXPECT_EQ(ordered.topic, "u");
  EXPECT_EQ(ordered.client.host, "other");
  behind.client.topic_before_url = false;
  behind.client.host_before_url = true;
  ASSERT_TRUE(complete(behind));
  EXPECT_EQ(behind.topic, "t");
  EXPECT_EQ(behind.client.host, "h");
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
  EXPECT_THAT(error_of(with("SCRAM-SHA-1")), testing::HasSubstr("only SCRAM-SHA-256 is known"));
  EXPECT_THAT(error_of(with("SCRAM-SHA-256", "")), testing::HasSubstr("give -u and -P too"));
  EXPECT_THAT(error_of(with("SCRAM-SHA-256", "mqtt://me@h")),
              testing::HasSubstr("give -u and -P too"));
  EXPECT_THAT(error_of(with("SCRAM-SHA-256", "coap://h/ps/data/a")), testing::HasSubstr("CoAP"));
  PubOptions older = with("SCRAM-SHA-256");
  older.client.version = "mqttv311";
  EXPECT_THAT(error_of(older), testing::HasSubstr("belongs to MQTT 5"));
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
  EXPECT_EQ(error_of(both), "-m, -f, -s, -l and -n exclude each other: give one of them.");
  PubOptions none = pub();
  none.message.reset();
  EXPECT_EQ(error_of(none),
            "there is no message: give -m TEXT, -f FILE, -s (standard input), -l (each "
            "line of it) or -n (an empty one).");
  EXPECT_EQ(error_of(pub("", "")),
            "there is no topic: give -t TOPIC, or a URL such as mqtt://localhost/TOPIC.");
  EXPECT_EQ(error_of(pub("mqtt://h/b")), "the URL holds a topic already: leave out -t.");
}

TEST(Options, TopicsAreChecked) {
  EXPECT_EQ(error_of(pub("", "a/+")),
            "\"a/+\" is not a topic: + and # are wildcards, which only a "
            "subscription may have.");
  EXPECT_EQ(error_of(pub("", "\xff")), "\"\xff\" is not a topic: it is not UTF-8.");
  EXPECT_EQ(error_of(pub("mqtt://h/a%00b", "")),
            std::string("\"a\0b\" is not a topic: it holds a zero octet.", 44));
  EXPECT_EQ(error_of(pub("", std::string(65'536, 'x'))).substr(65'536),
            "x\" is not a topic: it is longer than 65535 octets.");
  EXPECT_EQ(error_of(sub({"a#"})),
            "\"a#\" is not a topic filter: # must stand alone in the last level.");
  EXPECT_EQ(error_of(sub({"a+/b"})),
            "\"a+/b\" is not a topic filter: + must stand alone in its level.");
  EXPECT_EQ(error_of(sub({""})), "\"\" is not a topic filter: it is empty.");
  SubOptions filtered = sub({"a"});
  filtered.filtered_out = {"#/a"};
  EXPECT_THAT(error_of(filtered), testing::StartsWith("\"#/a\" is not a topic filter"));
}

TEST(Options, WillsNeedATopicAndHaveALimit) {
  PubOptions options = pub();
  options.client.will_retain = true;
  EXPECT_EQ(error_of(options), "a will needs its topic: give --will-topic too.");
  options.client.will_topic = "w";
  EXPECT_EQ(error_of(options), "accepted");
  options.client.will_payload = std::string(65'536, 'x');
  EXPECT_EQ(error_of(options), "--will-payload has at most 65535 octets.");
}

TEST(Options, CoapHasNoSessions) {
  PubOptions options = pub("coap://h");
  options.client.keep_session = true;
  options.client.id = "me";
  EXPECT_EQ(error_of(options), "CoAP has no counterpart of -i: leave it out.");
  PubOptions twice = pub("coap://h");
  twice.client.qos = 2;
  EXPECT_EQ(error_of(twice), "CoAP has no counterpart of -q 2: leave it out.");
}

TEST(Options, ResendingIsForMqtt31) {
  PubOptions options = pub();
  options.client.resend_after_s = 20;
  EXPECT_EQ(error_of(options),
            "--resend is for -V mqttv31: later versions of MQTT forbid to send anything again "
            "while a connection lasts.");
  options.client.version = "31";
  EXPECT_EQ(error_of(options), "accepted");
}

TEST(Options, RetainHandlingHasThreeWords) {
  for (const auto& [word, expected] : {std::pair{"always", mqtt::RetainHandling::kSend},
                                       std::pair{"new", mqtt::RetainHandling::kSendIfNew},
                                       std::pair{"never", mqtt::RetainHandling::kDoNotSend}}) {
    SubOptions options = sub({"a"});
    options.retain_handling_word = word;
    ASSERT_TRUE(complete(options));
    EXPECT_EQ(options.retain_handling, expected) << word;
  }
  SubOptions options = sub({"a"});
  options.retain_handling_word = "nevr";
  EXPECT_EQ(error_of(options), "--retain-handling is \"nevr\", but must be always, new or never.");
}

RrOptions rr(std::string response_topic = "answer") {
  return {.request = pub(), .response_topic = std::move(response_topic)};
}

TEST(Options, ARequestIsMqtt5AndHasAResponseTopic) {
  RrOptions options = rr();
  options.request.client.program = kHermodRr;
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.request.client.protocol, mqtt::Version::kV5);
  EXPECT_EQ(error_of(rr("")), "there is no topic for the response: give -e TOPIC.");
  EXPECT_THAT(error_of(rr("a/#")), testing::StartsWith("\"a/#\" is not a topic"));
  RrOptions coap = rr();
  coap.request.client.url = "coap://h";
  EXPECT_THAT(error_of(coap), testing::StartsWith("rr is there for MQTT only"));
}

TEST(Options, MosquittosProgramsIgnoreTheExpiryBeforeMqtt5) {
  PubOptions options = pub();
  options.client.program = *mosquitto_program("/usr/bin/mosquitto_pub");
  options.client.session_expiry = "5";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.protocol, mqtt::Version::kV311);
  options.client.has_properties = true;
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.protocol, mqtt::Version::kV5);
}

TEST(Options, MosquittosProgramsTakeWhatComesLast) {
  PubOptions options = pub("mqtt://there:77/b", "");
  options.client.host_option = "here";
  options.client.host_before_url = options.client.port_before_url = true;
  EXPECT_EQ(error_of(options), "the URL says where to connect to: leave out -h and -p.");
  options.client.program = *mosquitto_program("mosquitto_pub");
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.host, "there");
  EXPECT_EQ(options.client.port, 77);
}

TEST(Options, OnlyMosquittoOpensSeveralPorts) {
  ServeOptions options{.ports = {1, 2}};
  EXPECT_THAT(error_of(options), testing::StartsWith("-p is given twice"));
  options.program = *mosquitto_program("mosquitto");
  EXPECT_EQ(error_of(options), "accepted");
  options.ports.resize(11, 3);
  EXPECT_THAT(error_of(options), testing::StartsWith("-p may be given 10 times at most"));
  EXPECT_EQ(error_of(ServeOptions{.test_config = true}),
            "--test-config needs the configuration to look at: -c FILE.");
}

}  // namespace
}  // namespace hermod::app
