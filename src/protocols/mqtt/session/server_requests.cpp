// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE and UNSUBSCRIBE of the server (MQTT 3.1.1 §3.8 to §3.11): one effect per filter, the
// answers gathered, one SUBACK or UNSUBACK. A packet with very many filters is worked through in
// rounds and stays in the input until the last one, so that the list of effects stays short.
#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "hermod/mqtt/codec/unsuback.hpp"
#include "hermod/mqtt/codec/unsubscribe.hpp"
#include "hermod/mqtt/session/advice.hpp"
#include "hermod/mqtt/session/convert.hpp"
#include "hermod/mqtt/session/server_session.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Answer;
using session::Effects;

namespace {
constexpr std::uint32_t kFiltersPerRound = 256;

// Where the entries begin in a body: behind the packet id and the properties.
std::uint32_t first_entry(const PropertyBlock& properties, Version version) {
  return static_cast<std::uint32_t>(2 + block_size(properties, version));
}

// What refuses a filter. MQTT 3.1 has no code for that: the client is told the QoS that it wanted.
std::uint8_t refusal(ReasonCode code, const SubscribeEntry& asked, Version version) {
  if (version == Version::kV5) return static_cast<std::uint8_t>(code);
  return version == Version::kV311 ? kSubackFailure : asked.qos;
}

ReasonCode first_failure(const std::vector<std::uint8_t>& codes) {
  const auto found = std::ranges::find_if(
      codes, [](std::uint8_t code) { return is_failure(static_cast<ReasonCode>(code)); });
  return found == codes.end() ? ReasonCode::kSuccess : static_cast<ReasonCode>(*found);
}

PacketType answer_of(PacketType request) {
  return request == PacketType::kSubscribe ? PacketType::kSuback : PacketType::kUnsuback;
}

ReasonCode unsuback_code(Reason reason) {
  if (reason == Reason::kOk) return ReasonCode::kSuccess;
  if (reason == Reason::kNotFound) return ReasonCode::kNoSubscriptionExisted;
  const ReasonCode code = to_subscribe_code(reason);  // SUBACK has some more [MQTT-3.11.3-2]
  return is_allowed(code, PacketType::kUnsuback) ? code : ReasonCode::kUnspecifiedError;
}
}  // namespace

Step ServerSession::on_subscribe(const FixedHeader& header, Bytes body, Effects& effects) {
  if (request_ == nullptr) {
    if (!takes_messages_) return Step::kWait;
    const auto subscribe = read_subscribe(header, body, flow_.version);
    if (!subscribe) return stop(subscribe.error(), effects);
    request_ = std::make_unique<Request>();
    request_->type = PacketType::kSubscribe;
    request_->packet_id = subscribe->packet_id;
    request_->offset = first_entry(subscribe->properties, flow_.version);
    request_->subscription_id =
        subscribe->properties.number_or(PropertyId::kSubscriptionIdentifier, 0);
    request_->return_codes.reserve(subscribe->entries.size());
  } else if (request_->whole || request_->unanswered > 0) {
    return Step::kWait;
  }
  ask_subscriptions(body, effects);
  return after_asking(effects);
}

Step ServerSession::on_unsubscribe(const FixedHeader& header, Bytes body, Effects& effects) {
  if (request_ == nullptr) {
    if (!takes_messages_) return Step::kWait;
    const auto unsubscribe = read_unsubscribe(header, body, flow_.version);
    if (!unsubscribe) return stop(unsubscribe.error(), effects);
    request_ = std::make_unique<Request>();
    request_->type = PacketType::kUnsubscribe;
    request_->packet_id = unsubscribe->packet_id;
    request_->offset = first_entry(unsubscribe->properties, flow_.version);
    if (flow_.v5) request_->return_codes.reserve(unsubscribe->filters.size());
  } else if (request_->whole || request_->unanswered > 0) {
    return Step::kWait;
  }
  ask_unsubscriptions(body, effects);
  return after_asking(effects);
}

// As if each filter had come alone, in order [MQTT-3.8.4-4].
void ServerSession::ask_subscriptions(Bytes body, Effects& effects) {
  const SubscribeEntries rest(body.subspan(request_->offset), 0);
  for (auto entry = rest.begin(); entry != rest.end(); ++entry) {
    if (request_->unanswered == kFiltersPerRound) return;
    const SubscribeEntry asked = *entry;
    request_->offset += static_cast<std::uint32_t>(2 + asked.filter.size() + 1);
    request_->return_codes.push_back(
        refusal(ReasonCode::kTopicFilterInvalid, asked, flow_.version));
    if (topic_levels(asked.filter) > limits_->topic_levels_max) continue;
    ++request_->unanswered;
    session::Subscribe subscribe;
    subscribe.filter = asked.filter;
    subscribe.options.guarantee_max = std::min(to_guarantee(asked.qos), limits_->guarantee_max);
    subscribe.options.retain_handling = to_retain_handling(asked.retain_handling);
    subscribe.options.no_local = asked.no_local;
    subscribe.options.retain_as_published = asked.retain_as_published;
    subscribe.options.subscription_id = request_->subscription_id;
    subscribe.ticket = make_ticket(TicketKind::kRequest, request_->return_codes.size() - 1);
    effects.push(subscribe);
  }
  request_->whole = true;
}

void ServerSession::ask_unsubscriptions(Bytes body, Effects& effects) {  // [MQTT-3.10.4-6]
  const UnsubscribeFilters rest(body.subspan(request_->offset), 0);
  for (auto filter = rest.begin(); filter != rest.end(); ++filter) {
    if (request_->unanswered == kFiltersPerRound) return;
    request_->offset += static_cast<std::uint32_t>(2 + (*filter).size());
    ++request_->unanswered;
    const std::size_t index = request_->return_codes.size();
    if (flow_.v5) request_->return_codes.push_back(0);
    effects.push(session::Unsubscribe{*filter, make_ticket(TicketKind::kRequest, index)});
  }
  request_->whole = true;
}

// A packet that is not worked through stays where it is.
Step ServerSession::after_asking(Effects& effects) {
  const Step step = request_->whole ? Step::kNext : Step::kWait;
  answer_request(effects);
  return state_ == State::kClosed ? Step::kStop : step;
}

void ServerSession::on_request_answer(const Answer& answer) {
  HERMOD_ASSERT(request_ != nullptr && request_->unanswered > 0);
  --request_->unanswered;
  const auto index = static_cast<std::uint32_t>(answer.ticket);
  if (request_->type == PacketType::kUnsubscribe) {
    if (!flow_.v5) return;  // found or not [MQTT-3.10.4-5]
    request_->return_codes[index] = static_cast<std::uint8_t>(unsuback_code(answer.reason));
  } else if (answer.reason == Reason::kOk) {
    request_->return_codes[index] = to_qos(answer.granted);  // [MQTT-3.9.3-1], [MQTT-3.8.4-5]
  } else if (flow_.v5) {
    request_->return_codes[index] = static_cast<std::uint8_t>(to_subscribe_code(answer.reason));
  }
}

void ServerSession::answer_request(Effects& effects) {
  if (!request_->whole || request_->unanswered > 0) return;
  const std::unique_ptr<Request> request = std::move(request_);
  Output& output = effects.output();
  const ReasonString why(flow_.v5 ? first_failure(request->return_codes) : ReasonCode::kSuccess,
                         answer_of(request->type), {}, flow_.v5.get());
  if (request->type == PacketType::kSubscribe) {  // [MQTT-3.8.4-1], [MQTT-3.8.4-2]
    SubackView suback{request->packet_id, request->return_codes};
    suback.properties = why.beside(suback_size(suback, flow_.version));  // [MQTT-3.9.2-1]
    const std::size_t size = suback_size(suback, flow_.version);
    if (!client_takes(size)) return fail(Reason::kTooLarge, effects);
    write_suback(output.reserve(size), suback, flow_.version);
    output.commit(size);
  } else {  // [MQTT-3.10.4-4]
    UnsubackView unsuback{request->packet_id, request->return_codes};
    unsuback.properties = why.beside(unsuback_size(unsuback, flow_.version));  // [MQTT-3.11.2-1]
    const std::size_t size = unsuback_size(unsuback, flow_.version);
    if (!client_takes(size)) return fail(Reason::kTooLarge, effects);
    write_unsuback(output.reserve(size), unsuback, flow_.version);
    output.commit(size);
  }
  effects.note_sent(1);
}

}  // namespace hermod::mqtt
