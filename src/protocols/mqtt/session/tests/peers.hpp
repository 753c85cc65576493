// SPDX-License-Identifier: Apache-2.0
// Scripted peers of the two MQTT sessions.
#pragma once

#include <string>
#include <utility>

#include "hermod/mqtt/session/client_session.hpp"
#include "hermod/mqtt/session/server_session.hpp"
#include "hermod/testkit/script.hpp"
#include "packets_for_tests.hpp"

namespace hermod::mqtt {

using namespace std::chrono_literals;
using model::Guarantee;
using model::Reason;
using session::Intake;
using wire::operator+;
using wire::repeat;

/// A message to deliver; the texts must outlive it.
inline model::Message message_of(std::string_view topic, std::string_view payload,
                                 Guarantee guarantee = Guarantee::kAtMostOnce) {
  model::Message message;
  message.destination.address = topic;
  message.payload = as_bytes(payload);
  message.guarantee = guarantee;
  return message;
}
/// The message of tests to which it does not matter which.
inline const model::Message kMessage = message_of("a/b", "x");

inline session::SessionLimits limits_with(auto change) {
  session::SessionLimits limits;
  change(limits);
  return limits;
}

struct ServerParts {
  session::SessionLimits limits;
  ServerSession session{limits};
  model::Inflight lent;
};

/// A client that talks to a ServerSession; the test is the broker too.
class ServerPeer : private ServerParts, public testkit::Script {
 public:
  explicit ServerPeer(const session::SessionLimits& limits_to_obey = {},
                      model::Inflight inflight = {})
      : ServerParts{.limits = limits_to_obey, .lent = std::move(inflight)}, Script(session) {}

  /// CONNECT, accepted, with all that follows taken off.
  ServerPeer& connects(const ConnectView& view = {.client_id = "peer"}, bool present = false) {
    opens().sends(wire::connect(view));
    accepts(effect<session::Attach>().ticket, present);
    expects(wire::connack(0, present && !view.clean_session)).expects_effect<session::Credit>();
    return *this;
  }
  /// The broker's consent to Attach.
  ServerPeer& accepts(session::Ticket ticket, bool present = false, std::uint32_t expiry_s = 0) {
    answers(
        {.ticket = ticket, .session_present = present, .expiry_s = expiry_s, .inflight = &lent});
    return *this;
  }
  /// The same for a CONNECT of MQTT 5, with properties. Its CONNACK is another test's matter.
  ServerPeer& connects_v5(const wire::v5::Properties& list = {},
                          const ConnectView& view = {.client_id = "peer"}, bool present = false) {
    opens().sends(wire::v5::connect(view, list));
    const auto attach = effect<session::Attach>();
    accepts(attach.ticket, present, attach.expiry_s);
    EXPECT_EQ(host().take_output().at(0), 0x20);
    expects_effect<session::Credit>();
    return *this;
  }
  /// The server says why, and closes.
  void expects_goodbye(ReasonCode code, Reason reason, Place place = Place::current()) {
    expects(wire::v5::disconnect(code), place).expects_close(reason, place);
  }
  /// From now on every ticket is answered with kOk, subscriptions with what they ask for.
  ServerPeer& answers_all() {
    host().answer_with(consent);
    return *this;
  }
  static std::optional<session::Answer> consent(session::Effect& effect) {
    if (const auto* publish = std::get_if<session::Publish>(&effect)) {
      if (publish->ticket == 0) return std::nullopt;
      return session::Answer{.ticket = publish->ticket};
    }
    if (const auto* subscribe = std::get_if<session::Subscribe>(&effect)) {
      return session::Answer{.ticket = subscribe->ticket,
                             .granted = subscribe->options.guarantee_max};
    }
    if (const auto* unsubscribe = std::get_if<session::Unsubscribe>(&effect)) {
      return session::Answer{.ticket = unsubscribe->ticket};
    }
    return std::nullopt;
  }
};

struct ClientParts {
  ClientSession session;
};

/// A server that talks to a ClientSession; the test is the application too.
class ClientPeer : private ClientParts, public testkit::Script {
 public:
  explicit ClientPeer(ClientOptions options = {.client_id = "me"}, model::Inflight inflight = {})
      : ClientParts{ClientSession(std::move(options), std::move(inflight))},
        Script(ClientParts::session) {}

  [[nodiscard]] ClientSession& session() { return ClientParts::session; }

  /// CONNECT and CONNACK are over.
  ClientPeer& connects(bool present = false) {
    opens();
    (void)host().take_output();
    sends(wire::connack(0, present));
    expects_effect<session::Opened>().expects_effect<session::Credit>();
    return *this;
  }
  [[nodiscard]] bool subscribe(const std::vector<SubscribeEntry>& entries, session::Ticket ticket) {
    bool sent = false;
    host().run([&](session::Effects& effects) {
      sent = session().subscribe(entries, ticket, clock().now(), effects);
    });
    return sent;
  }
  [[nodiscard]] bool unsubscribe(const std::vector<std::string_view>& filters,
                                 session::Ticket ticket) {
    bool sent = false;
    host().run([&](session::Effects& effects) {
      sent = session().unsubscribe(filters, ticket, clock().now(), effects);
    });
    return sent;
  }
  ClientPeer& disconnects() {
    host().run([&](session::Effects& effects) { session().disconnect(clock().now(), effects); });
    return *this;
  }
};

}  // namespace hermod::mqtt
