// SPDX-License-Identifier: Apache-2.0
// Messages on their way to the server, on one connection and from one to the next.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "mqtt_connection.hpp"
#include "mqtt_run.hpp"

namespace hermod::client {
namespace {

using model::Guarantee;

model::Message to_message(const MqttPublication& publication) {
  model::Message message;
  message.destination = model::Destination::topic(publication.topic);
  message.payload = as_bytes(publication.payload);
  message.guarantee = publication.guarantee;
  message.retain = publication.retain;
  return message;
}

}  // namespace

// --- one connection ---

/// The session has an exchange of this message that is not over.
bool MqttConnection::was_sent(std::size_t index) {
  const model::Tag tag = first_tag_ + index;
  return tag < sent_until_ && session_.is_under_way(tag);
}

/// There is nothing to send of this message, or nothing any more: its handler is told.
bool MqttConnection::is_over(std::size_t index, Instant now) {
  MqttOutgoing& message = outgoing_[index];
  if (!message.handler) return true;
  if (message.expires_at > now || was_sent(index)) return false;  // [MQTT-4.3.3-7]
  message.handler({});
  return true;
}

/// Where the run of messages ends that begins with the next one and that may be sent now.
std::size_t MqttConnection::next_run(Instant now) {
  while (next_tag_ - first_tag_ < outgoing_.size() && is_over(next_tag_ - first_tag_, now)) {
    ++next_tag_;
  }
  std::size_t end = next_tag_ - first_tag_;
  for (; end < outgoing_.size() && !is_over(end, now); ++end) {
    if (outgoing_[end].publication.guarantee == Guarantee::kAtMostOnce) continue;
    if (credit_ == 0) break;
    --credit_;
  }
  return end;
}

/// Gives the session as many messages as it may have now. False when there is none.
bool MqttConnection::deliver_outgoing() {
  if (state_ != State::kOpen || waiting_held_ || next_tag_ - first_tag_ == outgoing_.size()) {
    return false;
  }
  const Instant now = clock_.now();
  const std::size_t end = next_run(now);
  const std::size_t begin = next_tag_ - first_tag_;
  if (begin == end) {
    forget_finished();
    return false;
  }

  messages_.clear();
  deliveries_.clear();
  properties_.clear();
  messages_.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    messages_.push_back(to_message(outgoing_[i].publication));
    if (v5() && !outgoing_[i].publication.properties.empty()) {
      messages_.back().properties =
          properties_.emplace_back(outgoing_[i].publication.properties).get();
      messages_.back().expires_at = outgoing_[i].expires_at;
    }
    deliveries_.push_back({.message = &messages_.back(),
                           .guarantee = messages_.back().guarantee,
                           .retain = messages_.back().retain,
                           .redelivered = was_sent(i)});
  }
  session::Effects effects({}, filling_, effects_);
  session_.on_deliveries({.items = deliveries_, .first_tag = next_tag_}, now, effects);
  next_tag_ += end - begin;
  for (std::size_t i = begin; i < end; ++i) {
    if (outgoing_[i].publication.guarantee != Guarantee::kAtMostOnce) continue;
    unwritten_.push_back({octets_queued(), std::exchange(outgoing_[i].handler, {})});
  }
  forget_finished();
  return true;
}

void MqttConnection::settle(model::Tag tag, model::Outcome outcome, std::uint8_t code) {
  if (tag < first_tag_ || tag - first_tag_ >= outgoing_.size()) return;
  MqttOutgoing& message = outgoing_[tag - first_tag_];
  if (!message.handler) return;
  auto handler = std::exchange(message.handler, {});
  if (outcome != model::Outcome::kAccept) {
    return handler(to_error(static_cast<mqtt::ReasonCode>(code)));
  }
  if (message.publication.guarantee == Guarantee::kExactlyOnce) {
    released_.push_back(std::move(handler));  // PUBREC: it is over with PUBCOMP
  } else {
    handler({});
  }
}

void MqttConnection::forget_finished() {
  while (!outgoing_.empty() && !outgoing_.front().handler) {
    outgoing_.pop_front();
    ++first_tag_;
  }
}

// --- from one connection to the next ---

void MqttConnection::outlast(EndHandler on_end, bool keeps_at_most_once) {
  on_end_ = std::move(on_end);
  keeps_at_most_once_ = keeps_at_most_once;
  waiting_held_ = true;
}

void MqttConnection::send_waiting() {
  waiting_held_ = false;
  if (state_ == State::kOpen) run([](Instant, session::Effects&) {});
}

/// The connection is open: does the server go on with the exchanges of an earlier one?
void MqttConnection::begin_with_unfinished(bool session_present) {
  const mqtt::ClientOptions& said = options_.session;
  const bool unsaid = said.version == mqtt::Version::kV31 && !said.clean_session;
  const bool resumed = session_present || unsaid;
  if (resumed) {
    // The server repeats what was not acknowledged to it.
    std::erase_if(incoming_, [](const MqttIncoming& one) {
      return one.message.guarantee == Guarantee::kAtLeastOnce;
    });
    const std::size_t window =
        std::min(options_.session.inflight_max, session_.terms().receive_max);
    const std::size_t released = released_.size();
    credit_unearned_ = static_cast<std::uint32_t>(window - std::min(window, released));
    released_surplus_ = released - std::min(window, released);
  } else {  // what the server had taken is its own, with all it has forgotten
    for (auto& handler : released_) handler({});
    released_.clear();
  }
  for (std::size_t i = 0; i < outgoing_.size(); ++i) {
    MqttOutgoing& message = outgoing_[i];
    if (!message.handler || was_sent(i)) continue;
    if (const error_code error = fault(message.publication)) message.handler(error);
  }
}

/// The connection has ended and its session goes on: what is not over stays, but for what nobody
/// can repeat.
void MqttConnection::leave_operations(error_code error) {
  left_ = true;
  if (connect_handler_) connect_handler_(error, false);
  for (Unwritten& message : unwritten_) message.handler(error);
  unwritten_.clear();
  for (MqttOutgoing& message : outgoing_) {
    const bool kept =
        keeps_at_most_once_ || message.publication.guarantee != Guarantee::kAtMostOnce;
    if (message.handler && !kept) message.handler(error);
  }
  forget_finished();
  fail_requests(error);
  boost::asio::post(executor(), [on_end = std::move(on_end_), error]() mutable { on_end(error); });
}

MqttUnfinished MqttConnection::take_unfinished() {
  for (MqttIncoming& message : incoming_) message.ticket = 0;
  return {.inflight = session_.take_inflight(),
          .outgoing = std::move(outgoing_),
          .first_tag = first_tag_,
          .sent_until = std::max(sent_until_, next_tag_),
          .released = std::move(released_),
          .incoming = std::move(incoming_),
          .receive_handler = std::move(receive_handler_)};
}

void MqttConnection::give_up(error_code error) {
  on_end_ = nullptr;
  finish(error, model::Reason::kShutdown);
}

}  // namespace hermod::client
