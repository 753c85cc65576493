// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE and UNSUBSCRIBE of the client (MQTT 3.1.1 §3.8 to §3.11). Their packet ids come from
// the same Inflight as those of messages, so that none is in use twice [MQTT-2.3.1-2]; they are
// marked by QoS 0, which no message with an id has.
#include <algorithm>
#include <utility>

#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "hermod/mqtt/codec/unsuback.hpp"
#include "hermod/mqtt/codec/unsubscribe.hpp"
#include "hermod/mqtt/session/client_session.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Guarantee;
using model::Reason;
using session::Completed;
using session::Effects;
using session::Ticket;

namespace {
constexpr model::Tag kNoTag = UINT64_MAX;  // queues do not come that far
}

// [MQTT-3.8.3-4]; §3.2.2.3.11 to §3.2.2.3.13: what the server does not offer is not asked for.
bool ClientSession::allowed(const SubscribeEntry& entry) const {
  if (entry.qos > 2 || topic_filter_fault(entry.filter, flow_.version) != TopicFault::kNone) {
    return false;
  }
  if (!flow_.v5) return true;
  const bool shared = is_shared_filter(entry.filter);
  if (shared && (entry.no_local || !terms_.shared_subscriptions)) return false;
  return terms_.wildcards || entry.filter.find_first_of("+#") == std::string_view::npos;
}

bool ClientSession::subscribe(std::span<const SubscribeEntry> entries, Ticket ticket, Instant now,
                              Effects& effects, std::span<const Property> properties) {
  EncodedProperties encoded;
  if (state_ != State::kOpen || entries.empty()) return false;
  if (flow_.v5 && !encoded.encode(properties)) return false;
  if (encoded.block().has(PropertyId::kSubscriptionIdentifier) && !terms_.subscription_ids) {
    return false;
  }
  const std::size_t size = subscribe_size(entries, flow_.version, encoded.block());
  if (size == 0 || size > terms_.packet_bytes_max) return false;  // [MQTT-3.2.2-15]
  const bool valid =
      std::ranges::all_of(entries, [this](const SubscribeEntry& entry) { return allowed(entry); });
  const std::uint16_t id = valid ? take_request_id() : 0;
  if (id == 0) return false;
  std::uint8_t* const out = effects.output().reserve(size);
  write_subscribe(out, id, entries, flow_.version, encoded.block());
  note_request({ticket, static_cast<std::uint32_t>(entries.size()), id, true}, {out, size}, now);
  effects.output().commit(size);
  return true;
}

bool ClientSession::unsubscribe(std::span<const std::string_view> filters, Ticket ticket,
                                Instant now, Effects& effects,
                                std::span<const Property> properties) {
  EncodedProperties encoded;
  if (state_ != State::kOpen || filters.empty()) return false;
  if (flow_.v5 && !encoded.encode(properties)) return false;
  const std::size_t size = unsubscribe_size(filters, flow_.version, encoded.block());
  if (size == 0 || size > terms_.packet_bytes_max) return false;
  const bool valid = std::ranges::all_of(filters, [this](std::string_view filter) {
    return topic_filter_fault(filter, flow_.version) == TopicFault::kNone;
  });
  const std::uint16_t id = valid ? take_request_id() : 0;
  if (id == 0) return false;
  std::uint8_t* const out = effects.output().reserve(size);
  write_unsubscribe(out, id, filters, flow_.version, encoded.block());
  note_request({ticket, static_cast<std::uint32_t>(filters.size()), id, false}, {out, size}, now);
  effects.output().commit(size);
  return true;
}

void ClientSession::note_request(Request request, Bytes packet, Instant now) {
  if (resends()) {
    request.packet.assign(packet.begin(), packet.end());
    request.due = now + resend_after_;
  }
  requests_.push_back(std::move(request));
  last_sent_ = now;
}

Instant ClientSession::requests_due() const {
  Instant due = kNever;
  for (const Request& request : requests_) due = std::min(due, request.due);
  return due;
}

// MQTT 3.1 §3.8, §3.10: requests are of QoS 1, and so they have DUP when they are repeated.
void ClientSession::resend_requests(Instant now, Effects& effects) {
  for (Request& request : requests_) {
    if (request.due > now) continue;
    const std::size_t size = request.packet.size();
    std::uint8_t* const out = effects.output().reserve(size);
    std::ranges::copy(request.packet, out);
    out[0] |= kPublishDup;
    effects.output().commit(size);
    request.due = now + resend_after_;
  }
}

// [MQTT-2.3.1-1]; 0 when all are in use.
std::uint16_t ClientSession::take_request_id() {
  return flow_.inflight.take(kNoTag, Guarantee::kAtMostOnce);
}

std::optional<ClientSession::Request> ClientSession::take_request(std::uint16_t packet_id,
                                                                  bool subscribe) {
  const auto found = std::ranges::find_if(requests_, [&](const Request& request) {
    return request.packet_id == packet_id && request.subscribe == subscribe;
  });
  if (found == requests_.end()) return std::nullopt;
  Request request = std::move(*found);
  requests_.erase(found);
  flow_.inflight.finish(packet_id);
  return request;
}

Step ClientSession::on_suback(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto suback = read_suback(header, body, flow_.version);
  if (!suback) return stop(suback.error(), effects);
  const auto request = take_request(suback->packet_id, true);
  if (!request && resends()) return Step::kNext;  // the answer to a repetition
  if (!request) return stop(Reason::kProtocolError, effects);
  for (const std::uint8_t code : suback->return_codes.first(
           std::min<std::size_t>(suback->return_codes.size(), request->entries))) {
    const bool failed = code >= kSubackFailure;
    // 3.1.1 has one code for all refusals.
    const Reason refused =
        flow_.v5 ? to_reason(static_cast<ReasonCode>(code)) : Reason::kNotAuthorized;
    if (flow_.v5 && failed) hear_refusal(static_cast<ReasonCode>(code), suback->properties);
    effects.push(Completed{.ticket = request->ticket,
                           .reason = failed ? refused : Reason::kOk,
                           .code = code,
                           .granted = failed ? Guarantee::kAtMostOnce : to_guarantee(code)});
  }
  if (suback->return_codes.size() == request->entries) return Step::kNext;
  return stop(Reason::kProtocolError, effects);  // [MQTT-3.8.4-5], 5.0: [MQTT-3.8.4-6]
}

Step ClientSession::on_unsuback(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto unsuback = read_unsuback(header, body, flow_.version);
  if (!unsuback) return stop(unsuback.error(), effects);
  const auto request = take_request(unsuback->packet_id, false);
  if (!request && resends()) return Step::kNext;
  if (!request) return stop(Reason::kProtocolError, effects);
  const auto refused = std::ranges::find_if(
      unsuback->reason_codes, [](std::uint8_t code) { return code >= kSubackFailure; });
  auto code = ReasonCode::kSuccess;
  if (refused != unsuback->reason_codes.end()) {
    code = static_cast<ReasonCode>(*refused);
    hear_refusal(code, unsuback->properties);
  }
  effects.push(Completed{.ticket = request->ticket,
                         .reason = to_reason(code),
                         .code = static_cast<std::uint8_t>(code)});
  if (!flow_.v5 || unsuback->reason_codes.size() == request->entries) return Step::kNext;
  return stop(Reason::kProtocolError, effects);  // [MQTT-3.11.3-1]
}

// Requests belong to the connection, not to the session that may be resumed.
void ClientSession::end_requests(Reason reason, Effects& effects) {
  const Reason why = reason == Reason::kOk ? Reason::kPeerClosed : reason;
  for (const Request& request : requests_) {
    flow_.inflight.finish(request.packet_id);
    for (std::uint32_t i = 0; i < (request.subscribe ? request.entries : 1u); ++i) {
      effects.push(Completed{.ticket = request.ticket, .reason = why});
    }
  }
  requests_.clear();
  if (reauthentication_) effects.push(Completed{.ticket = *reauthentication_, .reason = why});
  reauthentication_.reset();
}

}  // namespace hermod::mqtt
