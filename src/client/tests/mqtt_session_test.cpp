// SPDX-License-Identifier: Apache-2.0
// A session over several connections to a server that follows a script. Packets in hexadecimal;
// client "c", keep-alive 60, MQTT 3.1.1 and not clean unless a test says otherwise.
#include "hermod/client/mqtt_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <map>

#include "scripted_server.hpp"

namespace hermod::client {
namespace {

using model::Guarantee;
using mqtt::ReasonCode;
using testing::ElementsAre;
using Kind = MqttSessionChange::Kind;

constexpr const char* kConnectToKeep = "10 0d 0004 4d515454 04 00 003c 0001 63";
constexpr const char* kConnectClean = "10 0d 0004 4d515454 04 02 003c 0001 63";
constexpr const char* kNew = "20 02 00 00";      // CONNACK
constexpr const char* kPresent = "20 02 01 00";  // with a session
constexpr const char* kConnectV5 = "10 0e 0004 4d515454 05 00 003c 00 0001 63";

class MqttSessionTest : public testing::Test {
 protected:
  MqttSessionOptions options() {
    MqttSessionOptions options{.mqtt = {.host = "127.0.0.1", .port = server_.port()}};
    options.mqtt.session.client_id = "c";
    options.mqtt.session.clean_session = false;
    options.backoff = {.initial = std::chrono::milliseconds(1),
                       .longest = std::chrono::milliseconds(4),
                       .jitter = 0};
    options.on_change = [this](const MqttSessionChange& change) {
      changes_.push_back(change);
      if (auto what = std::exchange(hooks_[change.kind], nullptr)) what();
    };
    return options;
  }
  MqttSessionOptions options_v5() {
    MqttSessionOptions options = this->options();
    options.mqtt.session.version = mqtt::Version::kV5;
    return options;
  }
  void connect(const MqttSessionOptions& options, std::function<void()> next = [] {}) {
    session_ = std::make_unique<MqttSession>(io_.get_executor(), options);
    session_->async_connect([this, next = std::move(next)](error_code error, bool) {
      if (error) return add("connect: " + error.message());
      next();
    });
  }
  /// Does something when this change happens for the first time from now on.
  void when(Kind kind, std::function<void()> what) { hooks_[kind] = std::move(what); }
  /// The session is closed when so many things have happened.
  void ends_after(std::size_t count) { count_ = count; }
  void add(std::string what) {
    log_.push_back(std::move(what));
    if (log_.size() == count_) session_->close();
  }
  auto note(std::string name) {
    return [this, name = std::move(name)](error_code error, const auto&...) {
      add(name + (error ? ": " + error.message() : ""));
    };
  }
  void publish(const std::string& topic, Guarantee guarantee) {
    session_->async_publish({.topic = topic, .guarantee = guarantee}, note(topic));
  }
  void receive_all() {
    session_->async_receive([this](error_code error, const MqttMessage& message) {
      if (error) return add("receive: " + error.message());
      add(message.topic);
      receive_all();
    });
  }
  std::vector<Kind> kinds() const {
    std::vector<Kind> out;
    for (const MqttSessionChange& change : changes_) out.push_back(change.kind);
    return out;
  }

  asio::io_context io_;
  ScriptedTcpServer server_{io_};
  std::unique_ptr<MqttSession> session_;
  std::vector<std::string> log_;
  std::vector<MqttSessionChange> changes_;
  std::map<Kind, std::function<void()>> hooks_;
  std::size_t count_ = 0;
};

// --- publications ---

TEST_F(MqttSessionTest, ExchangesGoOnWhereTheyWereInTheirOrder) {
  ends_after(4);
  connect(options(), [this] {
    publish("a", Guarantee::kAtLeastOnce);
    publish("b", Guarantee::kExactlyOnce);
    publish("c", Guarantee::kExactlyOnce);
    publish("d", Guarantee::kAtLeastOnce);
  });
  server_.expects(kConnectToKeep)
      .sends(kNew)
      .expects("32 05 0001 61 0001 34 05 0001 62 0002 34 05 0001 63 0003 32 05 0001 64 0004")
      .sends("50 02 0002 40 02 0004")
      .expects("62 02 0002")
      .accepts()
      .expects(kConnectToKeep)
      .sends(kPresent)
      // PUBREL, then what has no answer, with its id and DUP [MQTT-4.4.0-1].
      .expects("62 02 0002 3a 05 0001 61 0001 3c 05 0001 63 0003")
      .sends("40 02 0001 70 02 0002 50 02 0003")
      .expects("62 02 0003")
      .sends("70 02 0003")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("d", "a", "b", "c"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::kConnected, Kind::kLost, Kind::kConnected));
  EXPECT_FALSE(changes_[0].session_present);
  EXPECT_EQ(changes_[1].error, make_error_code(Error::kClosedByServer));
  EXPECT_EQ(changes_[1].wait, std::chrono::milliseconds(1));
  EXPECT_TRUE(changes_[2].session_present);
}

TEST_F(MqttSessionTest, AServerThatHasForgottenGetsSubscriptionsThenMessagesAsNew) {
  ends_after(4);
  connect(options(), [this] {
    session_->async_subscribe({{"s", Guarantee::kAtLeastOnce}, {"refused"}, {"t"}}, note("sub"));
    session_->async_subscribe({{"t", Guarantee::kExactlyOnce}}, note("sub"));
    publish("a", Guarantee::kAtLeastOnce);
    publish("b", Guarantee::kExactlyOnce);
  });
  server_.expects(kConnectToKeep)
      .sends(kNew)
      .expects("82 14 0001 0001 73 01 0007 72656675736564 00 0001 74 00 82 06 0002 0001 74 02")
      .sends("90 05 0001 01 80 00 90 03 0002 02")
      .expects("32 05 0001 61 0003 34 05 0001 62 0004")
      .sends("50 02 0004")  // the server's from here on
      .expects("62 02 0004")
      .accepts()
      .expects(kConnectToKeep)
      .sends(kNew)
      .expects("82 06 0001 0001 73 01 82 06 0002 0001 74 02 32 05 0001 61 0003")
      .sends("90 03 0001 01 90 03 0002 02 40 02 0003")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("sub", "sub", "b", "a"));
}

TEST_F(MqttSessionTest, PublicationsWaitForTheFirstConnectionUpToTheirLimit) {
  ends_after(4);
  MqttSessionOptions options = this->options();
  options.mqtt.publications_max = 3;
  connect(options);
  publish("a", Guarantee::kAtMostOnce);
  publish("b", Guarantee::kAtLeastOnce);
  publish("c", Guarantee::kAtMostOnce);
  publish("d", Guarantee::kAtLeastOnce);
  server_.expects(kConnectToKeep)
      .sends(kNew)
      .expects("30 03 0001 61 32 05 0001 62 0001 30 03 0001 63")
      .sends("40 02 0001")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("d: too many operations are under way: wait for some to complete",
                                "a", "c", "b"));
}

TEST_F(MqttSessionTest, AtMostOnceFailsWithoutConnectionIfTheOptionsSaySo) {
  ends_after(2);
  MqttSessionOptions options = this->options();
  options.keeps_at_most_once = false;
  connect(options);
  publish("a", Guarantee::kAtMostOnce);
  publish("b", Guarantee::kAtLeastOnce);
  server_.expects(kConnectToKeep).sends(kNew).expects("32 05 0001 62 0001").sends("40 02 0001");
  server_.expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("a: not connected", "b"));
}

TEST_F(MqttSessionTest, AtMostOnceThatMayHaveLeftIsNotSentAgain) {
  ends_after(2);
  connect(options(), [this] {
    session_->async_publish({.topic = "a", .payload = std::string(50'000'000, 'x')}, note("a"));
  });
  when(Kind::kLost, [this] { publish("b", Guarantee::kAtLeastOnce); });
  server_.expects(kConnectToKeep).sends(kNew).expects("30").accepts();
  server_.expects(kConnectToKeep).sends(kPresent).expects("32 05 0001 62 0001").sends("40 02 0001");
  server_.expects_end();
  run(io_);
  ASSERT_EQ(log_.size(), 2u);
  EXPECT_NE(log_[0], "a");
  EXPECT_EQ(log_[1], "b");
}

TEST_F(MqttSessionTest, PublicationsAreCheckedAgainstTheTermsOfTheNextConnection) {
  ends_after(3);
  connect(options_v5(), [this] { publish("a", Guarantee::kAtLeastOnce); });
  when(Kind::kLost, [this] {
    publish("big", Guarantee::kExactlyOnce);
    publish("b", Guarantee::kAtLeastOnce);
  });
  server_.expects(kConnectV5)
      .sends("20 03 00 00 00")
      .expects("32 06 0001 61 0001 00")
      .accepts()
      .expects(kConnectV5)
      .sends("20 05 01 00 02 24 01")  // no QoS 2
      .expects("3a 06 0001 61 0001 00 32 06 0001 62 0002 00")
      .sends("40 02 0001 40 02 0002")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("big: the server says: QoS not supported", "a", "b"));
}

TEST_F(MqttSessionTest, MoreReleasedThanTheNextServerTakesAllComplete) {
  ends_after(2);
  connect(options_v5(), [this] {
    publish("a", Guarantee::kExactlyOnce);
    publish("b", Guarantee::kExactlyOnce);
  });
  server_.expects(kConnectV5)
      .sends("20 03 00 00 00")
      .expects("34 06 0001 61 0001 00 34 06 0001 62 0002 00")
      .sends("50 02 0001 50 02 0002")
      .expects("62 02 0001 62 02 0002")
      .accepts()
      .expects(kConnectV5)
      .sends("20 06 01 00 03 21 0001")
      .expects("62 02 0001 62 02 0002")
      .sends("70 02 0001 70 02 0002")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("a", "b"));
}

// --- messages ---

TEST_F(MqttSessionTest, MessagesComeOnceAcrossConnections) {
  connect(options());
  when(Kind::kLost, [this] { when(Kind::kConnected, [this] { receive_all(); }); });
  server_.expects(kConnectToKeep)
      .sends(kNew)
      .sends("32 05 0001 61 0001 34 05 0001 62 0002 30 03 0001 63")
      .accepts()
      .expects(kConnectToKeep)
      .sends("20 02 01 00 3a 05 0001 61 0001 3c 05 0001 62 0002")
      .expects("40 02 0001 50 02 0002")
      .sends("62 02 0002")
      .expects("70 02 0002")
      .then([this] { session_->close(); })
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("b", "c", "a", "receive: the connection was closed by this side"));
}

TEST_F(MqttSessionTest, WhoReceivesHearsNothingOfLostConnections) {
  ends_after(1);
  connect(options(), [this] { receive_all(); });
  server_.expects(kConnectToKeep).sends(kNew).accepts().expects(kConnectToKeep).closes().accepts();
  server_.expects(kConnectToKeep).sends(kPresent).sends("30 03 0001 61").expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("a", "receive: the connection was closed by this side"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::kConnected, Kind::kLost, Kind::kLost, Kind::kConnected));
  EXPECT_EQ(changes_[1].wait, std::chrono::milliseconds(1));
  EXPECT_EQ(changes_[2].wait, std::chrono::milliseconds(2));
}

// --- subscriptions ---

TEST_F(MqttSessionTest, RequestsWaitAndAreRepeatedInTheirOrder) {
  ends_after(4);
  MqttSessionOptions options = this->options();
  options.requests_max = 3;
  connect(options);
  session_->async_subscribe({{"a"}}, note("a"));
  session_->async_unsubscribe({"b"}, note("b"));
  session_->async_subscribe({{"c"}}, note("c"));
  session_->async_subscribe({{"d"}}, note("d"));
  server_.expects(kConnectToKeep)
      .sends(kNew)
      .expects("82 06 0001 0001 61 00 a2 05 0002 0001 62 82 06 0003 0001 63 00")
      .sends("90 03 0001 00")
      .accepts()
      .expects(kConnectToKeep)
      .sends(kPresent)
      .expects("a2 05 0004 0001 62 82 06 0005 0001 63 00")
      .sends("b0 02 0004 90 03 0005 00")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("d: too many operations are under way: wait for some to complete",
                                "a", "b", "c"));
}

TEST_F(MqttSessionTest, SubscribesAnewUntilTheServerHasAnswered) {
  connect(options(), [this] {
    session_->async_subscribe({{"a"}, {"b"}}, [this](error_code error, const auto&) {
      ASSERT_FALSE(error);
      session_->async_unsubscribe({"b"}, note("unsubscribed"));
    });
  });
  server_.expects(kConnectToKeep)
      .sends(kNew)
      .expects("82 0a 0001 0001 61 00 0001 62 00")
      .sends("90 04 0001 00 00")
      .expects("a2 05 0002 0001 62")
      .sends("b0 02 0002")
      .accepts()
      .expects(kConnectToKeep)
      .sends(kNew)
      .expects("82 06 0001 0001 61 00")
      .accepts()
      .expects(kConnectToKeep)
      .sends(kPresent)  // the session of the connection before, whose SUBACK was lost
      .expects("82 06 0002 0001 61 00")
      .sends("90 03 0002 00")
      .accepts()
      .expects(kConnectToKeep)
      .sends(kPresent)
      .then([this] { publish("x", Guarantee::kAtMostOnce); })
      .expects("30 03 0001 78")
      .then([this] { session_->close(); })
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("unsubscribed", "x"));
}

TEST_F(MqttSessionTest, TellsOfSubscriptionsThatTheServerNowRefuses) {
  connect(options_v5(), [this] { session_->async_subscribe({{"a"}}, note("granted")); });
  when(Kind::kUnsubscribed, [this] { session_->close(); });
  server_.expects(kConnectV5)
      .sends("20 03 00 00 00")
      .expects("82 07 0001 00 0001 61 00")
      .sends("90 04 0001 00 00")
      .accepts()
      .expects(kConnectV5)
      .sends("20 03 00 00 00")
      .expects("82 07 0001 00 0001 61 00")
      .sends("90 04 0001 00 87")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("granted"));
  EXPECT_EQ(changes_.back().filter, "a");
  EXPECT_EQ(changes_.back().error, make_error_code(Error::kNotAuthorized));
}

// --- what heals and what does not ---

TEST_F(MqttSessionTest, TriesAgainWhileTheServerIsUnavailable) {
  connect(options(), [this] { session_->async_disconnect(note("disconnected")); });
  server_.expects(kConnectToKeep).sends("20 02 00 03").accepts();
  server_.expects(kConnectToKeep).sends("20 02 00 03").accepts();
  server_.expects(kConnectToKeep).sends(kNew).expects("e0 00").expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("disconnected"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::kLost, Kind::kLost, Kind::kConnected));
  EXPECT_EQ(changes_[0].error, make_error_code(Error::kServerUnavailable));
}

TEST_F(MqttSessionTest, TriesAgainWhereNobodyListens) {
  MqttSessionOptions options = this->options();
  asio::ip::tcp::acceptor closed(io_, {asio::ip::address_v4::loopback(), 0});
  options.mqtt.port = closed.local_endpoint().port();
  closed.close();
  connect(options);
  when(Kind::kLost, [this] { when(Kind::kLost, [this] { session_->close(); }); });
  server_.stop();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("connect: the connection was closed by this side"));
  EXPECT_EQ(changes_[0].error, asio::error::connection_refused);
}

TEST_F(MqttSessionTest, GivesUpWhenRefusedForGood) {
  connect(options());
  publish("a", Guarantee::kAtLeastOnce);
  session_->async_subscribe({{"s"}}, note("s"));
  receive_all();
  server_.expects(kConnectToKeep).sends("20 02 00 05").expects_end();
  run(io_);
  publish("b", Guarantee::kAtLeastOnce);
  session_->async_subscribe({{"t"}}, note("t"));
  session_->async_disconnect(note("disconnect"));
  run(io_);
  EXPECT_THAT(log_, ElementsAre("connect: not authorized", "s: not authorized", "a: not authorized",
                                "receive: not authorized", "b: not connected", "t: not connected",
                                "disconnect: not connected"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::kGivenUp));
}

TEST_F(MqttSessionTest, ReportsAnotherServerAndDoesNotFollow) {
  connect(options_v5());
  server_.expects(kConnectV5).sends("20 0d 00 9c 0a 1c 0007 6f746865723a31").expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("connect: the server says: Use another server"));
  EXPECT_EQ(session_->server().server_reference, "other:1");
  EXPECT_EQ(session_->refusal().code, ReasonCode::kUseAnotherServer);
}

TEST_F(MqttSessionTest, DoesNotFightForASessionThatAnotherHasTaken) {
  connect(options_v5(), [this] { receive_all(); });
  server_.expects(kConnectV5).sends("20 03 00 00 00").sends("e0 02 8e 00").expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("receive: the server says: Session taken over"));
}

TEST(MayHeal, FollowsTheMeaningOfTheCode) {
  for (const ReasonCode code :
       {ReasonCode::kServerUnavailable, ReasonCode::kServerBusy, ReasonCode::kServerShuttingDown,
        ReasonCode::kKeepAliveTimeout, ReasonCode::kConnectionRateExceeded,
        ReasonCode::kQuotaExceeded, ReasonCode::kUnspecifiedError}) {
    EXPECT_TRUE(may_heal(to_error(code))) << mqtt::to_text(code);
  }
  for (const ReasonCode code :
       {ReasonCode::kBadUserNameOrPassword, ReasonCode::kNotAuthorized, ReasonCode::kBanned,
        ReasonCode::kUnsupportedProtocolVersion, ReasonCode::kClientIdentifierNotValid,
        ReasonCode::kSessionTakenOver, ReasonCode::kServerMoved, ReasonCode::kUseAnotherServer,
        ReasonCode::kMalformedPacket, ReasonCode::kProtocolError, ReasonCode::kPacketTooLarge,
        ReasonCode::kTopicNameInvalid, ReasonCode::kBadAuthenticationMethod}) {
    EXPECT_FALSE(may_heal(to_error(code))) << mqtt::to_text(code);
  }
  EXPECT_FALSE(may_heal(Error::kUnproven));
  EXPECT_TRUE(may_heal(Error::kTimeout));
  EXPECT_TRUE(may_heal(Error::kClosedByServer));
  EXPECT_TRUE(may_heal(asio::error::host_not_found));
}

// --- beginning and end ---

TEST_F(MqttSessionTest, KeepsTheIdThatTheServerAssigned) {
  MqttSessionOptions options = options_v5();
  options.mqtt.session.client_id.clear();
  options.mqtt.session.clean_session = true;  // at first
  connect(options);
  server_.expects("10 0d 0004 4d515454 05 02 003c 00 0000")
      .sends("20 09 00 00 06 12 0003 696437")
      .accepts()
      .expects("10 10 0004 4d515454 05 00 003c 00 0003 696437")
      .sends("20 03 01 00 00")
      .then([this] { session_->close(); })
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre());
}

TEST_F(MqttSessionTest, CleanSessionsOfOldVersionsStayClean) {
  ends_after(1);
  MqttSessionOptions options = this->options();
  options.mqtt.session.clean_session = true;
  connect(options, [this] { publish("a", Guarantee::kExactlyOnce); });
  server_.expects(kConnectClean).sends(kNew).expects("34 05 0001 61 0001").accepts();
  server_.expects(kConnectClean).sends(kNew).expects("34 05 0001 61 0001").sends("50 02 0001");
  server_.expects("62 02 0001").sends("70 02 0001").expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("a"));
}

TEST_F(MqttSessionTest, DisconnectsWhileItWaits) {
  connect(options());
  when(Kind::kLost, [this] { session_->async_disconnect(note("disconnect")); });
  publish("a", Guarantee::kAtLeastOnce);
  server_.expects(kConnectToKeep).closes();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("connect: the connection was closed by this side",
                                "a: the connection was closed by this side", "disconnect"));
}

TEST_F(MqttSessionTest, OperationsCompleteWhenTheSessionIsDestroyed) {
  connect(options(), [this] {
    session_->async_subscribe({{"s"}}, note("s"));
    publish("a", Guarantee::kAtLeastOnce);
    receive_all();
    session_.reset();
  });
  server_.expects(kConnectToKeep).sends(kNew).expects_end();
  run(io_);
  EXPECT_THAT(log_,
              testing::UnorderedElementsAre("s: the connection was closed by this side",
                                            "a: the connection was closed by this side",
                                            "receive: the connection was closed by this side"));
}

// --- completion tokens ---

TEST_F(MqttSessionTest, CoroutinesAndFutures) {
  session_ = std::make_unique<MqttSession>(io_.get_executor(), options());
  const auto work = [this]() -> asio::awaitable<void> {
    using asio::use_awaitable;
    EXPECT_FALSE(co_await session_->async_connect(use_awaitable));
    std::vector<MqttSubscription> wanted{{"s"}};
    const MqttGrants grants = co_await session_->async_subscribe(wanted, use_awaitable);
    EXPECT_EQ(grants.size(), 1u);
    const MqttMessage message = co_await session_->async_receive(use_awaitable);
    add(message.topic);
    MqttPublication answer{.topic = "r", .guarantee = Guarantee::kAtLeastOnce};
    co_await session_->async_publish(answer, use_awaitable);
    co_await session_->async_disconnect(use_awaitable);
    add("done");
  };
  asio::co_spawn(io_, work, [](const std::exception_ptr& failed) { EXPECT_FALSE(failed); });
  server_.expects(kConnectToKeep)
      .sends(kNew)
      .expects("82 06 0001 0001 73 00")
      .sends("90 03 0001 00")
      .accepts()
      .expects(kConnectToKeep)
      .sends(kPresent)
      .sends("30 03 0001 73")
      .expects("32 05 0001 72 0002")
      .sends("40 02 0002")
      .expects("e0 00")
      .expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("s", "done"));
  std::future<void> late = session_->async_publish({.topic = "a"}, asio::use_future);
  run(io_);
  EXPECT_THROW(late.get(), boost::system::system_error);
}

}  // namespace
}  // namespace hermod::client
