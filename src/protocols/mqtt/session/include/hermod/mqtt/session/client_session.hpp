// SPDX-License-Identifier: Apache-2.0
// The client's end of one MQTT connection, 3.1, 3.1.1 or 5.0, with the same exchanges as the
// server's and the requests that only a client makes. Knows no socket, no clock and no application.
//
//   kIdle --on_open: CONNECT--> kConnecting --CONNACK 0--> kOpen --disconnect()--> kClosed
//                                    |                       |                        ^
//                                    +--refused, timeout,    +--violation,            |
//                                       another packet          no PINGRESP ----------+
// With an Authenticator, AUTH goes to and fro in kConnecting, and in kOpen after reauthenticate().
//
//   ClientSession session({.client_id = "kitchen", .clean_session = false}, std::move(inflight));
//   session.on_open(now, effects);                      // later: Opened, then Credit
//   session.subscribe(entries, ticket, now, effects);   // later: one Completed per entry
//   session.on_deliveries(batch, now, effects);         // later: Settle per message above QoS 0
//   inflight = session.take_inflight();                 // after on_close, for the next connection
//
// What the server publishes comes as Publish effects; the application's answer to the ticket is
// what acknowledges it. A message of QoS 0 is over as soon as on_deliveries returns. Deliveries are
// for an open connection: before Opened and after Close they are dropped. MQTT 5: a message that
// the server refuses, or that its terms do not allow, is settled with kReject and the reason code.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/mqtt/session/client_options.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/mqtt/session/packets.hpp"
#include "hermod/mqtt/session/resends.hpp"
#include "hermod/session/session.hpp"

namespace hermod::mqtt {

class ClientSession final : public session::Session {
 public:
  /// `inflight` is what an earlier connection of the same client id left; without effect when the
  /// session is clean [MQTT-3.1.2-6].
  explicit ClientSession(ClientOptions options, session::Inflight inflight = {});

  void on_open(Instant now, session::Effects& effects) override;
  [[nodiscard]] std::size_t on_bytes(Bytes bytes, session::Intake intake, Instant now,
                                     session::Effects& effects) override;
  void on_deliveries(const model::DeliveryBatch& batch, Instant now,
                     session::Effects& effects) override;
  void on_answers(std::span<const session::Answer> answers, Instant now,
                  session::Effects& effects) override;
  void on_deadline(Instant now, session::Effects& effects) override;
  void on_close(model::Reason reason, Instant now, session::Effects& effects) override;
  [[nodiscard]] Instant next_deadline() const override;

  /// Sends SUBSCRIBE. Completed follows for each entry, in their order, all with `ticket`: also
  /// when the connection ends before. False, and nothing happens, when the connection is not open,
  /// there is no entry, one is not a topic filter or QoS, they do not fit a packet of the server's
  /// size, or its terms exclude them. `properties` are for MQTT 5.
  [[nodiscard]] bool subscribe(std::span<const SubscribeEntry> entries, session::Ticket ticket,
                               Instant now, session::Effects& effects,
                               std::span<const Property> properties = {});
  /// Sends UNSUBSCRIBE; one Completed follows, in MQTT 5 with the first code that is a failure, if
  /// there is one. False as for subscribe().
  [[nodiscard]] bool unsubscribe(std::span<const std::string_view> filters, session::Ticket ticket,
                                 Instant now, session::Effects& effects,
                                 std::span<const Property> properties = {});
  /// Sends DISCONNECT and closes: the server forgets the will, but for a reason that says otherwise
  /// (MQTT 5). A session expiry above 0 needs one in CONNECT [MQTT 5.0 §3.14.2.2.2].
  void disconnect(Instant now, session::Effects& effects, const DisconnectView& disconnect = {});

  /// Sends AUTH: this side proves itself anew, while all else goes on (MQTT 5.0 §4.12.1). Completed
  /// follows; when the server or this side is not content, the connection ends. False, and nothing
  /// happens, when the connection is not open, has no Authenticator or is at it already, or when
  /// the Authenticator cannot begin.
  [[nodiscard]] bool reauthenticate(session::Ticket ticket, Instant now, session::Effects& effects);

  /// What CONNACK said, from Opened on.
  [[nodiscard]] const ServerTerms& terms() const { return terms_; }
  /// The last refusal by the server: in CONNACK, an acknowledgement or DISCONNECT.
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  /// Why the Authenticator did not go on, in its words; empty when it did.
  [[nodiscard]] const std::string& authentication_fault() const { return auth_fault_; }
  /// The identifiers of the subscriptions that a Publish effect came for; none before MQTT 5. Until
  /// the next input.
  [[nodiscard]] std::span<const std::uint32_t> subscription_ids(
      const model::Message& message) const {
    if (!flow_.v5) return {};
    return flow_.v5->held.subscription_ids(message.properties);
  }
  /// The exchanges that are not over, for the next connection. After on_close.
  [[nodiscard]] session::Inflight take_inflight() { return std::move(flow_.inflight); }
  /// The message was sent, on this connection or an earlier one, and waits for its first answer.
  [[nodiscard]] bool is_under_way(model::Tag tag) {
    return flow_.inflight.find_tag(tag) != nullptr;
  }

  // What read_packets() asks (Role).
  [[nodiscard]] std::size_t packet_bytes_max() const { return options_.packet_bytes_max; }
  [[nodiscard]] bool takes_messages() const {
    return intake_ == session::Intake::kEverything && state_ == State::kOpen;
  }
  [[nodiscard]] ReasonCode judge(const PublishView&) const { return ReasonCode::kSuccess; }
  [[nodiscard]] Step on_packet(const FixedHeader& header, Bytes body, session::Effects& effects);
  void fail(model::Reason reason, session::Effects& effects);
  void fail(const WireError& error, session::Effects& effects);
  void fail(ReasonCode code, session::Effects& effects);
  void hear_refusal(ReasonCode code, const PropertyBlock& properties);

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kOpen, kClosed };

  struct Request {
    session::Ticket ticket = 0;
    std::uint32_t entries = 0;
    std::uint16_t packet_id = 0;
    bool subscribe = false;  // or UNSUBSCRIBE
    // When it is sent again after a while (MQTT 3.1):
    std::vector<std::uint8_t> packet;
    Instant due = kNever;
  };

  [[nodiscard]] bool send_connect(std::optional<std::string_view> auth, session::Effects& effects);
  [[nodiscard]] bool may_come_first(PacketType type) const {
    return type == PacketType::kConnack || (type == PacketType::kAuth && options_.authenticator);
  }
  [[nodiscard]] std::optional<std::string> begin_exchange();
  [[nodiscard]] Step on_auth(const FixedHeader& header, Bytes body, session::Effects& effects);
  [[nodiscard]] bool believes(const PropertyBlock& connack, session::Effects& effects);
  [[nodiscard]] Step give_up(std::string why, session::Effects& effects);
  [[nodiscard]] bool send_auth(ReasonCode reason, std::string_view octets,
                               session::Effects& effects);
  [[nodiscard]] Step on_connack(const FixedHeader& header, Bytes body, session::Effects& effects);
  void take_terms(const PropertyBlock& properties);
  [[nodiscard]] Step on_disconnect(const FixedHeader& header, Bytes body,
                                   session::Effects& effects);
  [[nodiscard]] Step on_suback(const FixedHeader& header, Bytes body, session::Effects& effects);
  [[nodiscard]] Step on_unsuback(const FixedHeader& header, Bytes body, session::Effects& effects);
  template <typename Why>
  [[nodiscard]] Step stop(const Why& why, session::Effects& effects) {
    fail(why, effects);
    return Step::kStop;
  }
  void close(ReasonCode code, model::Reason reason, session::Effects& effects);
  void write_goodbye(const DisconnectView& disconnect, session::Effects& effects);
  /// Why the server's terms exclude a message; kSuccess when they do not.
  [[nodiscard]] ReasonCode excluded(const model::Delivery& delivery) const;
  [[nodiscard]] bool allowed(const SubscribeEntry& entry) const;
  [[nodiscard]] std::uint16_t take_request_id();
  [[nodiscard]] std::optional<Request> take_request(std::uint16_t packet_id, bool subscribe);
  void end_requests(model::Reason reason, session::Effects& effects);
  void note_request(Request request, Bytes packet, Instant now);
  void resend_requests(Instant now, session::Effects& effects);
  [[nodiscard]] Instant requests_due() const;
  void ping(Instant now, session::Effects& effects);
  [[nodiscard]] Instant ping_due() const;
  [[nodiscard]] bool resends() const { return resend_after_ > Duration::zero(); }

  ClientOptions options_;
  Flow flow_;
  Hearing hearing_;
  std::vector<Request> requests_;
  ServerTerms terms_;
  Refusal refusal_;
  std::string auth_fault_;
  std::optional<session::Ticket> reauthentication_;  // under way
  std::uint8_t auth_steps_ = 0;                      // of the exchange
  Resends resends_;
  Duration resend_after_{};  // 0: never
  Instant last_sent_{};
  Instant pinged_ = kNever;  // when the PINGREQ that waits for PINGRESP was sent
  State state_ = State::kIdle;
  session::Intake intake_ = session::Intake::kEverything;
};

}  // namespace hermod::mqtt
