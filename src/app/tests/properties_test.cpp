// SPDX-License-Identifier: Apache-2.0
// -D in mosquitto's grammar, -x, and what follows from them and from -V.
#include "commands/properties.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "commands/mqtt_setup.hpp"
#include "commands/options.hpp"

namespace hermod::app {
namespace {

/// Reads one -D; the number of its words, or the error.
std::string read(std::vector<std::string> words, CommandProperties& properties) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  const auto count = read_property(pointers, properties);
  return count ? std::to_string(*count) : count.error();
}
std::string read(std::vector<std::string> words) {
  CommandProperties properties;
  return read(std::move(words), properties);
}

PubOptions pub_over() {
  return {.topic = "a", .message = "x"};
}
std::string error(PubOptions options) {
  const auto checked = complete(options);
  return checked ? "accepted" : checked.error();
}

TEST(Properties, OfAMessage) {
  CommandProperties given;
  EXPECT_EQ(read({"publish", "content-type", "-text", "more"}, given), "3");
  EXPECT_EQ(read({"publish", "response-topic", "r"}, given), "3");
  EXPECT_EQ(read({"publish", "correlation-data", "\xff"}, given), "3");
  EXPECT_EQ(read({"publish", "message-expiry-interval", "4294967295"}, given), "3");
  EXPECT_EQ(read({"publish", "payload-format-indicator", "1"}, given), "3");
  EXPECT_EQ(read({"publish", "user-property", "k", "v"}, given), "4");
  EXPECT_EQ(read({"publish", "user-property", "k", "w", "x"}, given), "4");
  const mqtt::MessageProperties properties = given.publish.of_message();
  EXPECT_EQ(properties.content_type, "-text");
  EXPECT_EQ(properties.response_topic, "r");
  EXPECT_EQ(properties.correlation_data, "\xff");
  EXPECT_EQ(properties.expiry_s, UINT32_MAX);
  EXPECT_TRUE(properties.text);
  EXPECT_EQ(properties.user, (mqtt::UserProperties{{"k", "v"}, {"k", "w"}}));
  EXPECT_TRUE(given.will.of_message().empty());
}

TEST(Properties, OfEveryCommand) {
  for (const char* command :
       {"connect", "publish", "will", "subscribe", "unsubscribe", "disconnect"}) {
    EXPECT_EQ(read({command, "user-property", "k", "v"}), "4") << command;
  }
  EXPECT_EQ(read({"will", "will-delay-interval", "5"}), "3");
  EXPECT_EQ(read({"subscribe", "subscription-identifier", "268435455"}), "3");
  EXPECT_EQ(read({"disconnect", "session-expiry-interval", "5"}), "3");
}

TEST(Properties, WrongOnesAreRefusedInMosquittosWords) {
  EXPECT_EQ(read({"publish", "content-type"}),
            "--property argument given but not enough arguments specified.");
  EXPECT_EQ(read({"publish", "user-property", "k"}),
            "--property argument given but not enough arguments specified.");
  EXPECT_EQ(read({"foo", "content-type", "t"}), "Invalid command given in --property argument.");
  EXPECT_EQ(read({"publish", "foo", "t"}), "Invalid property name given in --property argument.");
  EXPECT_EQ(read({"connect", "content-type", "t"}),
            "content-type property not allowed for connect in --property argument.");
  EXPECT_EQ(read({"connect", "receive-maximum", "65536"}),
            "Property value (65536) out of range for property receive-maximum.");
  EXPECT_EQ(read({"connect", "receive-maximum", "0"}),
            "Property value (0) out of range for property receive-maximum.");
  EXPECT_EQ(read({"connect", "receive-maximum", "1x"}),
            "Property value (1x) for property receive-maximum is not a number.");
  EXPECT_EQ(read({"publish", "response-topic", "a/#"}),
            "the response-topic \"a/#\" is not a topic.");
  EXPECT_EQ(read({"publish", "content-type", "\xff"}), "the content-type is not UTF-8.");
  EXPECT_EQ(read({"publish", "user-property", "k", std::string(65'536, 'x')}),
            "the user-property has at most 65535 octets.");
  CommandProperties given;
  EXPECT_EQ(read({"publish", "content-type", "t"}, given), "3");
  EXPECT_EQ(read({"publish", "content-type", "u"}, given),
            "content-type is given twice for publish.");
}

TEST(Properties, SessionExpiry) {
  EXPECT_EQ(read_session_expiry("0"), 0u);
  EXPECT_EQ(read_session_expiry("4294967295"), UINT32_MAX);
  EXPECT_EQ(read_session_expiry("-1"), UINT32_MAX);
  EXPECT_EQ(read_session_expiry("∞"), UINT32_MAX);
  EXPECT_EQ(read_session_expiry("abc").error(), "session-expiry-interval not a number.");
  EXPECT_EQ(read_session_expiry("-2").error(), "session-expiry-interval out of range.");
  EXPECT_EQ(read_session_expiry("4294967296").error(), "session-expiry-interval out of range.");
}

TEST(Versions, AreNamedAsInMosquitto) {
  const std::array<std::pair<const char*, mqtt::Version>, 7> names{
      {{"", mqtt::Version::kV311},
       {"mqttv31", mqtt::Version::kV31},
       {"31", mqtt::Version::kV31},
       {"mqttv311", mqtt::Version::kV311},
       {"311", mqtt::Version::kV311},
       {"mqttv5", mqtt::Version::kV5},
       {"5", mqtt::Version::kV5}}};
  for (const auto& [name, version] : names) {
    PubOptions options = pub_over();
    options.client.version = name;
    EXPECT_TRUE(complete(options));
    EXPECT_EQ(options.client.protocol, version) << name;
  }
  PubOptions other = pub_over();
  other.client.version = "4";
  EXPECT_EQ(error(other), "-V is \"4\", but must be mqttv5, mqttv311 or mqttv31 (or 5, 311, 31).");
}

TEST(Versions, WhatOnlyMqtt5HasAsksForIt) {
  PubOptions options = pub_over();
  options.client.session_expiry = "5";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.protocol, mqtt::Version::kV5);
  EXPECT_EQ(options.client.session_expiry_s, 5u);
  options.client.version = "311";
  EXPECT_EQ(error(options), "-D and -x belong to MQTT 5: leave out -V, or give -V mqttv5.");
}

TEST(Versions, AKeptSessionNeverExpiresUnlessTold) {
  PubOptions options = pub_over();
  options.client.version = "5";
  options.client.keep_session = true;
  options.client.id = "me";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(mqtt_options(options.client).session.session_expiry_s, UINT32_MAX);
  options.client.session_expiry = "7";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(mqtt_options(options.client).session.session_expiry_s, 7u);
}

TEST(Versions, Mqtt31HasNoAssignedIds) {
  PubOptions options = pub_over();
  options.client.version = "31";
  ASSERT_TRUE(complete(options));
  EXPECT_THAT(options.client.id, testing::StartsWith("hermod-"));
  EXPECT_LE(options.client.id.size(), 23u);
}

TEST(Versions, PasswordsNeedNoNameInMqtt5) {
  PubOptions options = pub_over();
  options.client.password = "secret";
  EXPECT_THAT(error(options), testing::StartsWith("-P needs a user name"));
  options.client.version = "5";
  EXPECT_EQ(error(options), "accepted");
}

TEST(Versions, ASessionThatIsNotThereCannotBeKept) {
  PubOptions options = pub_over();
  ASSERT_EQ(read({"disconnect", "session-expiry-interval", "5"}, options.client.properties), "3");
  options.client.has_properties = true;
  EXPECT_THAT(error(options), testing::StartsWith("a session that ends with the connection"));
  options.client.session_expiry = "1";
  EXPECT_EQ(error(options), "accepted");
}

TEST(Setup, ConnectAndWillSayWhatTheOptionsSay) {
  PubOptions options = pub_over();
  CommandProperties& given = options.client.properties;
  options.client.has_properties = true;
  options.client.will_topic = "w";
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"connect", "receive-maximum", "3"},
                                             {"connect", "maximum-packet-size", "500"},
                                             {"connect", "topic-alias-maximum", "4"},
                                             {"connect", "request-response-information", "1"},
                                             {"connect", "request-problem-information", "0"},
                                             {"connect", "session-expiry-interval", "9"},
                                             {"connect", "user-property", "a", "b"},
                                             {"publish", "topic-alias", "6"},
                                             {"will", "will-delay-interval", "8"},
                                             {"will", "content-type", "t"}}) {
    EXPECT_NE(read(words, given), "");
  }
  ASSERT_TRUE(complete(options));
  const mqtt::ClientOptions session = mqtt_options(options.client).session;
  EXPECT_EQ(session.version, mqtt::Version::kV5);
  EXPECT_EQ(session.receive_max, 3);
  EXPECT_EQ(session.packet_bytes_max, 500u);
  EXPECT_EQ(session.topic_alias_max, 4);
  EXPECT_EQ(session.own_topic_alias_max, 6);
  EXPECT_TRUE(session.request_response_information);
  EXPECT_FALSE(session.request_problem_information);
  EXPECT_EQ(session.session_expiry_s, 9u);
  EXPECT_EQ(session.user_properties, (mqtt::UserProperties{{"a", "b"}}));
  EXPECT_EQ(session.will->delay_s, 8u);
  EXPECT_EQ(session.will->properties.content_type, "t");
}

TEST(Repeat, IsForOneMessageOverMqtt) {
  PubOptions lines{.topic = "a", .lines = true, .repeat = 2};
  EXPECT_EQ(error(lines), "--repeat repeats one message: it does not go with -l.");
  PubOptions coap = pub_over();
  coap.client.url = "coap://h";
  coap.repeat = 2;
  EXPECT_EQ(error(coap), "--repeat is there for MQTT only.");
}

}  // namespace
}  // namespace hermod::app
