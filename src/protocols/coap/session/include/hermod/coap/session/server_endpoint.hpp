// SPDX-License-Identifier: Apache-2.0
// The server's end of one CoAP peer over UDP (RFC 7252, RFC 7641, RFC 7959), whatever the server's
// resources are: messages, duplicates, blocks, observers' notifications, and what an address that
// nobody has proven may be sent. Knows no socket, no clock, no broker.
//
//   datagram -> format (message layer) -> seen before? -> options -> body whole? -> Resources
//   respond()-> block of it -> in the Acknowledgement, or separately once that has gone
//   offer()  -> notification: non-confirmable, or confirmable and then nothing until acknowledged
//
//   class Clock final : public coap::Resources {
//     void on_request(const coap::Request& request, Instant now, session::Effects& effects) {
//       endpoint->respond(request.exchange, {.code = coap::code::kContent, ...}, now, effects);
//     }
//     ...
//   };
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/coap/session/deduplication.hpp"
#include "hermod/coap/session/exchanges.hpp"
#include "hermod/coap/session/group_answers.hpp"
#include "hermod/coap/session/observe.hpp"
#include "hermod/coap/session/reliability.hpp"
#include "hermod/coap/session/request_options.hpp"
#include "hermod/coap/session/response.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/coap/session/transfers.hpp"
#include "hermod/session/session.hpp"

namespace hermod::coap {

/// A request whose body is whole. Borrowed for the call, but for the exchange.
struct Request {
  Exchange& exchange;  ///< lives until it is answered
  const MessageView& message;
  const RequestOptions& options;
  Bytes payload;
};

/// What is behind an endpoint.
class Resources {
 public:
  virtual ~Resources() = default;
  /// To be answered with respond(), now or later, once.
  virtual void on_request(const Request& request, Instant now, session::Effects& effects) = 0;
  /// The observer is none any more: the peer has reset it, observes something else with its token,
  /// or does not answer.
  virtual void on_observer_gone(ObserverId observer, Instant now, session::Effects& effects) = 0;
};

class ServerEndpoint {
 public:
  /// All outlive the endpoint; `budget` may be nullptr. Bodies of requests have at most `body_max`
  /// octets.
  ServerEndpoint(const Settings& settings, std::size_t body_max, Rng& rng, session::Budget* budget,
                 Resources& resources);

  void on_open(Instant now);
  void on_datagram(const session::Datagram& datagram, Instant now, session::Effects& effects);
  void on_deadline(Instant now, session::Effects& effects);
  [[nodiscard]] Instant next_deadline() const;

  // --- requests ---

  /// Before a request is answered with Response::keep set.
  void will_keep(Exchange& exchange, const MessageView& message) const {
    exchange.transfer = transfer_key(message);
  }
  /// The answer will take its time: a Confirmable request is acknowledged now, and not only when
  /// `ack_delay` is over, so that the peer does not repeat it (RFC 7252 §5.2.2).
  void acknowledge(Exchange& exchange, session::Effects& effects);
  /// Answers a request, which is over with that.
  void respond(Exchange& exchange, const Response& response, Instant now,
               session::Effects& effects);
  [[nodiscard]] Exchanges& exchanges() { return exchanges_; }

  // --- observers ---

  /// Makes who has sent this request an observer, or renews it (RFC 7641 §4.1): it is registering
  /// until the response that names it. 0 when there is no room: then the request is a plain GET.
  /// With `many` it observes many resources: see ObservedValue::location.
  [[nodiscard]] ObserverId observe(const Exchange& exchange, Instant now, bool many = false);
  /// The observer of a token; 0 when there is none.
  [[nodiscard]] ObserverId find_observer(const Token& token) const {
    return observers_ ? observers_->find(token) : 0;
  }
  /// A new value of what is observed. Sent as soon as that can be done; a newer one takes its
  /// place. `shared` is what write_notification() makes of it, or empty.
  void offer(ObserverId observer, const ObservedValue& value, Bytes shared, Instant now,
             session::Effects& effects);
  /// Ends an observation with a last notification that is an error (RFC 7641 §3.2).
  void end_observer(ObserverId observer, Code code, Instant now, session::Effects& effects);
  /// Forgets an observer; it is told nothing. on_observer_gone() is not called.
  void remove_observer(ObserverId observer);
  [[nodiscard]] Observer& observer(ObserverId id) { return (*observers_)[id]; }
  /// The longest time between two Confirmable notifications to an observer, in seconds; 0: as the
  /// settings say.
  void set_confirm_every(ObserverId observer, std::uint32_t seconds);
  [[nodiscard]] std::size_t observers() const { return observers_ ? observers_->size() : 0; }
  /// Says to all observers that the server goes (RFC 7641 §4.2).
  void say_goodbye(Instant now, session::Effects& effects);

  /// Options and payload of the notification of a value to any observer that wants blocks of the
  /// usual size; the Observe option in it is a placeholder. Appends to `out`.
  static void write_notification(const ObservedValue& value, const Settings& settings, Instant now,
                                 std::vector<std::uint8_t>& out);

  // --- the peer ---

  /// From when on there is nothing to remember the peer for, if nothing happens; kNever while it
  /// observes.
  [[nodiscard]] Instant forget_at(Instant now) const;
  /// The peer has shown that it receives what is sent to its address.
  [[nodiscard]] bool proven() const { return proven_; }

 private:
  // Message layer, and the peer's address (server_messages.cpp).
  void send_empty(Type type, std::uint16_t message_id, session::Effects& effects);
  void reject(Type type, std::uint16_t message_id, session::Effects& effects);
  void on_acknowledged(std::uint16_t message_id, Instant now, session::Effects& effects);
  void on_reset(std::uint16_t message_id, Instant now, session::Effects& effects);
  void go_on(Instant now, session::Effects& effects);
  void on_confirmable_due(Instant now, session::Effects& effects);
  void send_confirmable(Bytes datagram, session::Effects& effects);
  void acknowledge_late(Instant now, session::Effects& effects);
  [[nodiscard]] bool may_send(std::size_t octets) const;
  void note_sent(std::size_t octets) { sent_ += octets; }
  void note_mismatch();
  [[nodiscard]] bool can_be_proven_by_message() const;
  void prove_by_message();
  void ping(Instant now, session::Effects& effects);
  void check_echo(Bytes value, Instant now, session::Effects& effects);

  // Requests (server_endpoint.cpp).
  void on_request(const MessageView& message, const session::Datagram& datagram, Instant now,
                  session::Effects& effects);
  [[nodiscard]] bool answer_seen(const MessageView& message, std::uint64_t fingerprint, Instant now,
                                 session::Effects& effects);
  [[nodiscard]] bool refuse(Exchange& exchange, const MessageView& message,
                            const RequestOptions& options, bool whole, Instant now,
                            session::Effects& effects);
  [[nodiscard]] bool over_rate(Instant now);
  void remember(Exchange& exchange, Instant now);
  [[nodiscard]] bool serve_kept(Exchange& exchange, Instant now, session::Effects& effects);
  [[nodiscard]] bool take_block(Exchange& exchange, const MessageView& message,
                                const RequestOptions& options, Instant now,
                                session::Effects& effects);
  [[nodiscard]] Transfers& transfers();

  // Responses (server_responses.cpp).
  void answer(Exchange& exchange, Response response, Instant now, session::Effects& effects);
  void settle(const Exchange& exchange, const Response& response, Bytes body);
  void cut(const Exchange& exchange, Response& response, TransferOptions& options, Instant now);
  void send(const Exchange& exchange, Code code, std::uint8_t* out, std::size_t body_size,
            ObserverId observer, Instant now, session::Effects& effects);
  void send_copy(const Exchange& exchange, Code code, Bytes body, ObserverId observer, Instant now,
                 session::Effects& effects);
  [[nodiscard]] bool shrink(const Exchange& exchange, Response& response,
                            const Representation& whole, TransferOptions& options, Instant now);
  void challenge(const Exchange& exchange, Instant now, session::Effects& effects);

  // Requests that came by multicast (server_group.cpp).
  void on_group_datagram(const session::Datagram& datagram, Instant now, session::Effects& effects);
  void answer_group(const Exchange& exchange, const Response& response, Instant now);
  [[nodiscard]] bool answer_at_leisure(const Exchange& exchange, Response response, Instant now);
  void give_group_answers(Instant now, session::Effects& effects);

  // Observers (server_observers.cpp).
  void activate(const Response& response, Instant now, session::Effects& effects);
  bool notify(ObserverId id, Bytes shared, Instant now, session::Effects& effects);
  std::uint8_t* write_kept(std::uint8_t* out, const Observer& observer, std::uint32_t sequence,
                           Instant now) const;
  void notify_waiting(Instant now, session::Effects& effects);
  void hold(ObserverId id);
  void supersede(ConfirmableOutbox::Message& message, Instant now);
  void confirm_observers(Instant now, session::Effects& effects);
  void lose_observer(ObserverId id, Instant now, session::Effects& effects);
  void lose_all(Instant now, session::Effects& effects);

  const Settings& settings_;
  std::size_t body_max_;
  Rng& rng_;
  session::Budget* budget_;
  Resources& resources_;
  MessageIds message_ids_;
  ConfirmableOutbox outbox_;
  Deduplicator seen_;
  Exchanges exchanges_;
  std::unique_ptr<Observers> observers_;         // nullptr until the peer observes something
  std::unique_ptr<Transfers> transfers_;         // nullptr until there are blocks
  std::unique_ptr<GroupAnswers> group_answers_;  // nullptr until one waits
  Instant last_input_{};
  Instant acknowledge_due_ = kNever;
  Instant confirm_due_ = kNever;
  Instant rate_begin_{};
  std::uint64_t echo_ = 0;      // 0: none was given out
  std::uint64_t received_ = 0;  // octets
  std::uint64_t sent_ = 0;      // octets
  std::uint32_t rate_count_ = 0;
  std::uint8_t mismatches_ = 0;  // Acknowledgements and Resets of nothing, until it is proven
  bool proven_ = false;          // the peer has shown that it receives: its address is its own
};

}  // namespace hermod::coap
