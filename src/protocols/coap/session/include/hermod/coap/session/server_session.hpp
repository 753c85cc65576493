// SPDX-License-Identifier: Apache-2.0
// The server's end of one CoAP peer over UDP (RFC 7252, RFC 7641): requests become effects, answers
// become responses, deliveries become notifications. Knows no socket, no clock and no core.
//
//   datagram -> format (message layer) -> seen before? -> options, resource, method -> effects
//   answers  -> response: in the Acknowledgement, or separately once that has gone
//   delivery -> notification: non-confirmable, or confirmable and then nothing until acknowledged
//
// A peer that is silent and has nothing to be remembered for asks to be closed. A peer becomes a
// subscriber (Attach) with its first observation only: requests need none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "hermod/coap/session/deduplication.hpp"
#include "hermod/coap/session/observe.hpp"
#include "hermod/coap/session/reliability.hpp"
#include "hermod/coap/session/requests.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/session/protocol.hpp"
#include "hermod/session/session.hpp"

namespace hermod::coap {

struct Reply;

class ServerSession final : public session::Session {
 public:
  /// `settings` and what `setup` points to outlive the session.
  ServerSession(const Settings& settings, const session::SessionSetup& setup);

  void on_open(Instant now, session::Effects& effects) override;
  void on_datagram(Bytes datagram, Instant now, session::Effects& effects) override;
  void on_deliveries(const model::DeliveryBatch& batch, Instant now,
                     session::Effects& effects) override;
  void on_answers(std::span<const session::Answer> answers, Instant now,
                  session::Effects& effects) override;
  void on_deadline(Instant now, session::Effects& effects) override;
  void on_close(model::Reason reason, Instant now, session::Effects& effects) override;
  [[nodiscard]] Instant next_deadline() const override;

 private:
  enum class Attachment : std::uint8_t { kNone, kAsked, kAttached };

  // Message layer (server_session.cpp).
  void reject(Type type, std::uint16_t message_id, session::Effects& effects);
  void on_acknowledged(std::uint16_t message_id, Instant now, session::Effects& effects);
  void on_reset(std::uint16_t message_id, Instant now, session::Effects& effects);
  void go_on(Instant now, session::Effects& effects);
  std::optional<std::uint16_t> respond(const Exchange& exchange, const Reply& reply, Instant now,
                                       session::Effects& effects);
  void on_confirmable_due(Instant now, session::Effects& effects);
  void acknowledge_late(Instant now, session::Effects& effects);
  void close_idle(Instant now, session::Effects& effects);

  // Requests (server_requests.cpp).
  void on_request(const MessageView& message, Bytes datagram, Instant now,
                  session::Effects& effects);
  [[nodiscard]] bool answer_seen(const Exchange& exchange, std::uint64_t fingerprint, Instant now,
                                 session::Effects& effects);
  [[nodiscard]] bool refuse(const MessageView& message, const RequestView& view,
                            const Exchange& exchange, Instant now, session::Effects& effects);
  void serve_links(const RequestView& view, const Exchange& exchange, Instant now,
                   session::Effects& effects);
  void start_get(Request& request, const RequestView& view, Instant now, session::Effects& effects);
  void ask_value(Request& request, session::Effects& effects);
  void start_publish(Request& request, const MessageView& message, const RequestView& view,
                     session::Effects& effects);
  void publish(Request& request, session::Effects& effects);
  void on_attach_answer(const session::Answer& answer, Instant now, session::Effects& effects);
  void on_lookup_answer(Request& request, const session::Answer& answer, Instant now,
                        session::Effects& effects);
  void finish_get(Request& request, const model::Message* value, Instant now,
                  session::Effects& effects);
  void finish_publish(Request& request, Instant now, session::Effects& effects);

  // Observations (server_observe.cpp).
  [[nodiscard]] ObservationId start_observing(Request& request, Instant now,
                                              session::Effects& effects);
  void subscribe(TopicId topic, session::Effects& effects);
  void on_subscribe_answer(TopicId topic, const session::Answer& answer, Instant now,
                           session::Effects& effects);
  void on_unsubscribe_answer(TopicId topic);
  [[nodiscard]] bool is_overtaken(const Request& request, std::uint64_t version) const;
  void activate(ObservationId id, const Representation& representation, const model::Message* value,
                Instant now, session::Effects& effects);
  void drop(ObservationId id, Instant now, session::Effects& effects);
  void drop_all(Instant now, session::Effects& effects);
  void end(ObservationId id, Code code, Instant now, session::Effects& effects);
  [[nodiscard]] bool take_value(ObservationId id, const model::Message& message, Instant now,
                                session::Effects& effects);
  [[nodiscard]] Bytes encode_shared(const model::DeliveryBatch& batch, std::size_t index,
                                    Instant now) const;
  void notify(ObservationId id, Bytes encoded, Instant now, session::Effects& effects);
  void notify_waiting(Instant now, session::Effects& effects);
  void supersede(ObservationId id, Instant now);
  void confirm_observers(Instant now, session::Effects& effects);
  [[nodiscard]] Representation kept(const Observation& observation, Instant now) const;
  [[nodiscard]] Observations& observations();

  const Settings& settings_;
  const session::SessionLimits& limits_;
  Rng& rng_;
  MessageIds message_ids_;
  Deduplicator seen_;
  ConfirmableOutbox outbox_;
  RequestTable requests_;
  std::unique_ptr<Observations> observations_;  // nullptr until the peer observes something
  Instant last_input_{};
  Instant acknowledge_due_ = kNever;
  Instant confirm_due_ = kNever;
  Instant idle_due_ = kNever;
  Attachment attachment_ = Attachment::kNone;
  bool proven_ = false;  // the peer has acknowledged something: its address is its own
};

}  // namespace hermod::coap
