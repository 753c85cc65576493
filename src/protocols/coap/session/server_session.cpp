// SPDX-License-Identifier: Apache-2.0
// The session's contract: inputs go to the endpoint or to the resources.
#include "hermod/coap/session/server_session.hpp"

#include <algorithm>

#include "tickets.hpp"

namespace hermod::coap {

ServerSession::ServerSession(const Settings& settings, const session::SessionSetup& setup)
    : settings_(settings),
      limits_(*setup.limits),
      budget_(setup.budget),
      endpoint_(settings, setup.limits->packet_bytes_max, *setup.rng, setup.budget, *this) {}

void ServerSession::on_open(Instant now, session::Effects&) {
  endpoint_.on_open(now);
  idle_due_ = now + settings_.idle;
}

void ServerSession::on_datagram(const session::Datagram& datagram, Instant now,
                                session::Effects& effects) {
  endpoint_.on_datagram(datagram, now, effects);
}

void ServerSession::on_deadline(Instant now, session::Effects& effects) {
  endpoint_.on_deadline(now, effects);
  if (observed_ && now >= observed_->due()) observed_->expire(now);
  if (now >= idle_due_) close_idle(now, effects);
}

void ServerSession::close_idle(Instant now, session::Effects& effects) {
  idle_due_ = endpoint_.forget_at(now);  // kNever: forget() arms it again
  if (now < idle_due_) return;
  idle_due_ = kNever;
  effects.close(model::Reason::kOk);
}

void ServerSession::on_close(model::Reason reason, Instant now, session::Effects& effects) {
  if (reason == model::Reason::kShutdown) endpoint_.say_goodbye(now, effects);
  if (attachment_ != Attachment::kNone) effects.push(session::Detach{});
}

Instant ServerSession::next_deadline() const {
  const Instant due = std::min(endpoint_.next_deadline(), idle_due_);
  return observed_ ? std::min(due, observed_->due()) : due;
}

void ServerSession::on_answers(std::span<const session::Answer> answers, Instant now,
                               session::Effects& effects) {
  for (const session::Answer& answer : answers) {
    const std::uint32_t index = index_of(answer.ticket);
    const std::uint32_t generation = generation_of(answer.ticket);
    switch (asked_of(answer.ticket)) {
      case Asked::kAttach:
        on_attach_answer(answer, now, effects);
        break;
      case Asked::kLookup:
        if (Exchange* exchange = endpoint_.exchanges().find(index, generation)) {
          on_lookup_answer(*exchange, answer, now, effects);
        }
        break;
      case Asked::kPublish:
        if (Exchange* exchange = endpoint_.exchanges().find(index, generation)) {
          on_publish_answer(*exchange, answer, now, effects);
        }
        break;
      case Asked::kList:
        if (Exchange* exchange = endpoint_.exchanges().find(index, generation)) {
          on_list_answer(*exchange, answer, now, effects);
        }
        break;
      case Asked::kDeclare:
        if (Exchange* exchange = endpoint_.exchanges().find(index, generation)) {
          on_declare_answer(*exchange, answer, now, effects);
        }
        break;
      case Asked::kUndeclare:
        if (Exchange* exchange = endpoint_.exchanges().find(index, generation)) {
          const Code code = to_code(answer.reason);
          endpoint_.respond(*exchange, {.code = code.is_success() ? code::kDeleted : code}, now,
                            effects);
        }
        break;
      case Asked::kWatch:
        if (observed_ && observed_->current(index, generation) != nullptr) {
          on_watch_answer(index, answer, now, effects);
        }
        break;
      case Asked::kSubscribe:
        if (observed_ && observed_->current(index, generation) != nullptr) {
          on_subscribe_answer(index, answer, now, effects);
        }
        break;
      case Asked::kUnsubscribe:
        on_unsubscribe_answer(index);
        break;
    }
  }
}

}  // namespace hermod::coap
