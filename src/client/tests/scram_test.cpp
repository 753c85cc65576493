// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication of the client library: SCRAM-SHA-256, and AUTH of any method against a
// server that follows a script.
#include "hermod/client/scram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/client/mqtt_client.hpp"
#include "hermod/client/mqtt_session.hpp"
#include "scripted_server.hpp"

namespace hermod::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const sasl::ScramVerifier& verifier() {
  static const auto kMade = sasl::make_verifier(as_bytes("secret"), as_bytes("salt"), 4'096);
  return *kMade;
}

TEST(ScramAuthenticator, BothSidesProveThemselvesAsOftenAsTheyLike) {
  ScramAuthenticator client("alice", "secret");
  EXPECT_EQ(client.method(), "SCRAM-SHA-256");
  std::string nonce;
  for (int round = 0; round < 2; ++round) {
    sasl::ScramServer server("server-nonce");
    const auto first = client.first();
    ASSERT_TRUE(first);
    EXPECT_NE(*first, nonce);  // another each time
    nonce = *first;
    EXPECT_EQ(server.begin(*first), "alice");
    const auto answer = client.step(as_bytes(server.challenge(verifier())));
    ASSERT_TRUE(answer) << answer.error();
    const auto last = server.finish(*answer);
    ASSERT_TRUE(last);
    EXPECT_TRUE(client.finish(as_bytes(*last)));
    EXPECT_FALSE(client.finish(as_bytes(*last)));  // it is over
    EXPECT_FALSE(client.step(as_bytes("r=x")));
  }
}

TEST(ScramAuthenticator, WhatIsNotBelievedIsSaid) {
  ScramAuthenticator client("alice", "secret");
  (void)client.first();
  EXPECT_THAT(client.step(as_bytes("r=x,s=AAAA,i=1")).error(), HasSubstr("nonce"));
  (void)client.first();
  EXPECT_THAT(client.finish({}).error(), HasSubstr("form"));
  EXPECT_THAT(ScramAuthenticator("", "x").first().error(), HasSubstr("user name"));
  EXPECT_THAT(ScramAuthenticator("a", "x\ny").first().error(), HasSubstr("control character"));
}

/// Says fixed words, and believes who says "ok".
class Words final : public mqtt::Authenticator {
 public:
  std::string_view method() const override { return "M"; }
  std::expected<std::string, std::string> first() override {
    if (mute) return std::unexpected("no words");
    return "1";
  }
  std::expected<std::string, std::string> step(Bytes) override { return "2"; }
  std::expected<void, std::string> finish(Bytes octets) override {
    if (as_text(octets) == "ok") return {};
    return std::unexpected("not ok");
  }
  bool mute = false;
};

constexpr const char* kConnectWithMethod =
    "10 16 0004 4d515454 05 02 003c 08 15 0001 4d 16 0001 31 0001 63";
constexpr const char* kAsk = "f0 06 18 04 15 0001 4d";
constexpr const char* kAnswer = "f0 0a 18 08 15 0001 4d 16 0001 32";
constexpr const char* kConnackWithMethod = "20 0c 00 00 09 15 0001 4d 16 0002 6f6b";
constexpr const char* kAgain = "f0 0a 19 08 15 0001 4d 16 0001 31";
constexpr const char* kDone = "f0 0b 00 09 15 0001 4d 16 0002 6f6b";

class AuthTest : public testing::Test {
 protected:
  void make(bool with = true) {
    MqttOptions options{.host = "127.0.0.1", .port = server_.port()};
    options.session.client_id = "c";
    options.session.version = mqtt::Version::kV5;
    if (with) options.session.authenticator = words_;
    client_ = std::make_unique<MqttClient>(io_.get_executor(), options);
  }
  void connect(std::function<void()> next) {
    server_.expects(kConnectWithMethod).sends(kAsk).expects(kAnswer).sends(kConnackWithMethod);
    make();
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
  std::shared_ptr<Words> words_ = std::make_shared<Words>();
  std::unique_ptr<MqttClient> client_;
  std::vector<std::string> log_;
};

TEST_F(AuthTest, AuthenticatesAgainOnOneConnection) {
  connect([this] {
    client_->async_reauthenticate([this](error_code error) {
      note("again")(error);
      client_->close();
    });
    client_->async_reauthenticate(note("twice"));
  });
  server_.expects(kAgain).sends(kAsk).expects(kAnswer).sends(kDone).expects_end();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("twice: too many operations are under way: wait for some to "
                                "complete",
                                "again"));
}

TEST_F(AuthTest, ARefusalEndsTheConnection) {
  connect([this] { client_->async_reauthenticate(note("again")); });
  server_.expects(kAgain).sends("e0 02 87 00").closes();
  run(io_);
  EXPECT_THAT(log_, ElementsAre("again: not authorized"));
}

TEST_F(AuthTest, AServerThatProvesNothingIsLeft) {
  server_.expects(kConnectWithMethod).sends("20 0a 00 00 07 15 0001 4d 16 0000");
  server_.expects("e0 01 80").expects_end();
  make();
  client_->async_connect([this](error_code error, bool) {
    EXPECT_EQ(error, Error::kUnproven);
    log_.push_back(client_->authentication_fault());
  });
  run(io_);
  EXPECT_THAT(log_, ElementsAre("not ok"));
}

TEST_F(AuthTest, ASessionDoesNotComeBackToAServerThatProvesNothing) {
  server_.expects(kConnectWithMethod).sends("20 0a 00 00 07 15 0001 4d 16 0000");
  server_.expects("e0 01 80").expects_end();
  MqttSessionOptions options{.mqtt = {.host = "127.0.0.1", .port = server_.port()}};
  options.mqtt.session.client_id = "c";
  options.mqtt.session.version = mqtt::Version::kV5;
  options.mqtt.session.authenticator = words_;
  MqttSession session(io_.get_executor(), options);
  session.async_connect([&](error_code error, bool) {
    EXPECT_EQ(error, Error::kUnproven);
    log_.push_back(session.authentication_fault());
  });
  run(io_);
  EXPECT_THAT(log_, ElementsAre("not ok"));
}

TEST_F(AuthTest, ASessionAuthenticatesAgainOnTheConnectionThatItHas) {
  MqttSessionOptions options{.mqtt = {.host = "127.0.0.1", .port = server_.port()}};
  options.mqtt.session.client_id = "c";
  options.mqtt.session.version = mqtt::Version::kV5;
  options.mqtt.session.authenticator = words_;
  MqttSession session(io_.get_executor(), options);
  session.async_reauthenticate(note("early"));
  session.async_connect([&](error_code error, bool) {
    note("connect")(error);
    session.async_reauthenticate([&](error_code again) {
      note("again")(again);
      session.async_reauthenticate([&](error_code refused) {
        note("refused")(refused);
        session.close();
      });
    });
  });
  server_.expects(kConnectWithMethod).sends(kConnackWithMethod);
  server_.expects(kAgain).sends(kAsk).expects(kAnswer).sends(kDone);
  server_.expects(kAgain).sends("e0 02 87 00").closes();
  run(io_);
  EXPECT_THAT(log_,
              ElementsAre("early: not connected", "connect", "again", "refused: not authorized"));
}

TEST_F(AuthTest, WhatCannotBeginIsToldAtOnce) {
  make();
  client_->async_reauthenticate(note("early"));
  words_->mute = true;
  client_->async_connect([this](error_code error, bool) {
    note("connect")(error);
    log_.push_back(client_->authentication_fault());
  });
  run(io_);
  EXPECT_THAT(log_, ElementsAre("early: not connected",
                                "connect: the server did not prove who it is", "no words"));
}

}  // namespace
}  // namespace hermod::client
