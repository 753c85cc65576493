// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication from the client's end (MQTT 5.0 §4.12).
#include "client_peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Close;
using session::Completed;
using session::Credit;
using session::Opened;
using testkit::octets;
using enum PropertyId;
using enum ReasonCode;

/// Says its steps, and believes a server that says "good".
class Parrot final : public Authenticator {
 public:
  std::string_view method() const override { return "M"; }
  std::expected<std::string, std::string> first() override {
    if (mute) return std::unexpected("cannot begin");
    return "first";
  }
  std::expected<std::string, std::string> step(Bytes challenge) override {
    if (as_text(challenge) == "bad") return std::unexpected("do not like it");
    return "to " + std::string(as_text(challenge));
  }
  std::expected<void, std::string> finish(Bytes octets) override {
    if (as_text(octets) != "good") return std::unexpected("do not believe it");
    return {};
  }
  bool mute = false;
};

ClientOptions options_with(std::shared_ptr<Authenticator> authenticator) {
  return v5_options([&](ClientOptions& o) { o.authenticator = std::move(authenticator); });
}

std::vector<Property> method_and(std::string_view data, std::string_view method = "M") {
  std::vector<Property> list{text(kAuthenticationMethod, method)};
  if (!data.empty()) list.push_back({.id = kAuthenticationData, .data = as_bytes(data)});
  return list;
}
wire::Octets auth(ReasonCode reason, std::string_view data, std::string_view method = "M") {
  return wire::v5::auth(reason, method_and(data, method));
}

/// A server that has got CONNECT with "first".
class Greeted : public ClientPeer {
 public:
  explicit Greeted(std::shared_ptr<Parrot> parrot = std::make_shared<Parrot>())
      : ClientPeer(options_with(std::move(parrot))) {
    opens();
    const EncodedProperties list = block_of(method_and("first"));
    expects(wire5::encode(ConnectView{.version = Version::kV5,
                                      .keep_alive_s = 60,
                                      .client_id = "me",
                                      .properties = list.block()}));
  }
  /// It ends, and says why in the Authenticator's words.
  void expects_doubt(std::string_view why) {
    expects_close(Reason::kUnproven);
    EXPECT_EQ(session().authentication_fault(), why);
  }
};

/// One that the client believes.
class Believed : public Greeted {
 public:
  explicit Believed(std::shared_ptr<Parrot> parrot = std::make_shared<Parrot>())
      : Greeted(std::move(parrot)) {
    sends(wire5::connack(method_and("good")));
    EXPECT_EQ(effect<Opened>().reason, Reason::kOk);
    expects_effect<Credit>();
  }
  [[nodiscard]] bool reauthenticate(session::Ticket ticket = 9) {
    bool sent = false;
    host().run([&](session::Effects& effects) {
      sent = session().reauthenticate(ticket, clock().now(), effects);
    });
    return sent;
  }
};

// client                      server
//   | CONNECT M "first"   ->    |
//   |    <- AUTH 0x18 "one"     |
//   | AUTH 0x18 "to one"  ->    |
//   |    <- AUTH 0x18           |
//   | AUTH 0x18 "to "     ->    |
//   |    <- CONNACK "good"      |
TEST(Mqtt5Client, MQTT_4_12_0_3_and_5_each_auth_is_answered_with_continue) {
  Greeted peer;
  peer.sends_slowly(auth(kContinueAuthentication, "one"));
  peer.expects(auth(kContinueAuthentication, "to one")).expects_nothing();
  peer.sends(auth(kContinueAuthentication, ""));
  peer.expects(auth(kContinueAuthentication, "to ")).expects_nothing();
  peer.sends(wire5::connack(method_and("good")));
  EXPECT_EQ(peer.effect<Opened>().reason, Reason::kOk);
  peer.expects_effect<Credit>().expects_nothing();
  EXPECT_EQ(peer.session().authentication_fault(), "");
}

TEST(Mqtt5Client, MQTT_4_12_0_5_another_method_is_a_protocol_error) {
  Greeted peer;
  peer.sends(auth(kContinueAuthentication, "one", "N")).expects_close(Reason::kProtocolError);
  for (const std::vector<Property>& list : {method_and("good", "N"), {}}) {
    Greeted connack;
    connack.sends(wire5::connack(list));
    connack.expects(wire5::disconnect(kProtocolError)).expects_close(Reason::kProtocolError);
    connack.expects_nothing();
  }
}

TEST(Mqtt5Client, MQTT_4_12_0_6_and_7_without_authenticator_there_is_no_auth) {
  ClientPeer early(v5_options());
  early.opens();
  (void)early.host().take_output();
  early.sends(auth(kContinueAuthentication, "one")).expects_close(Reason::kProtocolError);
  ClientPeer named(v5_options());
  named.opens();
  (void)named.host().take_output();
  named.sends(wire5::connack(method_and("good")));
  named.expects(wire5::disconnect(kProtocolError)).expects_close(Reason::kProtocolError);
  ClientPeerV5 late;
  late.sends(auth(kContinueAuthentication, "one")).expects(wire5::disconnect(kProtocolError));
  late.expects_close(Reason::kProtocolError);
}

TEST(Mqtt5Client, MQTT_3_1_2_30_only_auth_is_sent_before_connack) {
  Greeted peer;
  const model::Message message = message_of("a", "x");
  peer.delivers({.message = &message}, 1).expects_nothing();
  EXPECT_FALSE(peer.subscribe({{"a", 0}}, 7));
  peer.disconnects().expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_15_2_1_auth_says_what_a_server_may_say) {
  for (const ReasonCode code : {kSuccess, kReauthenticate}) {
    Greeted peer;
    peer.sends(auth(code, "one")).expects_close(Reason::kProtocolError);
  }
  Greeted wrong;
  wrong.sends(octets("f0 06 01 04 15 0001 'M'")).expects_close(Reason::kMalformed);
  Greeted flags;
  flags.sends(octets("f1 00")).expects_close(Reason::kMalformed);
  Greeted other;  // behind an AUTH
  other.sends(auth(kContinueAuthentication, "one") + octets("90 03 0000 00"));
  other.expects(auth(kContinueAuthentication, "to one")).expects_close(Reason::kProtocolError);
}

TEST(Mqtt5Client, MQTT_4_12_0_4_a_refusal_of_the_server_is_told) {
  Greeted peer;
  peer.sends(wire5::connack({}, false, kBadAuthenticationMethod));
  const auto opened = peer.effect<Opened>();
  EXPECT_EQ(opened.reason, Reason::kBadMethod);
  EXPECT_EQ(opened.code, 0x8C);
  peer.expects_close(Reason::kBadMethod);
}

TEST(Mqtt5Client, Section_4_12_a_server_that_is_not_believed_is_left) {
  Greeted challenge;
  challenge.sends(auth(kContinueAuthentication, "bad"));
  challenge.expects_doubt("do not like it");
  for (const std::string_view proof : {"", "bad"}) {
    Greeted connack;
    connack.sends(wire5::connack(method_and(proof)));
    connack.expects(wire5::disconnect(kUnspecifiedError));
    connack.expects_doubt("do not believe it");
    connack.expects_nothing();  // it was never open
  }
}

TEST(Mqtt5Client, Section_4_12_a_server_that_asks_for_ever_is_left) {
  Greeted peer;
  for (int i = 0; i < 16; ++i) {
    peer.sends(auth(kContinueAuthentication, "q")).expects(auth(kContinueAuthentication, "to q"));
  }
  peer.sends(auth(kContinueAuthentication, "q")).expects_close(Reason::kProtocolError);
}

TEST(Mqtt5Client, Section_4_12_the_exchange_does_not_make_the_time_to_connect_longer) {
  Greeted peer;
  peer.after(20s).sends(auth(kContinueAuthentication, "q"));
  peer.expects(auth(kContinueAuthentication, "to q")).after(10s);
  EXPECT_EQ(peer.effect<Opened>().reason, Reason::kTimeout);
  peer.expects_close(Reason::kTimeout);
}

TEST(Mqtt5Client, Section_4_12_what_cannot_begin_is_not_sent) {
  const auto mute = std::make_shared<Parrot>();
  mute->mute = true;
  ClientOptions older = options_with(std::make_shared<Parrot>());
  older.version = Version::kV311;
  for (auto& [options, why] : {std::pair(options_with(mute), "cannot begin"),
                               std::pair(older, "enhanced authentication needs MQTT 5")}) {
    ClientPeer peer(options);
    peer.opens();
    EXPECT_EQ(peer.effect<Opened>().reason, Reason::kUnproven);
    peer.expects_close(Reason::kUnproven).expects_nothing();
    EXPECT_EQ(peer.session().authentication_fault(), why);
  }
}

// --- authenticating again (§4.12.1) ---

// client                      server
//   | AUTH 0x19 "first"   ->    |
//   |    <- AUTH 0x18 "one"     |
//   |    <- PUBLISH             |
//   | AUTH 0x18 "to one"  ->    |
//   |    <- AUTH 0x00 "good"    |
TEST(Mqtt5Client, MQTT_4_12_1_1_the_method_is_the_one_of_connect) {
  Believed peer;
  EXPECT_TRUE(peer.reauthenticate());
  EXPECT_FALSE(peer.reauthenticate());  // one at a time
  peer.expects(auth(kReauthenticate, "first"));
  peer.sends(wire::v5::publish("a", "x") + auth(kContinueAuthentication, "one"));
  peer.expects_effect<session::Publish>();
  peer.expects(auth(kContinueAuthentication, "to one")).expects_nothing();
  peer.sends(auth(kSuccess, "good"));
  const auto completed = peer.effect<Completed>();
  EXPECT_EQ(completed.ticket, 9u);
  EXPECT_EQ(completed.reason, Reason::kOk);
  peer.expects_nothing();
  EXPECT_TRUE(peer.reauthenticate(10));
  peer.expects(auth(kReauthenticate, "first"));
}

TEST(Mqtt5Client, MQTT_4_12_1_2_a_failure_is_disconnect_and_the_end) {
  Believed doubting;
  EXPECT_TRUE(doubting.reauthenticate());
  doubting.expects(auth(kReauthenticate, "first")).sends(auth(kSuccess, "bad"));
  doubting.expects(wire5::disconnect(kUnspecifiedError));
  doubting.expects_doubt("do not believe it");
  EXPECT_EQ(doubting.effect<Completed>().reason, Reason::kUnproven);
  Believed refused;
  EXPECT_TRUE(refused.reauthenticate());
  refused.expects(auth(kReauthenticate, "first")).sends(wire5::disconnect(kNotAuthorized));
  EXPECT_EQ(refused.effect<Close>().code, 0x87);
  refused.ends(Reason::kNotAuthorized);
  EXPECT_EQ(refused.effect<Completed>().reason, Reason::kNotAuthorized);
}

TEST(Mqtt5Client, Section_4_12_1_auth_that_nobody_asked_for_is_a_protocol_error) {
  for (const ReasonCode code : {kSuccess, kContinueAuthentication, kReauthenticate}) {
    Believed peer;
    peer.sends(auth(code, "good")).expects(wire5::disconnect(kProtocolError));
    peer.expects_close(Reason::kProtocolError).expects_nothing();
  }
}

TEST(Mqtt5Client, Section_4_12_1_only_an_open_connection_with_an_authenticator_begins) {
  const auto parrot = std::make_shared<Parrot>();
  Believed peer(parrot);
  parrot->mute = true;
  EXPECT_FALSE(peer.reauthenticate());
  peer.expects_nothing();
  EXPECT_EQ(peer.session().authentication_fault(), "cannot begin");
  parrot->mute = false;
  EXPECT_TRUE(peer.reauthenticate());
  ClientPeerV5 without;
  without.host().run([&](session::Effects& effects) {
    EXPECT_FALSE(without.session().reauthenticate(1, without.clock().now(), effects));
  });
  without.expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
