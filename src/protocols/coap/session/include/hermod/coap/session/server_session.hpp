// SPDX-License-Identifier: Apache-2.0
// A CoAP peer of the broker: requests on its resources become effects, answers become responses,
// deliveries become notifications. How messages travel is the endpoint's business. Knows no socket,
// no clock and no core.
//
//   GET              Lookup                         2.05, 2.03, 4.04, 4.06
//   GET, Observe 0   Attach -> Subscribe -> Lookup  2.05 with Observe, also without a value
//   PUT, POST        Lookup -> Publish              2.01, 2.04
//   DELETE           Lookup -> Publish (empty)      2.02
//
// An arrow is an answer that is awaited. An observer's value is looked up once its subscription is
// known everywhere: what is published before that is in the response, what comes after is
// delivered. A PUT looks whether the value is new before it publishes; a DELETE goes the same way,
// so that it does not overtake a PUT.
//
// A peer that is silent and has nothing to be remembered for asks to be closed. A peer becomes a
// subscriber (Attach) with its first observation only: requests need none. The subscription is "at
// most once": Observe promises the latest value, not every value, so each observer keeps one value
// and needs no queue in the core.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "hermod/coap/session/observed_topics.hpp"
#include "hermod/coap/session/server_endpoint.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/coap/session/topic_properties.hpp"
#include "hermod/coap/session/topic_requests.hpp"
#include "hermod/session/protocol.hpp"
#include "hermod/session/session.hpp"

namespace hermod::coap {

class ServerSession final : public session::Session, private Resources {
 public:
  /// `settings` and what `setup` points to outlive the session.
  ServerSession(const Settings& settings, const session::SessionSetup& setup);

  void on_open(Instant now, session::Effects& effects) override;
  void on_datagram(const session::Datagram& datagram, Instant now,
                   session::Effects& effects) override;
  void on_deliveries(const model::DeliveryBatch& batch, Instant now,
                     session::Effects& effects) override;
  void on_answers(std::span<const session::Answer> answers, Instant now,
                  session::Effects& effects) override;
  void on_deadline(Instant now, session::Effects& effects) override;
  void on_close(model::Reason reason, Instant now, session::Effects& effects) override;
  [[nodiscard]] Instant next_deadline() const override;

 private:
  enum class Attachment : std::uint8_t { kNone, kAsked, kAttached };
  using Awaits = TopicRequest::Awaits;

  // Resources.
  void on_request(const Request& request, Instant now, session::Effects& effects) override;
  void on_observer_gone(ObserverId observer, Instant now, session::Effects& effects) override;

  // Requests (server_requests.cpp).
  void refuse(const Request& request, Code code, Instant now, session::Effects& effects,
              std::string_view diagnostic = {});
  void serve_topic(const Request& request, Instant now, session::Effects& effects);
  void start_get(const Request& request, TopicRequest& record, Instant now,
                 session::Effects& effects);
  void observe_filter(const Request& request, TopicRequest& record, Instant now,
                      session::Effects& effects);
  void finish_filter(Exchange& exchange, TopicRequest& record, Instant now,
                     session::Effects& effects);
  void go_on_observing(Exchange& exchange, TopicRequest& record, Instant now,
                       session::Effects& effects);
  void start_publish(const Request& request, TopicRequest& record, Instant now,
                     session::Effects& effects);
  void ask_value(const Exchange& exchange, TopicRequest& record, session::Effects& effects);
  [[nodiscard]] bool fits_topic(Exchange& exchange, TopicRequest& record,
                                const session::Answer& answer, Instant now,
                                session::Effects& effects);
  void publish(Exchange& exchange, TopicRequest& record, session::Effects& effects);
  void on_attach_answer(const session::Answer& answer, Instant now, session::Effects& effects);
  void on_lookup_answer(Exchange& exchange, const session::Answer& answer, Instant now,
                        session::Effects& effects);
  [[nodiscard]] const model::Message* live_message(std::string_view topic);
  void finish_get(Exchange& exchange, TopicRequest& record, const model::Message* value,
                  Instant now, session::Effects& effects);
  void on_publish_answer(Exchange& exchange, const session::Answer& answer, Instant now,
                         session::Effects& effects);
  void finish_publish(Exchange& exchange, TopicRequest& record, Instant now,
                      session::Effects& effects);

  // Lists and configurations (server_configuration.cpp).
  void serve_links(const Request& request, Resource resource, Instant now,
                   session::Effects& effects);
  void ask_list(const Exchange& exchange, TopicRequest& record, session::Effects& effects);
  void on_list_answer(Exchange& exchange, const session::Answer& answer, Instant now,
                      session::Effects& effects);
  void create_topic(const Request& request, Instant now, session::Effects& effects);
  void serve_configuration(const Request& request, Instant now, session::Effects& effects);
  void on_configuration_lookup(Exchange& exchange, const session::Answer& answer, Instant now,
                               session::Effects& effects);
  void on_declare_answer(Exchange& exchange, const session::Answer& answer, Instant now,
                         session::Effects& effects);
  void show_topic(Exchange& exchange, Code code, const model::TopicProperties* declared,
                  PropertyKeys keys, Instant now, session::Effects& effects);

  /// Calls visit(exchange, record) for each open request that awaits `what`.
  template <typename Visit>
  void for_each_awaiting(Awaits what, Visit visit);

  // Observations (server_observations.cpp).
  [[nodiscard]] ObserverId start_observing(const Exchange& exchange, TopicRequest& record,
                                           Instant now, session::Effects& effects);
  void subscribe(TopicId topic, session::Effects& effects);
  void on_subscribe_answer(TopicId topic, const session::Answer& answer, Instant now,
                           session::Effects& effects);
  void on_unsubscribe_answer(TopicId topic);
  void begin_notifying(ObserverId observer, const Response& response, Instant now,
                       session::Effects& effects);
  [[nodiscard]] bool take_seat(TopicRequest& record, const model::TopicProperties* declared,
                               session::Effects& effects);
  void on_watch_answer(TopicId topic, const session::Answer& answer, Instant now,
                       session::Effects& effects);
  void set_check(TopicId topic, const model::TopicProperties& declared);
  void end_all(TopicId topic, Code code, Instant now, session::Effects& effects);
  [[nodiscard]] bool is_overtaken(const TopicRequest& record, std::uint64_t version);
  void unobserve(ObserverId observer, Instant now, session::Effects& effects);
  void drop(ObserverId observer, Instant now, session::Effects& effects);
  void end(ObserverId observer, Code code, Instant now, session::Effects& effects);
  void deliver(TopicId topic, const model::DeliveryBatch& batch, std::size_t index, Instant now,
               session::Effects& effects);
  [[nodiscard]] bool take_any_value(ObserverId observer, const model::Message& message,
                                    ObservedValue& value, Instant now);
  [[nodiscard]] bool take_value(ObserverId observer, const model::Message& message,
                                ObservedValue& value, Instant now, session::Effects& effects);
  [[nodiscard]] Bytes encode_shared(const model::DeliveryBatch& batch, std::size_t index,
                                    Instant now) const;
  void close_idle(Instant now, session::Effects& effects);

  const Settings& settings_;
  const session::SessionLimits& limits_;
  session::Budget* budget_;
  ServerEndpoint endpoint_;
  TopicRequests requests_;
  std::unique_ptr<ObservedTopics> observed_;  // nullptr until the peer observes something
  Instant idle_due_ = kNever;
  Attachment attachment_ = Attachment::kNone;
};

template <typename Visit>
void ServerSession::for_each_awaiting(Awaits what, Visit visit) {
  endpoint_.exchanges().for_each_open([&](Exchange& exchange) {
    if (!requests_.holds(exchange.index)) return;
    TopicRequest& record = requests_[exchange.index];
    if (record.awaits == what) visit(exchange, record);
  });
}

}  // namespace hermod::coap
