// SPDX-License-Identifier: Apache-2.0
// The client's end of one MQTT 3.1.1 connection, with the same exchanges as the server's and the
// requests that only a client makes. Knows no socket, no clock and no application.
//
//   kIdle --on_open: CONNECT--> kConnecting --CONNACK 0--> kOpen --disconnect()--> kClosed
//                                    |                       |                        ^
//                                    +--refused, timeout,    +--violation,            |
//                                       another packet          no PINGRESP ----------+
//
//   ClientSession session({.client_id = "kitchen", .clean_session = false}, std::move(inflight));
//   session.on_open(now, effects);                      // later: Opened, then Credit
//   session.subscribe(entries, ticket, now, effects);   // later: one Completed per entry
//   session.on_deliveries(batch, now, effects);         // later: Settle per message above QoS 0
//   inflight = session.take_inflight();                 // after on_close, for the next connection
//
// What the server publishes comes as Publish effects; the application's answer to the ticket is
// what acknowledges it. A message of QoS 0 is over as soon as on_deliveries returns. Deliveries are
// for an open connection: before Opened and after Close they are dropped.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/mqtt/session/packets.hpp"
#include "hermod/session/session.hpp"

namespace hermod::mqtt {

/// What a client asks for in CONNECT, and its own limits.
struct ClientOptions {
  struct Will {
    std::string topic;
    std::vector<std::uint8_t> payload;
    model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
    bool retain = false;
  };

  std::string client_id;            ///< empty: the server assigns one; only with clean_session
  bool clean_session = true;        ///< forget earlier exchanges, on both sides
  std::uint16_t keep_alive_s = 60;  ///< 0: none
  std::optional<std::string> user_name;
  std::optional<std::vector<std::uint8_t>> password;  ///< only with user_name
  std::optional<Will> will;
  std::uint32_t connect_timeout_s = 30;  ///< CONNACK must have come by then
  std::uint32_t packet_bytes_max = 268'435'455;
  std::uint16_t inflight_max = 20;  ///< messages above QoS 0 that are under way at a time
};

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
  /// there is no entry, one is not a topic filter or QoS, or they do not fit a packet.
  [[nodiscard]] bool subscribe(std::span<const SubscribeEntry> entries, session::Ticket ticket,
                               Instant now, session::Effects& effects);
  /// Sends UNSUBSCRIBE; one Completed follows. False as for subscribe().
  [[nodiscard]] bool unsubscribe(std::span<const std::string_view> filters, session::Ticket ticket,
                                 Instant now, session::Effects& effects);
  /// Sends DISCONNECT and closes: the server forgets the will.
  void disconnect(Instant now, session::Effects& effects);

  /// The exchanges that are not over, for the next connection. After on_close.
  [[nodiscard]] session::Inflight take_inflight() { return std::move(flow_.inflight); }

  // What read_packets() asks (Role).
  [[nodiscard]] std::size_t packet_bytes_max() const { return options_.packet_bytes_max; }
  [[nodiscard]] bool takes_messages() const {
    return intake_ == session::Intake::kEverything && state_ == State::kOpen;
  }
  [[nodiscard]] model::Reason judge(const PublishView&) const { return model::Reason::kOk; }
  [[nodiscard]] Step on_packet(const FixedHeader& header, Bytes body, session::Effects& effects);
  void fail(model::Reason reason, session::Effects& effects);
  void fail(const WireError&, session::Effects& effects) {
    fail(model::Reason::kMalformed, effects);
  }
  void fail(ReasonCode, session::Effects& effects) { fail(model::Reason::kProtocolError, effects); }

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kOpen, kClosed };

  struct Request {
    session::Ticket ticket = 0;
    std::uint32_t entries = 0;  // 0: UNSUBSCRIBE
    std::uint16_t packet_id = 0;
  };

  [[nodiscard]] Step on_connack(const FixedHeader& header, Bytes body, session::Effects& effects);
  [[nodiscard]] Step on_suback(const FixedHeader& header, Bytes body, session::Effects& effects);
  [[nodiscard]] Step on_unsuback(const FixedHeader& header, Bytes body, session::Effects& effects);
  [[nodiscard]] Step stop(model::Reason reason, session::Effects& effects);
  [[nodiscard]] std::uint16_t take_request_id();
  [[nodiscard]] std::optional<Request> take_request(std::uint16_t packet_id, bool subscribe);
  void end_requests(model::Reason reason, session::Effects& effects);
  void ping(Instant now, session::Effects& effects);
  [[nodiscard]] Instant ping_due() const;

  ClientOptions options_;
  Flow flow_;
  Hearing hearing_;
  std::vector<Request> requests_;
  Instant last_sent_{};
  Instant pinged_ = kNever;  // when the PINGREQ that waits for PINGRESP was sent
  State state_ = State::kIdle;
  session::Intake intake_ = session::Intake::kEverything;
};

}  // namespace hermod::mqtt
