// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE and UNSUBSCRIBE of the client (MQTT 3.1.1 §3.8 to §3.11). Their packet ids come from
// the same Inflight as those of messages, so that none is in use twice [MQTT-2.3.1-2]; they are
// marked by QoS 0, which no message with an id has.
#include <algorithm>

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

bool ClientSession::subscribe(std::span<const SubscribeEntry> entries, Ticket ticket, Instant now,
                              Effects& effects) {
  const std::size_t size = subscribe_size(entries, flow_.version);
  if (state_ != State::kOpen || entries.empty() || size == 0) return false;
  const bool valid = std::ranges::all_of(entries, [](const SubscribeEntry& entry) {
    return is_topic_filter(entry.filter) && entry.qos <= 2;
  });
  const std::uint16_t id = valid ? take_request_id() : 0;
  if (id == 0) return false;
  write_subscribe(effects.output().reserve(size), id, entries, flow_.version);
  effects.output().commit(size);
  requests_.push_back({ticket, static_cast<std::uint32_t>(entries.size()), id});
  last_sent_ = now;
  return true;
}

bool ClientSession::unsubscribe(std::span<const std::string_view> filters, Ticket ticket,
                                Instant now, Effects& effects) {
  const std::size_t size = unsubscribe_size(filters, flow_.version);
  if (state_ != State::kOpen || filters.empty() || size == 0) return false;
  const std::uint16_t id = std::ranges::all_of(filters, is_topic_filter) ? take_request_id() : 0;
  if (id == 0) return false;
  write_unsubscribe(effects.output().reserve(size), id, filters, flow_.version);
  effects.output().commit(size);
  requests_.push_back({ticket, 0, id});
  last_sent_ = now;
  return true;
}

// [MQTT-2.3.1-1]; 0 when all are in use.
std::uint16_t ClientSession::take_request_id() {
  return flow_.inflight.take(kNoTag, Guarantee::kAtMostOnce);
}

std::optional<ClientSession::Request> ClientSession::take_request(std::uint16_t packet_id,
                                                                  bool subscribe) {
  const auto found = std::ranges::find_if(requests_, [&](const Request& request) {
    return request.packet_id == packet_id && (request.entries > 0) == subscribe;
  });
  if (found == requests_.end()) return std::nullopt;
  const Request request = *found;
  requests_.erase(found);
  flow_.inflight.finish(packet_id);
  return request;
}

Step ClientSession::on_suback(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto suback = read_suback(header, body, flow_.version);
  if (!suback) return stop(Reason::kMalformed, effects);
  const auto request = take_request(suback->packet_id, true);
  if (!request) return stop(Reason::kProtocolError, effects);
  for (const std::uint8_t code : suback->return_codes.first(
           std::min<std::size_t>(suback->return_codes.size(), request->entries))) {
    const bool failed = code == kSubackFailure;
    effects.push(Completed{.ticket = request->ticket,
                           .reason = failed ? Reason::kNotAuthorized : Reason::kOk,
                           .code = code,
                           .granted = failed ? Guarantee::kAtMostOnce : to_guarantee(code)});
  }
  if (suback->return_codes.size() == request->entries) return Step::kNext;
  return stop(Reason::kProtocolError, effects);  // [MQTT-3.8.4-5]
}

Step ClientSession::on_unsuback(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto unsuback = read_unsuback(header, body, flow_.version);
  if (!unsuback) return stop(Reason::kMalformed, effects);
  const auto request = take_request(unsuback->packet_id, false);
  if (!request) return stop(Reason::kProtocolError, effects);
  effects.push(Completed{.ticket = request->ticket});
  return Step::kNext;
}

// Requests belong to the connection, not to the session that may be resumed.
void ClientSession::end_requests(Reason reason, Effects& effects) {
  const Reason why = reason == Reason::kOk ? Reason::kPeerClosed : reason;
  for (const Request& request : requests_) {
    flow_.inflight.finish(request.packet_id);
    for (std::uint32_t i = 0; i < std::max(request.entries, 1u); ++i) {
      effects.push(Completed{.ticket = request.ticket, .reason = why});
    }
  }
  requests_.clear();
}

}  // namespace hermod::mqtt
