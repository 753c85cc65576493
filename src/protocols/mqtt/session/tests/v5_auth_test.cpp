// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication as the server sees it (MQTT 5.0 §4.12, §3.15). What AUTH must look like
// is tested in the codec: [MQTT-3.15.1-1], [MQTT-3.15.2-1].
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Attach;
using session::Authenticate;
using session::Credit;
using session::Detach;
using testkit::octets;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;
using enum ReasonCode;

Properties method_and(std::string_view data, std::string_view method = "M") {
  Properties list{wire::v5::text(kAuthenticationMethod, method)};
  if (!data.empty()) list.push_back(wire::v5::octets(kAuthenticationData, data));
  return list;
}

wire::Octets auth(ReasonCode reason, std::string_view data, std::string_view method = "M") {
  return wire::v5::auth(reason, method_and(data, method));
}

wire::Octets connack_with(Properties list) {
  list.push_back(number(kReceiveMaximum, 512));
  list.push_back(number(kTopicAliasMaximum, 10));
  return wire::v5::connack(list);
}

/// A client that has been asked a question before CONNACK.
class Asked : public ServerPeer {
 public:
  explicit Asked(const session::SessionLimits& limits_to_obey = {}) : ServerPeer(limits_to_obey) {
    opens().sends(wire::v5::connect({.client_id = "peer"}, method_and("first")));
    ticket = effect<Attach>().ticket;
    goes_on("question");
    expects(auth(kContinueAuthentication, "question"));
  }
  void goes_on(std::string_view data) {
    answers({.ticket = ticket, .reason = Reason::kContinue, .octets = as_bytes(data)});
  }
  session::Ticket ticket = 0;
};

/// A client that has come in by the method "M".
class In : public ServerPeer {
 public:
  explicit In(Properties list = method_and("first")) {
    opens().sends(wire::v5::connect({.client_id = "peer"}, list));
    const auto attach = effect<Attach>();
    accepts(attach.ticket);
    (void)host().take_output();
    expects_effect<Credit>();
  }
  void begins(std::string_view data = "again") {
    sends(auth(kReauthenticate, data));
    const auto asked = effect<Authenticate>();
    EXPECT_EQ(asked.method, "M");
    EXPECT_EQ(as_text(asked.octets), data);
    ticket = asked.ticket;
  }
  void goes_on(std::string_view data) {
    answers({.ticket = ticket, .reason = Reason::kContinue, .octets = as_bytes(data)});
    expects(auth(kContinueAuthentication, data));
  }
  session::Ticket ticket = 0;
};

//   CONNECT M "first"   ->
//                       <-   AUTH 0x18 "question"
//   AUTH 0x18 "answer"  ->
//                       <-   AUTH 0x18 "another"
//   AUTH 0x18           ->
//                       <-   CONNACK "last"
TEST(Mqtt5, MQTT_4_12_0_2_and_5_the_exchange_goes_on_until_connack) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect({.client_id = "peer"}, method_and("first")));
  const auto attach = peer.effect<Attach>();
  EXPECT_EQ(attach.auth_method, "M");
  EXPECT_EQ(as_text(attach.password), "first");
  const auto ask = [&](std::string_view question) {
    peer.answers(
        {.ticket = attach.ticket, .reason = Reason::kContinue, .octets = as_bytes(question)});
    peer.expects(auth(kContinueAuthentication, question)).expects_nothing();
  };
  ask("question");
  peer.sends(auth(kContinueAuthentication, "answer"));
  const auto answered = peer.effect<Authenticate>();
  EXPECT_EQ(answered.ticket, attach.ticket);
  EXPECT_EQ(answered.method, "");
  EXPECT_EQ(as_text(answered.octets), "answer");
  ask("another");
  peer.sends_slowly(auth(kContinueAuthentication, ""));
  EXPECT_TRUE(peer.effect<Authenticate>().octets.empty());
  model::Inflight lent;
  peer.answers({.ticket = attach.ticket, .inflight = &lent, .octets = as_bytes("last")});
  peer.expects(connack_with(method_and("last"))).expects_effect<Credit>().expects_nothing();
  peer.sends(wire::pingreq()).expects(wire::pingresp()).expects_nothing();
}

TEST(Mqtt5, MQTT_4_12_0_5_connack_has_the_method_also_without_data) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect({.client_id = "peer"}, method_and("")));
  const auto attach = peer.effect<Attach>();
  EXPECT_TRUE(attach.password.empty());
  peer.accepts(attach.ticket);
  peer.expects(connack_with(method_and("")));
}

TEST(Mqtt5, MQTT_4_12_0_5_another_method_in_auth_is_a_protocol_error) {
  Asked peer;
  peer.sends(auth(kContinueAuthentication, "answer", "N"));
  peer.expects(wire::v5::connack(kProtocolError)).expects_close(Reason::kProtocolError);
  peer.expects_nothing();
}

TEST(Mqtt5, MQTT_4_12_0_1_and_3_1_4_6_an_unknown_method_is_refused_and_what_follows_dropped) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect({.client_id = "peer"}, method_and("first")) +
                     wire::v5::publish("a", "x"));
  peer.answers(peer.effect<Attach>().ticket, Reason::kBadMethod);
  peer.expects(wire::v5::connack(kBadAuthenticationMethod)).expects_close(Reason::kBadMethod);
  peer.expects_nothing();
  ServerPeer nameless;
  nameless.opens().sends(wire::v5::connect({.client_id = "peer"}, method_and("first", "")));
  nameless.expects(wire::v5::connack(kBadAuthenticationMethod));
  nameless.expects_close(Reason::kProtocolError).expects_nothing();
}

TEST(Mqtt5, MQTT_3_1_2_30_before_connack_only_auth_and_disconnect_are_taken) {
  for (const wire::Octets& packet :
       {wire::v5::publish("a", "x"), wire::v5::subscribe(1, {{"a", 0}}), wire::pingreq(),
        wire::v5::connect({.client_id = "peer"}), wire::v5::puback(1)}) {
    Asked peer;
    peer.sends(packet + auth(kContinueAuthentication, "answer"));
    peer.expects(wire::v5::connack(kProtocolError)).expects_close(Reason::kProtocolError);
    peer.expects_nothing();
  }
  Asked leaving;
  leaving.sends(wire::v5::disconnect() + wire::v5::publish("a", "x"));
  leaving.expects_close(Reason::kOk).expects_nothing();
}

TEST(Mqtt5, MQTT_4_12_0_3_auth_of_the_exchange_says_continue) {
  for (const wire::Octets& packet :
       {auth(kReauthenticate, "x"), auth(kSuccess, "x"), octets("f0 00")}) {
    Asked peer;
    peer.sends(packet);
    peer.expects(wire::v5::connack(kProtocolError)).expects_close(Reason::kProtocolError);
    peer.expects_nothing();
  }
}

TEST(Mqtt5, MQTT_3_15_1_1_and_3_15_2_1_wrong_auth_packets_end_the_exchange) {
  const std::pair<const char*, ReasonCode> wrong[] = {
      {"f1 00", kMalformedPacket},                               // flags
      {"f0 06 01 04 15 0001 'M'", kProtocolError},               // a reason code of SUBACK
      {"f0 02 18 00", kProtocolError},                           // no method
      {"f0 05 18 03 16 0000", kProtocolError},                   // data without method
      {"f0 06 18 04 15 0001 ff", kMalformedPacket},              // no UTF-8
      {"f0 07 18 04 15 0001 'M' 00", kMalformedPacket},          // octets behind the end
      {"f0 0a 18 08 15 0001 'M' 15 0001 'M'", kProtocolError}};  // twice
  for (const auto& [text, code] : wrong) {
    Asked peer;
    peer.sends(octets(text));
    peer.expects(wire::v5::connack(code)).expects_close(Reason::kMalformed).expects_nothing();
  }
}

TEST(Mqtt5, MQTT_4_12_0_4_the_exchange_may_be_refused_at_any_point) {
  ServerPeer first;
  first.opens().sends(wire::v5::connect({.client_id = "peer"}, method_and("first")));
  first.answers(first.effect<Attach>().ticket, Reason::kProtocolError);
  first.expects(wire::v5::connack(kProtocolError)).expects_close(Reason::kProtocolError);
  Asked second;
  second.sends(auth(kContinueAuthentication, "answer")).expects_effect<Authenticate>();
  second.answers(second.ticket, Reason::kBadCredentials);
  second.expects(wire::v5::connack(kBadUserNameOrPassword));
  second.expects_close(Reason::kBadCredentials).expects_nothing();
}

TEST(Mqtt5, MQTT_4_12_0_6_without_a_method_the_server_speaks_of_none) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect({.client_id = "peer"}));
  const auto attach = peer.effect<Attach>();
  EXPECT_EQ(attach.auth_method, "");
  peer.accepts(attach.ticket);
  peer.expects(connack_with({})).expects_effect<Credit>().expects_nothing();
}

TEST(Mqtt5, MQTT_4_12_0_7_auth_without_a_method_in_connect_is_a_protocol_error) {
  for (const wire::Octets& packet : {auth(kReauthenticate, ""), auth(kContinueAuthentication, ""),
                                     auth(kSuccess, ""), octets("f0 00")}) {
    ServerPeer peer;
    peer.connects_v5().sends(packet);
    peer.expects_goodbye(kProtocolError, Reason::kProtocolError);
    peer.expects_effect<Detach>().expects_nothing();
  }
}

// The time to log in covers all of it, however often the client says something.
TEST(Mqtt5, Section_4_12_the_exchange_must_be_over_in_the_time_to_log_in) {
  const auto limits = limits_with([](auto& l) { l.connect_timeout_s = 10; });
  Asked peer(limits);
  for (int i = 0; i < 3; ++i) {
    peer.after(3s).sends(auth(kContinueAuthentication, "a"));
    peer.expects_effect<Authenticate>();
    peer.goes_on("q");
    peer.expects(auth(kContinueAuthentication, "q")).expects_nothing();
  }
  peer.after(1s).expects_close(Reason::kTimeout).expects_nothing();
}

TEST(Mqtt5, Section_4_12_one_step_at_a_time) {
  Asked peer;
  peer.sends(auth(kContinueAuthentication, "a") + auth(kContinueAuthentication, "b"));
  EXPECT_EQ(as_text(peer.effect<Authenticate>().octets), "a");
  peer.expects_nothing();  // the other one waits for the answer
  peer.goes_on("q");
  peer.expects(auth(kContinueAuthentication, "q"));
  EXPECT_EQ(as_text(peer.effect<Authenticate>().octets), "b");
}

// It may lead to a session that this side cannot serve now.
TEST(Mqtt5, Section_4_12_auth_waits_while_only_replies_are_taken) {
  Asked peer;
  peer.takes(Intake::kRepliesOnly).sends(auth(kContinueAuthentication, "a")).expects_nothing();
  peer.takes(Intake::kEverything).expects_effect<Authenticate>();
}

TEST(Mqtt5, Section_4_12_packets_before_connack_are_bounded) {
  Asked peer(limits_with([](auto& l) { l.connect_bytes_max = 40; }));
  peer.sends(octets("f0 30"));  // before its body has come
  peer.expects(wire::v5::connack(kPacketTooLarge)).expects_close(Reason::kTooLarge);
}

TEST(Mqtt5, MQTT_3_1_2_24_auth_larger_than_the_client_takes_is_not_sent) {
  Properties list = method_and("first");
  list.push_back(number(kMaximumPacketSize, 30));
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect({.client_id = "peer"}, list));
  const std::string question(30, 'q');
  peer.answers({.ticket = peer.effect<Attach>().ticket,
                .reason = Reason::kContinue,
                .octets = as_bytes(question)});
  peer.expects(wire::v5::connack(kPacketTooLarge)).expects_close(Reason::kTooLarge);
  In in(list);
  in.begins("x");
  in.answers({.ticket = in.ticket, .octets = as_bytes(question)});
  in.expects_goodbye(kPacketTooLarge, Reason::kTooLarge);
}

TEST(Mqtt5, Section_4_12_an_answer_after_the_end_changes_nothing) {
  Asked peer;
  peer.sends(auth(kContinueAuthentication, "a")).expects_effect<Authenticate>();
  peer.after(10s).expects_close(Reason::kTimeout);
}

// --- authenticating again (§4.12.1) ---

//   AUTH 0x19 "again"   ->
//   PUBLISH             ->
//                       <-   AUTH 0x18 "question"
//                       <-   PUBLISH
//   AUTH 0x18 "answer"  ->
//                       <-   AUTH 0x00 "last"
TEST(Mqtt5, Section_4_12_1_other_packets_go_on_flowing_meanwhile) {
  In peer;
  peer.begins();
  peer.sends(wire::v5::publish("a", "x"));
  EXPECT_EQ(peer.effect<session::Publish>().message.destination.address, "a");
  peer.goes_on("question");
  const model::Message message = message_of("b", "y");
  peer.delivers({.message = &message}, 1);
  peer.expects(wire::v5::publish("b", "y"));
  peer.sends(auth(kContinueAuthentication, "answer"));
  const auto answered = peer.effect<Authenticate>();
  EXPECT_EQ(answered.method, "");
  EXPECT_EQ(as_text(answered.octets), "answer");
  peer.answers({.ticket = answered.ticket, .octets = as_bytes("last")});
  peer.expects(auth(kSuccess, "last")).expects_nothing();
  peer.begins("once more");  // as often as it likes
}

TEST(Mqtt5, MQTT_4_12_1_1_another_method_is_a_protocol_error) {
  In peer;
  peer.sends(auth(kReauthenticate, "x", "N"));
  peer.expects_goodbye(kProtocolError, Reason::kProtocolError);
  EXPECT_FALSE(peer.effect<Detach>().discard_will);
}

// Table 3-10 has no code for it.
TEST(Mqtt5, MQTT_4_12_1_2_a_method_that_is_known_no_more_is_not_authorized) {
  In peer;
  peer.begins();
  peer.answers(peer.ticket, Reason::kBadMethod);
  peer.expects_goodbye(kNotAuthorized, Reason::kBadMethod);
  peer.expects_effect<Detach>().expects_nothing();
}

TEST(Mqtt5, MQTT_4_12_1_2_a_refusal_is_disconnect_and_the_end) {
  for (const bool in_the_middle : {false, true}) {
    In peer;
    peer.begins();
    if (in_the_middle) {
      peer.goes_on("question");
      peer.sends(auth(kContinueAuthentication, "wrong")).expects_effect<Authenticate>();
    }
    peer.answers(peer.ticket, Reason::kBadCredentials);
    peer.expects_goodbye(kNotAuthorized, Reason::kBadCredentials);
    EXPECT_FALSE(peer.effect<Detach>().discard_will);
    peer.expects_nothing();
  }
}

TEST(Mqtt5, Section_4_12_1_auth_out_of_turn_is_a_protocol_error) {
  const auto fails = [](In& peer, const wire::Octets& packet) {
    peer.sends(packet);
    peer.expects_goodbye(kProtocolError, Reason::kProtocolError);
    peer.expects_effect<Detach>().expects_nothing();
  };
  In idle;
  fails(idle, auth(kContinueAuthentication, "x"));
  In success;
  fails(success, auth(kSuccess, "x"));
  In twice;
  twice.begins();
  fails(twice, auth(kReauthenticate, "x"));
  In impatient;
  impatient.begins();
  fails(impatient, auth(kContinueAuthentication, "x"));
  In asked;
  asked.begins();
  asked.goes_on("question");
  fails(asked, auth(kReauthenticate, "x"));
}

TEST(Mqtt5, Section_4_12_1_auth_is_taken_where_only_replies_are) {
  In peer;
  peer.takes(Intake::kRepliesOnly);
  peer.begins();
}

}  // namespace
}  // namespace hermod::mqtt
