// SPDX-License-Identifier: Apache-2.0
// Requests that came by multicast (RFC 7252 §8): which of them are served, and how their answers
// go. No Reset, no Acknowledgement, no error and nothing empty is ever sent for them.
//
//   NON GET  ->  on_request() ...  respond()  ->  [a random time within the leisure]  ->  NON 2.05
#include <algorithm>

#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/group_answers.hpp"
#include "hermod/coap/session/server_endpoint.hpp"

namespace hermod::coap {
namespace {

std::size_t memory_of(const GroupAnswers::Answer& answer) {
  return sizeof(answer) + answer.datagram.size();
}

// RFC 7959 §2.8: no body in blocks is sent to a group, and of a response only the first block comes
// from it: for the others the client asks this server alone.
bool asks_for_a_beginning(const MessageView& message) {
  if (message.options.find(OptionNumber::kBlock1)) return false;
  const auto value = message.options.find(OptionNumber::kBlock2);
  if (!value) return true;
  const std::optional<Block> block = read_block(*value);
  return block && block->number == 0;
}

}  // namespace

bool GroupAnswers::add(Answer answer) {
  if (answers_.size() >= most_) return false;
  if (!share_.resize(share_.octets() + memory_of(answer))) return false;
  answers_.push_back(std::move(answer));
  return true;
}

std::optional<GroupAnswers::Answer> GroupAnswers::take_due(Instant now) {
  const auto first = std::ranges::min_element(answers_, {}, &Answer::due);
  if (first == answers_.end() || now < first->due) return std::nullopt;
  std::optional<Answer> answer{std::move(*first)};
  answers_.erase(first);
  (void)share_.resize(share_.octets() - memory_of(*answer));  // less is always granted
  return answer;
}

Instant GroupAnswers::due() const {
  const auto first = std::ranges::min_element(answers_, {}, &Answer::due);
  return first == answers_.end() ? kNever : first->due;
}

// RFC 7252 §8.1: "Such multicast requests MUST be Non-confirmable". Whatever else comes gets no
// answer, not even a Reset: it would come from every server of the group.
void ServerEndpoint::on_group_datagram(const session::Datagram& datagram, Instant now,
                                       session::Effects& effects) {
  const WireResult<MessageView> message = decode(datagram.bytes);
  if (!datagram.whole || !message || message->type != Type::kNon || message->code != code::kGet)
    return;
  if (asks_for_a_beginning(*message)) on_request(*message, datagram, now, effects);
}

// RFC 7252 §8.2: errors and empty payloads are nothing useful to respond. No-Response (RFC 7967)
// silences what is left.
void ServerEndpoint::answer_group(const Exchange& exchange, const Response& response, Instant now) {
  const bool useful = response.code == code::kContent && !response.content.payload.empty();
  const bool wanted = (exchange.suppressed & 1u << 1) == 0;
  if (useful && wanted && answer_at_leisure(exchange, response, now)) return;
  seen_.forget(exchange.message_id, exchange.fingerprint);
}

// RFC 7252 §8.2: "pick a random point of time within the chosen leisure period". False when the
// answer is not given. While it waits duplicates of its request are none of their own.
bool ServerEndpoint::answer_at_leisure(const Exchange& exchange, Response response, Instant now) {
  response.keep = false;  // its other blocks come from elsewhere
  const Representation whole = response.content;
  TransferOptions options;
  cut(exchange, response, options, now);
  const Bytes token = exchange.token.bytes();
  const std::size_t head = head_size(token.size());
  std::vector<std::uint8_t> datagram(head + body_size_max(response, options));
  const auto write = [&] {
    const std::uint8_t* end = write_body(datagram.data() + head, response, options);
    return static_cast<std::size_t>(end - datagram.data());
  };
  std::size_t size = write();
  while (!may_send(size)) {
    if (!shrink(exchange, response, whole, options, now)) return false;
    size = write();
  }
  (void)write_head(datagram.data(), Type::kNon, response.code, message_ids_.next(), token);
  datagram.resize(size);
  if (!group_answers_) {
    group_answers_ = std::make_unique<GroupAnswers>(settings_.group_answers_max, budget_);
  }
  const auto leisure = static_cast<std::uint64_t>(settings_.leisure.count());
  const auto delay = static_cast<Duration::rep>(rng_.below(leisure + 1));
  const bool waits = group_answers_->add({.due = now + Duration{delay},
                                          .datagram = std::move(datagram),
                                          .message_id = exchange.message_id,
                                          .fingerprint = exchange.fingerprint});
  if (waits) note_sent(size);
  return waits;
}

void ServerEndpoint::give_group_answers(Instant now, session::Effects& effects) {
  while (const auto answer = group_answers_->take_due(now)) {
    transmit(effects.datagrams(), answer->datagram);
    seen_.forget(answer->message_id, answer->fingerprint);
  }
}

}  // namespace hermod::coap
