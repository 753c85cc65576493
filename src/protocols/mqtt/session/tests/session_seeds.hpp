// SPDX-License-Identifier: Apache-2.0
// Seeds of the session fuzz target: one short conversation each, in the language of
// session_ops.hpp.
#pragma once

#include <string>

#include "hermod/model/delivery.hpp"
#include "hermod/model/reason.hpp"
#include "hermod/testkit/seeds.hpp"
#include "packets_for_tests.hpp"
#include "session_ops.hpp"

namespace hermod::mqtt {

/// Writes a conversation step by step.
class Seed {
 public:
  explicit Seed(int setup) : octets_{static_cast<std::uint8_t>(setup)} {}
  Seed& offer(const wire::Octets& packets) {
    step(fuzz::Step::kOffer, packets.size());
    octets_.insert(octets_.end(), packets.begin(), packets.end());
    return *this;
  }
  Seed& answer(model::Reason reason = model::Reason::kOk) {
    return step(fuzz::Step::kAnswer, static_cast<std::size_t>(reason));
  }
  Seed& deliver(std::size_t count, int flags) {
    step(fuzz::Step::kDeliver, count - 1);
    octets_.push_back(static_cast<std::uint8_t>(flags));
    return *this;
  }
  Seed& redeliver() {
    octets_.push_back(static_cast<std::uint8_t>(fuzz::Step::kRedeliver));
    return *this;
  }
  Seed& advance(std::size_t seconds) { return step(fuzz::Step::kAdvance, seconds); }
  Seed& intake(bool everything) { return step(fuzz::Step::kIntake, everything ? 1 : 0); }
  Seed& request(std::size_t which) { return step(fuzz::Step::kRequest, which); }
  Seed& end(model::Reason reason) {
    return step(fuzz::Step::kEnd, static_cast<std::size_t>(reason));
  }
  [[nodiscard]] const wire::Octets& octets() const { return octets_; }

 private:
  Seed& step(fuzz::Step step, std::size_t argument) {
    octets_.push_back(static_cast<std::uint8_t>(step));
    octets_.push_back(static_cast<std::uint8_t>(argument));
    return *this;
  }
  wire::Octets octets_;
};

inline Seed connected_server(int setup = 0) {
  Seed seed(setup);
  seed.offer(wire::connect({.clean_session = (setup & fuzz::kResumed) == 0, .client_id = "f"}));
  return seed.answer();
}
inline Seed connected_server_v5(const wire::v5::Properties& properties = {}, int setup = 0) {
  Seed seed(setup);
  const bool clean = (setup & fuzz::kResumed) == 0;
  seed.offer(wire::v5::connect({.clean_session = clean, .client_id = "f"}, properties));
  return seed.answer();
}
inline Seed connected_client(int setup = 0) {
  Seed seed(setup | fuzz::kClientRole);
  return seed.offer(wire::connack(0, (setup & fuzz::kResumed) != 0));
}

inline Seed connected_client_v5(const wire::v5::Properties& terms = {}, int setup = 0) {
  Seed seed(setup | fuzz::kClientRole | fuzz::kClientV5);
  return seed.offer(wire::v5::connack(terms, (setup & fuzz::kResumed) != 0));
}

/// What an MQTT 3.1.1 client receives and does.
inline void add_client_seeds(testkit::Seeds& seeds) {
  using model::Reason;
  using wire::operator+;
  const wire::Octets one = wire::publish("a/b", "x", {.qos = 1, .id = 1});
  const wire::Octets two = wire::publish("a/b", "x", {.qos = 2, .id = 1});
  const auto add = [&](const std::string& name, const Seed& seed) { seeds[name] = seed.octets(); };
  add("client_refused", Seed(fuzz::kClientRole).offer(wire::connack(5)));
  add("client_timeout", Seed(fuzz::kClientRole).advance(40));
  add("client_publish", connected_client().deliver(3, 1).deliver(2, 2).offer(
                            wire::puback(1) + wire::pubrec(4) + wire::pubcomp(4)));
  add("client_receive", connected_client()
                            .offer(wire::publish("a", "x") + one + two)
                            .answer()
                            .answer()
                            .offer(wire::pubrel(1)));
  add("client_requests", connected_client()
                             .request(0)
                             .request(1)
                             .offer(wire::suback(1, {1, 0x80}) + wire::unsuback(2))
                             .request(2));
  add("client_open_requests", connected_client().request(0).request(1).end(Reason::kTimeout));
  add("client_pings", connected_client().advance(61).offer(wire::pingresp()).advance(130));
  add("client_resumed",
      connected_client(fuzz::kResumed).redeliver().offer(wire::pubcomp(2) + wire::pubrec(4) + two));
}

/// What an MQTT 5 client receives and does.
inline void add_v5_client_seeds(testkit::Seeds& seeds) {
  using wire::operator+;
  using wire::v5::number;
  using enum PropertyId;
  namespace v5 = wire::v5;
  const auto add = [&](const std::string& name, const Seed& seed) { seeds[name] = seed.octets(); };
  const Property alias = number(kTopicAlias, 1);
  add("client5_terms",
      connected_client_v5({number(kReceiveMaximum, 2), number(kTopicAliasMaximum, 1),
                           number(kMaximumPacketSize, 40), number(kMaximumQos, 1),
                           number(kServerKeepAlive, 5)})
          .deliver(2, 1 | fuzz::kProperties)
          .deliver(1, 2)
          .request(0)
          .advance(6));
  add("client5_refused",
      Seed(fuzz::kClientRole | fuzz::kClientV5)
          .offer(v5::connack(ReasonCode::kServerBusy, {v5::text(kServerReference, "elsewhere")})));
  add("client5_receive",
      connected_client_v5()
          .offer(v5::publish("t", "1", {.qos = 1, .id = 1}, {alias, v5::user("k", "v")}) +
                 v5::publish("", "2", {.qos = 2, .id = 2}, {alias}))
          .answer()
          .answer(model::Reason::kQuotaExceeded)
          .offer(v5::pubrel(2)));
  add("client5_acks", connected_client_v5().deliver(2, 1).deliver(1, 2).offer(
                          v5::puback(1, ReasonCode::kNoMatchingSubscribers) +
                          v5::ack(PacketType::kPuback, 2, ReasonCode::kQuotaExceeded,
                                  {v5::text(kReasonString, "full")}) +
                          v5::pubrec(3, ReasonCode::kNotAuthorized)));
  add("client5_requests",
      connected_client_v5().request(0).request(1).offer(
          v5::suback(1, {1, 0x87}, {v5::text(kReasonString, "no")}) + v5::unsuback(2, {0, 0x11})));
  add("client5_disconnected",
      connected_client_v5().offer(
          v5::disconnect(ReasonCode::kServerMoved, {v5::text(kServerReference, "elsewhere")})));
  add("client5_resumed", connected_client_v5({}, fuzz::kResumed)
                             .redeliver()
                             .offer(v5::ack(PacketType::kPubcomp, 2) + v5::pubrec(4))
                             .request(2));
}

/// Enhanced authentication, from both ends.
inline void add_auth_seeds(testkit::Seeds& seeds) {
  using model::Reason;
  using wire::operator+;
  using enum PropertyId;
  namespace v5 = wire::v5;
  const v5::Properties list{v5::text(kAuthenticationMethod, "M"),
                            v5::octets(kAuthenticationData, "abc")};
  const auto add = [&](const std::string& name, const Seed& seed) { seeds[name] = seed.octets(); };
  const wire::Octets goes_on = v5::auth(ReasonCode::kContinueAuthentication, list);
  const wire::Octets again = v5::auth(ReasonCode::kReauthenticate, list);
  const auto asked = [&] {
    Seed seed(0);
    return seed.offer(v5::connect({.client_id = "f"}, list)).answer(Reason::kContinue);
  };
  add("server5_auth_steps",
      asked().offer(goes_on).answer(Reason::kContinue).offer(goes_on).answer());
  add("server5_auth_refused", asked().offer(goes_on).answer(Reason::kBadCredentials));
  add("server5_auth_given_up", asked().offer(v5::disconnect()));
  add("server5_auth_broken", asked().offer(v5::publish("a", "x")));
  add("server5_auth_again", connected_server_v5(list)
                                .offer(again)
                                .answer(Reason::kContinue)
                                .offer(v5::publish("a", "x") + goes_on)
                                .answer()
                                .offer(again)
                                .answer(Reason::kBadCredentials));
  const int client = fuzz::kClientRole | fuzz::kClientV5 | fuzz::kAuthenticated;
  add("client5_auth", Seed(client).offer(goes_on).offer(v5::connack(list)));
  add("client5_auth_unproven",
      Seed(client).offer(goes_on + v5::connack({v5::text(kAuthenticationMethod, "M")})));
  add("client5_auth_again", Seed(client)
                                .offer(v5::connack(list))
                                .request(6)
                                .offer(goes_on + v5::auth(ReasonCode::kSuccess, list)));
}

/// What an MQTT 5 server receives.
inline void add_v5_seeds(testkit::Seeds& seeds) {
  using model::Reason;
  using wire::operator+;
  using wire::v5::number;
  using enum PropertyId;
  namespace v5 = wire::v5;
  const wire::Octets one = v5::publish("a", "x", {.qos = 1, .id = 1}, {v5::user("k", "v")});
  const wire::Octets two = v5::publish("a", "x", {.qos = 2, .id = 2});
  const auto add = [&](const std::string& name, const Seed& seed) { seeds[name] = seed.octets(); };
  add("server5_will",
      Seed(0)
          .offer(v5::connect({.client_id = "", .will = WillView{.topic = "w", .payload = {}}}, {},
                             {number(kWillDelayInterval, 5), v5::text(kContentType, "t")}))
          .answer()
          .end(Reason::kTakenOver));
  add("server5_refused", Seed(0).offer(v5::connect()).answer(Reason::kBadCredentials));
  add("server5_publish", connected_server_v5()
                             .offer(one + two)
                             .answer(Reason::kNoMatch)
                             .answer()
                             .offer(two + v5::pubrel(2) + v5::pubrel(3)));
  add("server5_publish_refused", connected_server_v5()
                                     .offer(one + two + two)
                                     .answer(Reason::kQuotaExceeded)
                                     .answer(Reason::kNotAuthorized));
  add("server5_alias_in",
      connected_server_v5().offer(v5::publish("a", "x", {}, {number(kTopicAlias, 1)}) +
                                  v5::publish("", "x", {}, {number(kTopicAlias, 1)}) +
                                  v5::publish("b", "x", {}, {number(kTopicAlias, 1)}) +
                                  v5::publish("", "x", {}, {number(kTopicAlias, 2)})));
  add("server5_receive_max", connected_server_v5().offer(one + one + one + one + one + one));
  add("server5_subscribe", connected_server_v5()
                               .offer(v5::subscribe(1, {{"a/+", 1, true}, {"$share/g/#", 2}},
                                                    {number(kSubscriptionIdentifier, 3)}))
                               .answer()
                               .answer(Reason::kNotAuthorized)
                               .offer(v5::unsubscribe(2, {"#", "a"}))
                               .answer(Reason::kNotFound)
                               .answer());
}

/// What an MQTT 5 server sends and how it ends, and a conversation of 3.1.
inline void add_v5_deliveries(testkit::Seeds& seeds) {
  using model::Reason;
  using wire::operator+;
  using wire::v5::number;
  using enum PropertyId;
  namespace v5 = wire::v5;
  const wire::Octets two = v5::publish("a", "x", {.qos = 2, .id = 2});
  const auto add = [&](const std::string& name, const Seed& seed) { seeds[name] = seed.octets(); };
  add("server5_deliver", connected_server_v5({number(kReceiveMaximum, 4)})
                             .deliver(2, 1 | fuzz::kProperties | fuzz::kShared)
                             .deliver(1, 2 | fuzz::kIds)
                             .offer(v5::puback(1, ReasonCode::kUnspecifiedError) +
                                    v5::pubrec(3, ReasonCode::kUnspecifiedError) + v5::pubrec(9))
                             .deliver(1, 2)
                             .offer(v5::pubrec(4) + v5::pubcomp(4)));
  add("server5_expired",
      connected_server_v5().deliver(1, fuzz::kProperties).advance(9).deliver(1, 1));
  add("server5_alias_out", connected_server_v5({number(kTopicAliasMaximum, 1)})
                               .deliver(2, fuzz::kShared)
                               .deliver(1, 1 | fuzz::kLarge));
  add("server5_small", connected_server_v5({number(kMaximumPacketSize, 20)})
                           .deliver(2, 1 | fuzz::kLarge)
                           .deliver(1, 1)
                           .offer(v5::subscribe(1, std::vector(20, SubscribeEntry{"a", 0}))));
  add("server5_resumed", connected_server_v5({number(kReceiveMaximum, 1)}, fuzz::kResumed)
                             .offer(v5::pubcomp(1) + v5::pubcomp(2))
                             .redeliver()
                             .offer(two + v5::pubrel(1)));
  add("server5_disconnect", connected_server_v5({number(kSessionExpiryInterval, 9)})
                                .offer(v5::disconnect(ReasonCode::kDisconnectWithWillMessage,
                                                      {number(kSessionExpiryInterval, 5)})));
  add("server5_auth", connected_server_v5().offer(v5::auth(
                          ReasonCode::kReauthenticate, {v5::text(kAuthenticationMethod, "m")})));
  add("server31_subscribe", Seed(0)
                                .offer(wire::connect({.version = Version::kV31, .client_id = "f"}))
                                .answer()
                                .offer(wire::subscribe(1, {{"a", 2}}))
                                .answer(Reason::kNotAuthorized)
                                .deliver(1, 1));
}

inline void add_all_of_v5(testkit::Seeds& seeds) {
  add_v5_client_seeds(seeds);
  add_v5_seeds(seeds);
  add_auth_seeds(seeds);
  add_v5_deliveries(seeds);
}

/// The conversations by name.
inline testkit::Seeds session_seeds() {
  using model::Reason;
  using wire::operator+;
  const wire::Octets one = wire::publish("a/b", "x", {.qos = 1, .id = 1});
  const wire::Octets two = wire::publish("a/b", "x", {.qos = 2, .id = 1});
  testkit::Seeds seeds;
  const auto add = [&](const std::string& name, const Seed& seed) { seeds[name] = seed.octets(); };
  add("server_refused", Seed(0).offer(wire::connect()).answer(Reason::kNotAuthorized));
  add("server_connect_timeout", Seed(0).offer(wire::connect()).advance(20).answer());
  add("server_two_connects", connected_server().offer(wire::connect()));
  add("server_publish", connected_server()
                            .offer(wire::publish("a/b", "x") + one + two)
                            .answer()
                            .answer()
                            .offer(two + wire::pubrel(1)));
  add("server_publish_refused",
      connected_server().offer(one + two).answer(Reason::kUnavailable).answer());
  add("server_repetition", connected_server().offer(two + two).answer().offer(wire::pubrel(1)));
  add("server_subscribe", connected_server()
                              .offer(wire::subscribe(1, {{"a/+", 1}, {"#", 2}}) + wire::pingreq())
                              .answer()
                              .answer(Reason::kNotAuthorized)
                              .offer(wire::unsubscribe(2, {"#"}))
                              .answer());
  add("server_deliver", connected_server()
                            .deliver(3, 1)
                            .deliver(2, 2 | fuzz::kShared)
                            .deliver(8, fuzz::kShared)
                            .offer(wire::puback(1) + wire::puback(2) + wire::puback(3) +
                                   wire::pubrec(4) + wire::pubcomp(4) + wire::pubrec(5))
                            .deliver(2, fuzz::kLarge | 1));
  add("server_mixed", connected_server()
                          .deliver(4, fuzz::kMixed | fuzz::kShared | fuzz::kRetain)
                          .offer(wire::puback(1))
                          .end(Reason::kTakenOver));
  add("server_wrong_answer", connected_server().deliver(1, 1).offer(wire::pubrec(1)));
  add("server_resumed", connected_server(fuzz::kResumed)
                            .redeliver()
                            .offer(wire::pubcomp(1) + wire::pubcomp(2) + wire::pubrec(3) + two));
  add("server_keep_alive", connected_server().advance(80).offer(wire::pingreq()).advance(95));
  add("server_replies_only", connected_server()
                                 .intake(false)
                                 .offer(wire::pingreq() + one)
                                 .advance(200)
                                 .intake(true)
                                 .answer());
  add("server_limits", connected_server(fuzz::kTightLimits).offer(wire::publish("a/b/c/d", "x")));
  add("server_disconnect", connected_server().offer(wire::disconnect()));
  add_client_seeds(seeds);
  add_all_of_v5(seeds);
  return seeds;
}

}  // namespace hermod::mqtt
