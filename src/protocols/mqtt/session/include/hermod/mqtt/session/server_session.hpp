// SPDX-License-Identifier: Apache-2.0
// The server's end of one MQTT connection: 3.1, 3.1.1 or 5.0. Knows no socket, no clock and no
// core: octets and answers come in, octets and effects go out.
//
//   kConnecting --CONNECT--> kAttaching --answer kOk--> kOpen --DISCONNECT--> kClosed
//        |                       |                        |                      ^
//        +--anything else,       +--refused,              +--violation, limit,   |
//           connect timeout         connect timeout          keep-alive ---------+
//
// With a method of authentication (MQTT 5.0 §4.12), where server_auth.cpp is at work:
//   kAttaching --answer kContinue: AUTH--> kAuthenticating --AUTH--> kAttaching
//                                                |
//                                                +--anything else, connect timeout--> kClosed
//
//   input             | kConnecting       | kAttaching   | kOpen                    | kClosed
//   CONNECT           | Attach            | left waiting | close [MQTT-3.1.0-2]     | dropped
//   another packet    | close             | left waiting | as its section says      | dropped
//   on_answers        | -                 | CONNACK      | PUBACK, PUBREC, SUBACK.. | lent inflight
//   only on_deliveries     | -                 | -            | PUBLISH                  | dropped
//   on_close          | -                 | -            | Detach                   | Detach if
//   attached
//
// One SUBSCRIBE or UNSUBSCRIBE is worked on at a time; until it is answered, PUBLISH and further
// requests stay in the input, acknowledgements and pings are read.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/mqtt/session/packets.hpp"
#include "hermod/mqtt/session/resends.hpp"
#include "hermod/session/protocol.hpp"
#include "hermod/session/session.hpp"

namespace hermod::mqtt {

class ServerSession final : public session::Session {
 public:
  /// `limits` outlives the session.
  explicit ServerSession(const session::SessionLimits& limits) : limits_(&limits) {}

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

  // What read_packets() asks (Role).
  [[nodiscard]] std::size_t packet_bytes_max() const { return limits_->packet_bytes_max; }
  [[nodiscard]] bool takes_messages() const { return takes_messages_ && request_ == nullptr; }
  [[nodiscard]] ReasonCode judge(const PublishView& publish) const;
  [[nodiscard]] Step on_packet(const FixedHeader& header, Bytes body, session::Effects& effects);
  void fail(model::Reason reason, session::Effects& effects);
  void fail(const WireError& error, session::Effects& effects);
  void fail(ReasonCode code, session::Effects& effects);
  void hear_refusal(ReasonCode, const PropertyBlock&) {}  // the message is over all the same

 private:
  enum class State : std::uint8_t { kConnecting, kAttaching, kAuthenticating, kOpen, kClosed };

  // A SUBSCRIBE or UNSUBSCRIBE that waits for answers.
  struct Request {
    PacketType type = PacketType::kSubscribe;
    std::uint16_t packet_id = 0;
    std::uint32_t unanswered = 0;
    std::uint32_t offset = 0;                // of the first entry that was not asked for
    bool whole = false;                      // all entries were asked for
    std::uint32_t subscription_id = 0;       // SUBSCRIBE in MQTT 5; 0: none
    std::vector<std::uint8_t> return_codes;  // one per entry; UNSUBSCRIBE: in MQTT 5
  };

  [[nodiscard]] std::size_t on_first_bytes(Bytes bytes, session::Effects& effects);
  void on_connect(const ConnectView& connect, session::Effects& effects);
  void on_connect_error(const WireError& error, session::Effects& effects);
  /// What an MQTT 5 client takes, and how this side treats it.
  void take_terms(const PropertyBlock& block);
  /// Takes what only MQTT 5 says in CONNECT of the session and the will; a failure is the reason
  /// code that refuses it.
  [[nodiscard]] ReasonCode read_connect_properties(const ConnectView& connect,
                                                   session::Attach& attach);
  void on_attached(const session::Answer& answer, Instant now, session::Effects& effects);
  /// False when the client does not take a packet of this size.
  [[nodiscard]] bool send_connack(const session::Answer& answer, session::Effects& effects);
  /// What the client said of the packets that it takes [MQTT-3.1.2-24].
  [[nodiscard]] bool client_takes(std::size_t packet_bytes) const {
    return !flow_.v5 || packet_bytes <= flow_.v5->packet_bytes_max;
  }
  [[nodiscard]] ReasonCode elsewhere(ReasonCode code) const;
  [[nodiscard]] std::string_view reference_beside(ReasonCode code) const;
  void refuse(model::Reason reason, session::Effects& effects);
  void refuse(ReasonCode code, model::Reason reason, session::Effects& effects,
              const session::BrokenRule& broken = {});
  /// `told`: what the log is told.
  void refuse(ReasonCode code, model::Reason reason, session::Effects& effects,
              const session::BrokenRule& broken, std::string_view told);
  [[nodiscard]] Step on_subscribe(const FixedHeader& header, Bytes body, session::Effects& effects);
  [[nodiscard]] Step on_unsubscribe(const FixedHeader& header, Bytes body,
                                    session::Effects& effects);
  [[nodiscard]] Step on_disconnect(const FixedHeader& header, Bytes body,
                                   session::Effects& effects);
  [[nodiscard]] std::size_t on_exchange_bytes(Bytes bytes, session::Effects& effects);
  void on_exchange_packet(const FixedHeader& header, Bytes body, session::Effects& effects);
  [[nodiscard]] Step on_auth(const FixedHeader& header, Bytes body, session::Effects& effects);
  void on_authenticated(const session::Answer& answer, session::Effects& effects);
  /// False when the client does not take a packet of this size.
  [[nodiscard]] bool send_auth(ReasonCode reason, Bytes octets, session::Effects& effects);
  [[nodiscard]] Authentication* authentication() const {
    return flow_.v5 ? flow_.v5->authentication.get() : nullptr;
  }
  template <typename Why>
  [[nodiscard]] Step stop(const Why& why, session::Effects& effects) {
    fail(why, effects);
    return Step::kStop;
  }
  void close(ReasonCode code, model::Reason reason, session::Effects& effects,
             const session::BrokenRule& broken = {});
  void say_goodbye(ReasonCode code, const session::BrokenRule& broken, session::Effects& effects);
  void ask_subscriptions(Bytes body, session::Effects& effects);
  void ask_unsubscriptions(Bytes body, session::Effects& effects);
  [[nodiscard]] Step after_asking(session::Effects& effects);
  void on_request_answer(const session::Answer& answer);
  void answer_request(session::Effects& effects);
  void detach(bool discard_will, std::optional<std::uint32_t> expiry_s, session::Effects& effects);
  [[nodiscard]] Instant silence_ends() const;
  void resend(Instant now, session::Effects& effects);

  const session::SessionLimits* limits_;
  std::unique_ptr<Request> request_;
  Flow flow_;
  Hearing hearing_;
  std::unique_ptr<Resends> resends_;  // MQTT 3.1, where it is wanted
  std::uint32_t expiry_s_ = 0;        // what CONNECT asked for
  std::uint16_t keep_alive_s_ = 0;    // what is enforced; 0: nothing
  bool keep_alive_cut_ = false;       // that is less than CONNECT asked for
  State state_ = State::kConnecting;
  bool clean_session_ = true;
  bool attached_ = false;
  bool takes_messages_ = false;
};

// Every idle connection pays for it.
static_assert(sizeof(ServerSession) <= 96);

}  // namespace hermod::mqtt
