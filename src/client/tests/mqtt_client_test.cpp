// SPDX-License-Identifier: Apache-2.0
// The MQTT client against a server that follows a script. Packets in hexadecimal:
//   CONNECT of client "c", clean, keep-alive 60: kConnect311; CONNACK: 20 02 flags code
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include "hermod/client/mqtt_client.hpp"
#include "scripted_server.hpp"

namespace hermod::client {
namespace {

using model::Guarantee;

constexpr const char* kConnect311 = "10 0d 0004 4d515454 04 02 003c 0001 63";
constexpr const char* kConnack311 = "20 02 00 00";
constexpr const char* kDisconnect = "e0 00";

class MqttClientTest : public testing::Test {
 protected:
  MqttOptions options() {
    MqttOptions options{.host = "127.0.0.1", .port = server_.port()};
    options.session.client_id = "c";
    return options;
  }
  /// Connects and goes on with `next`.
  void connect(std::function<void()> next) {
    server_.expects(kConnect311).sends(kConnack311);
    client_ = std::make_unique<MqttClient>(io_.get_executor(), options());
    client_->async_connect([next = std::move(next)](error_code error, bool) {
      ASSERT_FALSE(error) << error.message();
      next();
    });
  }
  /// Notes how an operation ended.
  auto note(std::string name) {
    return [this, name = std::move(name)](error_code error) {
      log_.push_back(name + (error ? ": " + error.message() : ""));
    };
  }
  void receive(int count) {
    if (count == 0) return;
    client_->async_receive([this, count](error_code error, const MqttMessage& message) {
      log_.push_back(error ? error.message() : message.topic + "=" + message.payload);
      if (!error) receive(count - 1);
    });
  }

  asio::io_context io_;
  ScriptedTcpServer server_{io_};
  std::unique_ptr<MqttClient> client_;
  std::vector<std::string> log_;
};

// --- connecting ---

TEST_F(MqttClientTest, ConnectsAndDisconnects) {
  server_.expects("10 0d 0004 4d515454 04 00 003c 0001 63").sends("20 02 01 00");
  server_.expects(kDisconnect).expects_end();
  MqttOptions kept = options();
  kept.session.clean_session = false;
  client_ = std::make_unique<MqttClient>(io_.get_executor(), kept);
  client_->async_connect([this](error_code error, bool session_present) {
    EXPECT_FALSE(error);
    EXPECT_TRUE(session_present);
    client_->async_disconnect(note("bye"));
  });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("bye"));
}

TEST_F(MqttClientTest, RefusalsAreErrors) {
  server_.expects(kConnect311).sends("20 02 00 05").closes();
  client_ = std::make_unique<MqttClient>(io_.get_executor(), options());
  client_->async_connect([this](error_code error, bool) {
    EXPECT_EQ(error, Error::kNotAuthorized);
    note("refused")(error);
  });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("refused: not authorized"));
}

TEST_F(MqttClientTest, ServersThatAreNoMqttServersAreNoticed) {
  server_.expects(kConnect311).sends("485454502f312e3120343030").expects_end();  // HTTP/1.1 400
  client_ = std::make_unique<MqttClient>(io_.get_executor(), options());
  client_->async_connect([this](error_code error, bool) { note("connect")(error); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("connect: the server broke the protocol"));
}

TEST_F(MqttClientTest, ServersThatHangUpAreNoticed) {
  server_.expects(kConnect311).closes();
  client_ = std::make_unique<MqttClient>(io_.get_executor(), options());
  client_->async_connect([this](error_code error, bool) { note("connect")(error); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("connect: the server closed the connection"));
}

TEST_F(MqttClientTest, SilentServersAreGivenUp) {
  server_.expects(kConnect311).expects_end();
  MqttOptions hasty = options();
  hasty.session.connect_timeout_s = 1;
  client_ = std::make_unique<MqttClient>(io_.get_executor(), hasty);
  client_->async_connect([this](error_code error, bool) { note("connect")(error); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("connect: the server did not answer in time"));
}

TEST(MqttClient, NobodyListens) {
  asio::io_context io;
  std::uint16_t port = 0;
  {
    asio::ip::tcp::acceptor gone(io, {asio::ip::address_v4::loopback(), 0});
    port = gone.local_endpoint().port();
  }
  MqttClient client(io.get_executor(), {.host = "127.0.0.1", .port = port});
  error_code result;
  client.async_connect([&](error_code error, bool) { result = error; });
  run(io);
  EXPECT_EQ(result, asio::error::connection_refused);
}

TEST_F(MqttClientTest, OperationsNeedAConnection) {
  server_.expects(kConnect311).sends(kConnack311).expects_end();
  client_ = std::make_unique<MqttClient>(io_.get_executor(), options());
  client_->async_publish({.topic = "a"}, note("publish"));
  client_->async_unsubscribe({"a"}, note("unsubscribe"));
  client_->async_disconnect(note("disconnect"));
  client_->async_connect([this](error_code, bool) {
    client_->async_connect([this](error_code error, bool) {
      note("again")(error);
      client_->close();
    });
  });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("publish: not connected", "unsubscribe: not connected",
                                         "disconnect: not connected", "again: already connected"));
}

// --- publishing ---

TEST_F(MqttClientTest, PublishesAtEachQos) {
  //  -> PUBLISH q0, PUBLISH q1 id 1, PUBLISH q2 id 2   <- PUBREC 2, PUBACK 1
  //  -> PUBREL 2                                       <- PUBCOMP 2
  connect([this] {
    client_->async_publish({.topic = "a", .payload = "0"}, note("q0"));
    client_->async_publish({.topic = "a", .payload = "1", .guarantee = Guarantee::kAtLeastOnce},
                           note("q1"));
    client_->async_publish(
        {.topic = "a", .payload = "2", .guarantee = Guarantee::kExactlyOnce, .retain = true},
        note("q2"));
  });
  server_.expects("30 04 0001 61 30  32 06 0001 61 0001 31  35 06 0001 61 0002 32")
      .then([this] { EXPECT_THAT(log_, testing::IsSubsetOf({"q0"})); })
      .sends("50 02 0002  40 02 0001")
      .expects("62 02 0002")
      .then([this] { EXPECT_THAT(log_, testing::ElementsAre("q0", "q1")); })
      .sends("70 02 0002")
      .closes();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("q0", "q1", "q2"));
}

TEST_F(MqttClientTest, KeepsToItsInflightLimitAndTheOrder) {
  MqttOptions one = options();
  one.session.inflight_max = 1;
  client_ = std::make_unique<MqttClient>(io_.get_executor(), one);
  client_->async_connect([this](error_code, bool) {
    for (const char* payload : {"1", "2"}) {
      client_->async_publish(
          {.topic = "a", .payload = payload, .guarantee = Guarantee::kAtLeastOnce}, note(payload));
    }
    client_->async_publish({.topic = "a", .payload = "3"}, note("3"));
  });
  server_.expects(kConnect311).sends(kConnack311);
  server_.expects("32 06 0001 61 0001 31")
      .sends("40 02 0001")
      .expects("32 06 0001 61 0002 32  30 04 0001 61 33")  // QoS 0 does not overtake
      .sends("40 02 0002")
      .closes();
  run(io_);
  EXPECT_THAT(log_, testing::UnorderedElementsAre("1", "2", "3"));
}

TEST_F(MqttClientTest, BoundsThePublicationsThatHaveNotCompleted) {
  MqttOptions few = options();
  few.session.inflight_max = 1;
  few.publications_max = 2;
  client_ = std::make_unique<MqttClient>(io_.get_executor(), few);
  const auto publish = [this](const char* payload, auto handler) {
    client_->async_publish({.topic = "a", .payload = payload, .guarantee = Guarantee::kExactlyOnce},
                           handler);
  };
  client_->async_connect([&](error_code, bool) {
    publish("1", [&](error_code error) {
      note("1")(error);
      publish("4", note("4"));  // there is room again
    });
    publish("2", note("2"));
    publish("3", note("3"));
  });
  server_.expects(kConnect311).sends(kConnack311);
  server_.expects("34 06 0001 61 0001 31")
      .sends("50 02 0001")
      .expects("62 02 0001")
      .sends("70 02 0001")
      .expects("34 06 0001 61 0002 32")
      .sends("50 02 0002")
      .expects("62 02 0002")
      .sends("70 02 0002")
      .expects("34 06 0001 61 0003 34")
      .sends("50 02 0003")
      .expects("62 02 0003")
      .sends("70 02 0003")
      .closes();
  run(io_);
  EXPECT_THAT(
      log_, testing::ElementsAre("3: too many operations are under way: wait for some to complete",
                                 "1", "2", "4"));
}

TEST_F(MqttClientTest, WhatMqttCannotSayIsRefused) {
  connect([this] {
    client_->async_publish({.topic = "a/+"}, note("wildcard"));
    client_->async_publish({.topic = ""}, note("empty"));
    client_->async_publish({.topic = "a", .payload = std::string(268'435'456, 'x')}, note("large"));
    client_->async_unsubscribe({"a/#/b"}, note("filter"));
    client_->async_unsubscribe({}, [this](error_code error) {
      note("none")(error);
      client_->close();
    });
  });
  server_.expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("wildcard: not a valid topic", "empty: not a valid topic",
                                         "large: too large for a packet",
                                         "filter: not a valid topic", "none: not a valid topic"));
}

// --- subscribing and receiving ---

TEST_F(MqttClientTest, SubscribesAndUnsubscribes) {
  connect([this] {
    client_->async_subscribe(
        {{"a/#", Guarantee::kExactlyOnce}, {"b", Guarantee::kAtMostOnce}},
        [this](error_code error, const MqttGrants& grants) {
          EXPECT_FALSE(error);
          EXPECT_THAT(grants,
                      testing::ElementsAre(std::optional(Guarantee::kAtLeastOnce), std::nullopt));
          client_->async_unsubscribe({"a/#", "b"}, note("unsubscribed"));
        });
  });
  server_.expects("82 0c 0001 0003 612f23 02 0001 62 00")
      .sends("90 04 0001 01 80")
      .expects("a2 0a 0002 0003 612f23 0001 62")
      .sends("b0 02 0002")
      .closes();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("unsubscribed"));
}

TEST_F(MqttClientTest, AcknowledgesWhatIsHandedOver) {
  connect([] {});
  server_.sends("32 06 0001 61 0007 31  34 06 0001 61 0008 32  31 04 0001 61 33")
      .then([this] {
        client_->async_receive([](error_code, const MqttMessage& message) {
          EXPECT_EQ(message.packet_id, 7);
          EXPECT_EQ(message.guarantee, Guarantee::kAtLeastOnce);
          EXPECT_FALSE(message.retain);
        });
      })
      .expects("40 02 0007")
      .then([this] { receive(2); })
      .expects("50 02 0008")
      .sends("62 02 0008")
      .expects("70 02 0008")
      .closes();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("a=2", "a=3"));
}

TEST_F(MqttClientTest, WhatCameBeforeTheEndIsStillHandedOver) {
  connect([this] { client_->async_unsubscribe({"a"}, note("unsubscribe")); });
  server_.expects("a2 05 0001 0001 61").sends("30 04 0001 61 31  30 04 0001 61 32").closes();
  run(io_);
  receive(3);
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("unsubscribe: the server closed the connection", "a=1",
                                         "a=2", "the server closed the connection"));
}

TEST_F(MqttClientTest, TakesABoundedAmountWhileNobodyReceives) {
  constexpr int kMessages = 3000;
  std::string flood;
  for (int i = 0; i < kMessages; ++i) {
    flood += octets("30 83 40 0001 61") + std::string(8192, 'x');  // 8,195 octets follow the length
  }
  bool sent = false;
  connect([] {});
  server_.sends_raw(flood).then([&sent] { sent = true; }).closes();
  run_ready(io_);
  EXPECT_FALSE(sent) << "24 MB were taken although nobody receives";
  receive(kMessages + 1);
  run(io_);
  EXPECT_TRUE(sent);
  ASSERT_EQ(log_.size(), kMessages + 1u);
  EXPECT_EQ(log_.front().size(), 2u + 8192u);
  EXPECT_EQ(log_.back(), "the server closed the connection");
}

TEST_F(MqttClientTest, ReadsOnWherePacketsWaitForAnAcknowledgement) {
  // server: PUBLISH b (QoS 2) | client: PUBREC
  // server: PUBLISH a (QoS 1), PUBLISH b again, which waits for the PUBACK of a
  // client: PUBACK, PUBREC    | server: PUBREL  | client: PUBCOMP
  connect([this] { receive(1); });
  server_.sends("34 05 0001 62 0001")
      .expects("50 02 0001")
      .sends("32 05 0001 61 0002 3c 05 0001 62 0001")
      .then([this] {
        // The client has read both, and reads on, before anybody receives.
        asio::post(io_, [this] { asio::post(io_, [this] { receive(1); }); });
      })
      .expects("40 02 0002 50 02 0001")
      .sends("62 02 0001")
      .expects("70 02 0001")
      .then([this] { client_->close(); })
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("b=", "a="));
}

TEST_F(MqttClientTest, OnlyOneReceivesAtATime) {
  connect([this] {
    receive(1);
    client_->async_receive([this](error_code error, const MqttMessage&) {
      note("second")(error);
      client_->close();
    });
  });
  server_.expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre(testing::StartsWith("second: "),
                                         "the connection was closed by this side"));
}

// --- the end ---

TEST_F(MqttClientTest, AllOperationsEndWithTheConnection) {
  connect([this] {
    receive(1);
    client_->async_publish({.topic = "a", .guarantee = Guarantee::kAtLeastOnce}, note("publish"));
    client_->async_subscribe(
        {{"a", Guarantee::kAtMostOnce}},
        [this](error_code error, const MqttGrants&) { note("subscribe")(error); });
  });
  server_.expects("32 05 0001 61 0001  82 06 0002 0001 61 00").closes();
  run(io_);
  EXPECT_THAT(log_, testing::UnorderedElementsAre("publish: the server closed the connection",
                                                  "subscribe: the server closed the connection",
                                                  "the server closed the connection"));
}

TEST_F(MqttClientTest, DestructionClosesWithoutDisconnect) {
  connect([this] {
    receive(1);
    client_.reset();
  });
  server_.expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("the connection was closed by this side"));
}

TEST_F(MqttClientTest, ServersThatStayOpenAfterDisconnectAreLeft) {
  connect([this] { client_->async_disconnect(note("bye")); });
  server_.expects(kDisconnect).expects_end();
  // The script's server closes only when it sees the end, which the half-closed socket already is.
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("bye"));
}

TEST_F(MqttClientTest, KeepsAliveAndNoticesSilence) {
  MqttOptions lively = options();
  lively.session.keep_alive_s = 1;
  client_ = std::make_unique<MqttClient>(io_.get_executor(), lively);
  client_->async_connect([this](error_code, bool) { receive(1); });
  server_.expects("10 0d 0004 4d515454 04 02 0001 0001 63").sends(kConnack311);
  server_.expects("c0 00").sends("d0 00").expects("c0 00").expects_end();
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("the server did not answer in time"));
}

// --- completion tokens ---

asio::awaitable<void> publish_one(MqttClient& client, bool& done) {
  co_await client.async_connect(asio::use_awaitable);
  MqttPublication publication{.topic = "a", .payload = "1", .guarantee = Guarantee::kAtLeastOnce};
  co_await client.async_publish(publication, asio::use_awaitable);
  co_await client.async_disconnect(asio::use_awaitable);
  done = true;
}

TEST_F(MqttClientTest, WorksInCoroutines) {
  server_.expects(kConnect311)
      .sends(kConnack311)
      .expects("32 06 0001 61 0001 31")
      .sends("40 02 0001");
  server_.expects(kDisconnect).expects_end();
  MqttClient client(io_.get_executor(), options());
  bool done = false;
  asio::co_spawn(io_, publish_one(client, done), asio::detached);
  run(io_);
  EXPECT_TRUE(done);
}

TEST_F(MqttClientTest, WorksWithFutures) {
  server_.expects(kConnect311).sends("20 02 00 04").closes();
  MqttClient client(io_.get_executor(), options());
  auto connected = client.async_connect(asio::use_future);
  run(io_);
  try {
    static_cast<void>(connected.get());
    FAIL() << "must be refused";
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), Error::kBadCredentials);
  }
}

}  // namespace
}  // namespace hermod::client
