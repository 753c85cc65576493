// SPDX-License-Identifier: Apache-2.0
// The MQTT client in 5.0 and 3.1 against a server that follows a script. Packets in hexadecimal:
//   CONNECT 5 of client "c", clean, keep-alive 60, no properties: kConnect5
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/client/mqtt_client.hpp"
#include "scripted_server.hpp"

namespace hermod::client {
namespace {

using model::Guarantee;
using mqtt::ReasonCode;

constexpr const char* kConnect5 = "10 0e 0004 4d515454 05 02 003c 00 0001 63";
constexpr const char* kConnack5 = "20 03 00 00 00";

class MqttClientV5Test : public testing::Test {
 protected:
  MqttOptions options() {
    MqttOptions options{.host = "127.0.0.1", .port = server_.port()};
    options.session.client_id = "c";
    options.session.version = mqtt::Version::kV5;
    return options;
  }
  /// Connects with these terms of CONNACK and goes on with `next`.
  void connect(std::function<void()> next, const char* connack = kConnack5) {
    server_.expects(kConnect5).sends(connack);
    client_ = std::make_unique<MqttClient>(io_.get_executor(), options());
    client_->async_connect([next = std::move(next)](error_code error, bool) {
      ASSERT_FALSE(error) << error.message();
      next();
    });
  }
  auto note(std::string name) {
    return [this, name = std::move(name)](error_code error) {
      log_.push_back(name + (error ? ": " + error.message() : ""));
    };
  }

  asio::io_context io_;
  ScriptedTcpServer server_{io_};
  std::unique_ptr<MqttClient> client_;
  std::vector<std::string> log_;
};

TEST_F(MqttClientV5Test, TellsTheTermsOfTheServer) {
  connect(
      [this] {
        EXPECT_EQ(client_->server().client_id, "id7");
        EXPECT_EQ(client_->server().keep_alive_s, 10);
        EXPECT_EQ(client_->server().guarantee_max, Guarantee::kAtLeastOnce);
        EXPECT_FALSE(client_->server().retain);
        client_->async_publish({.topic = "a", .guarantee = Guarantee::kExactlyOnce}, note("qos"));
        client_->async_publish({.topic = "a", .retain = true}, note("retain"));
        client_->async_publish({.topic = "a", .payload = std::string(100, 'x')}, note("size"));
        client_->close();
      },
      "20 15 00 00 12 12 0003 696437 13 000a 24 01 25 00 27 00000032");
  server_.expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("qos: the server says: QoS not supported",
                                         "retain: the server says: Retain not supported",
                                         "size: too large for a packet"));
}

TEST_F(MqttClientV5Test, RefusalsCarryCodeAndReason) {
  server_.expects(kConnect5).sends("20 0a 00 97 07 1f 0004 66756c6c").closes();
  client_ = std::make_unique<MqttClient>(io_.get_executor(), options());
  client_->async_connect([this](error_code error, bool) {
    EXPECT_EQ(error, to_error(ReasonCode::kQuotaExceeded));
    EXPECT_EQ(error.message(), "the server says: Quota exceeded");
    EXPECT_EQ(client_->refusal().code, ReasonCode::kQuotaExceeded);
    EXPECT_EQ(client_->refusal().reason_string, "full");
    log_.emplace_back("refused");
  });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("refused"));
}

TEST_F(MqttClientV5Test, CodesThatMeanTheSameAreTheSameErrors) {
  EXPECT_EQ(to_error(ReasonCode::kBadUserNameOrPassword), Error::kBadCredentials);
  EXPECT_EQ(to_error(ReasonCode::kNotAuthorized), Error::kNotAuthorized);
  EXPECT_EQ(to_error(ReasonCode::kUnsupportedProtocolVersion), Error::kProtocolVersion);
  EXPECT_FALSE(to_error(ReasonCode::kNoMatchingSubscribers));
}

TEST_F(MqttClientV5Test, WhatExpiresAtOnceStillLeaves) {
  connect([this] {
    client_->async_publish({.topic = "a", .payload = "x", .properties = {.expiry_s = 0}},
                           note("published"));
  });
  server_.expects("30 0a 0001 61 05 02 00000001 78")
      .then([this] { client_->close(); })
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("published"));
}

TEST_F(MqttClientV5Test, PacketsCanBeWatched) {
  MqttOptions watched = options();
  watched.on_packet = [this](bool sent, Bytes packet) {
    log_.push_back((sent ? "> " : "< ") + std::to_string(packet[0] >> 4) + " " +
                   std::to_string(packet.size()));
  };
  server_.expects(kConnect5).sends("20 03 00 00 00 d0 00");  // two packets together
  server_.expects("32 08 0001 61 0001 00 78 79").sends("40 02 0001").expects("e0 00").closes();
  client_ = std::make_unique<MqttClient>(io_.get_executor(), watched);
  client_->async_connect([this](error_code, bool) {
    client_->async_publish({.topic = "a", .payload = "xy", .guarantee = Guarantee::kAtLeastOnce},
                           [this](error_code) { client_->async_disconnect([](error_code) {}); });
  });
  run(io_);
  EXPECT_THAT(log_, testing::IsSupersetOf({"< 2 5", "< 13 2", "> 3 10", "< 4 4", "> 14 2"}));
  EXPECT_EQ(log_.front().substr(0, 4), "> 1 ");
}

TEST_F(MqttClientV5Test, PublishesWithProperties) {
  connect([this] {
    client_->async_publish({.topic = "a",
                            .payload = "x",
                            .properties = {.content_type = "t",
                                           .response_topic = "r",
                                           .correlation_data = std::string("\0\1", 2),
                                           .expiry_s = 5,
                                           .text = true,
                                           .user = {{"k", "v"}, {"k", "w"}}}},
                           note("published"));
  });
  server_
      .expects(
          "30 27 0001 61 22 02 00000005 01 01 03 0001 74 08 0001 72 09 0002 0001"
          "26 0001 6b 0001 76 26 0001 6b 0001 77 78")
      .then([this] { client_->close(); })
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("published"));
}

TEST_F(MqttClientV5Test, BadPropertiesAreNotSent) {
  connect([this] {
    client_->async_publish({.topic = "a", .properties = {.response_topic = "r/#"}}, note("reply"));
    client_->async_publish({.topic = "a", .properties = {.content_type = "\xff"}}, note("type"));
    client_->async_publish({.topic = "a", .payload = "\xff", .properties = {.text = true}},
                           note("text"));
    client_->async_publish({.topic = "a", .properties = {.user = {{"\xff", ""}}}}, note("user"));
    client_->async_disconnect({.session_expiry_s = 5}, note("expiry"));
    client_->close();
  });
  server_.expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("reply: not a valid topic", "type: not a valid property",
                                         "text: not a valid property", "user: not a valid property",
                                         "expiry: not a valid property"));
}

TEST_F(MqttClientV5Test, PublicationsFailWithTheServersReason) {
  connect([this] {
    client_->async_publish({.topic = "a", .guarantee = Guarantee::kAtLeastOnce}, note("one"));
    client_->async_publish({.topic = "a", .guarantee = Guarantee::kExactlyOnce}, note("two"));
    client_->async_publish({.topic = "a", .guarantee = Guarantee::kAtLeastOnce}, note("three"));
  });
  server_.expects("32 06 0001 61 0001 00 34 06 0001 61 0002 00 32 06 0001 61 0003 00")
      .sends("40 03 0001 97 50 03 0002 87 40 03 0003 10")
      .closes();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("one: the server says: Quota exceeded",
                                         "two: not authorized", "three"));
}

TEST_F(MqttClientV5Test, PublicationsThatExpireBehindOthersAreOver) {
  // CONNACK: a receive maximum of 1.
  connect(
      [this] {
        client_->async_publish({.topic = "a", .guarantee = Guarantee::kExactlyOnce}, note("one"));
        client_->async_publish(
            {.topic = "a", .guarantee = Guarantee::kExactlyOnce, .properties = {.expiry_s = 0}},
            note("two"));
        client_->async_publish({.topic = "a", .guarantee = Guarantee::kExactlyOnce}, note("three"));
      },
      "20 06 00 00 03 21 0001");
  server_.expects("34 06 0001 61 0001 00")
      .sends("50 02 0001")
      .expects("62 02 0001")
      .sends("70 02 0001")
      .expects("34 06 0001 61 0002 00")
      .closes();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("two", "one", "three: the server closed the connection"));
}

TEST_F(MqttClientV5Test, SubscribesWithOptionsAndTellsTheCodes) {
  connect([this] {
    client_->async_subscribe({{.filter = "a",
                               .guarantee_max = Guarantee::kAtLeastOnce,
                               .no_local = true,
                               .retain_as_published = true,
                               .retain_handling = mqtt::RetainHandling::kDoNotSend},
                              {.filter = "b"}},
                             {.subscription_id = 9, .user = {{"k", "v"}}},
                             [this](error_code error, const MqttGrants& grants) {
                               EXPECT_FALSE(error);
                               ASSERT_EQ(grants.size(), 2u);
                               EXPECT_EQ(grants[0], MqttGrant(Guarantee::kAtLeastOnce));
                               EXPECT_FALSE(grants[1]);
                               EXPECT_EQ(grants[1].code, 0x8f);
                               client_->async_unsubscribe({"a"}, {.user = {{"k", "v"}}},
                                                          note("unsubscribed"));
                             });
  });
  server_.expects("82 14 0001 09 0b 09 26 0001 6b 0001 76 0001 61 2d 0001 62 00")
      .sends("90 05 0001 00 01 8f")
      .expects("a2 0d 0002 07 26 0001 6b 0001 76 0001 61")
      .sends("b0 04 0002 00 87")
      .closes();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("unsubscribed: not authorized"));
}

TEST_F(MqttClientV5Test, ReceivesPropertiesAndSubscriptionIds) {
  connect([this] {
    client_->async_receive([this](error_code error, const MqttMessage& message) {
      ASSERT_FALSE(error);
      EXPECT_EQ(message.topic, "a");
      EXPECT_EQ(message.payload, "x");
      EXPECT_EQ(message.properties.content_type, "t");
      EXPECT_EQ(message.properties.response_topic, "r");
      EXPECT_EQ(message.properties.correlation_data, std::string("\0\1", 2));
      EXPECT_EQ(message.properties.expiry_s, 5u);
      EXPECT_TRUE(message.properties.text);
      EXPECT_EQ(message.properties.user, (mqtt::UserProperties{{"k", "v"}, {"k", "w"}}));
      EXPECT_THAT(message.subscription_ids, testing::ElementsAre(3, 4));
      log_.emplace_back("received");
      client_->close();
    });
  });
  server_
      .sends(
          "30 2b 0001 61 26 02 00000005 01 01 03 0001 74 08 0001 72 09 0002 0001"
          "26 0001 6b 0001 76 26 0001 6b 0001 77 0b 03 0b 04 78")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("received"));
}

TEST_F(MqttClientV5Test, TheServersDisconnectEndsAllWithItsReason) {
  connect([this] {
    client_->async_publish({.topic = "a", .guarantee = Guarantee::kAtLeastOnce}, note("publish"));
    client_->async_receive([this](error_code error, const MqttMessage&) {
      EXPECT_EQ(error, to_error(ReasonCode::kSessionTakenOver));
      EXPECT_EQ(client_->refusal().reason_string, "new");
      log_.emplace_back("receive");
    });
  });
  server_.expects("32 06 0001 61 0001 00").sends("e0 08 8e 06 1f 0003 6e6577").closes();
  run(io_);
  EXPECT_THAT(log_,
              testing::ElementsAre("publish: the server says: Session taken over", "receive"));
}

TEST_F(MqttClientV5Test, DisconnectSaysWhatItIsTold) {
  connect([this] {
    client_->async_disconnect(
        {.reason = ReasonCode::kDisconnectWithWillMessage, .reason_string = "x"}, note("bye"));
  });
  server_.expects("e0 06 04 04 1f 0001 78").expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("bye"));
}

TEST_F(MqttClientV5Test, TheSameInMqtt31) {
  server_.expects("10 0f 0006 4d5149736470 03 02 003c 0001 63").sends("20 02 00 00");
  server_.expects("32 06 0001 61 0001 78").sends("40 02 0001").expects("e0 00").expects_end();
  MqttOptions old = options();
  old.session.version = mqtt::Version::kV31;
  client_ = std::make_unique<MqttClient>(io_.get_executor(), old);
  client_->async_connect([this](error_code error, bool) {
    ASSERT_FALSE(error);
    client_->async_publish({.topic = "a",
                            .payload = "x",
                            .guarantee = Guarantee::kAtLeastOnce,
                            .properties = {.content_type = "left out"}},
                           [this](error_code failed) {
                             note("published")(failed);
                             client_->async_disconnect(note("bye"));
                           });
  });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("published", "bye"));
}

}  // namespace
}  // namespace hermod::client
