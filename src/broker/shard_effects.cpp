// SPDX-License-Identifier: Apache-2.0
// Executes what sessions want done, in order, after their input has returned.
#include <fmt/format.h>

#include "hermod/model/topic.hpp"
#include "shard_session.hpp"

namespace hermod::broker {

using model::Reason;

void Shard::execute() {
  // Executing makes other sessions want things: those come in the next round.
  while (!effects_.empty() || !to_self_.empty()) {
    std::swap(effects_, executing_);
    execute_list(executing_);
    executing_.clear();
    open_own();
  }
}

namespace {

// What is answered when it is safe, in the order in which it was asked.
bool is_promised(const session::Effect& effect) {
  return std::holds_alternative<session::Publish>(effect) ||
         std::holds_alternative<session::Release>(effect) ||
         std::holds_alternative<session::EndExchange>(effect);
}

}  // namespace

void Shard::execute_list(session::EffectList& list) {
  for (session::EffectRecord& record : list) {
    if (!answers_.empty() && (record.connection != answers_for_ || !is_promised(record.effect))) {
      finish_publishes();
    }
    Connection* connection = find(record.connection);
    if (connection == nullptr) continue;
    std::visit([&](auto& effect) { apply(*connection, effect); }, record.effect);
  }
  finish_publishes();
  core_.flush();
}

void Shard::answer(Connection& connection, const session::Answer& answer) {
  connection.answered = true;
  with_session(connection, effects_, [&](session::Session& session, session::Effects& effects) {
    session.on_answers({&answer, 1}, now_, effects);
  });
}

void Shard::answer_key(core::ConnectionKey key, const session::Answer& given) {
  if (static_cast<std::uint32_t>(key) == 0) return finish_join(key >> 32);
  Connection* connection = find(key);
  if (connection == nullptr) return;
  --connection->unanswered;
  answer(*connection, given);
  if (connection->rest && !connection->ready) {  // the session waited for this
    connection->ready = true;
    ready_.push_back(id_of(*connection));
  }
}

// --- the hot path ---

void Shard::apply(Connection& connection, session::Publish& effect) {
  Reason reason = Reason::kNotAuthorized;
  if (allowed(connection, core::Action::kPublish, effect.message.destination.address)) {
    effect.message.origin.shard = parts_.self;
    effect.message.origin.connection = connection.index + 1;
    Instant at = now_;
    if (effect.message.retain) {
      // A stamp that lay before the publication's arrival could lose against one that its client
      // saw.
      at = parts_.clock.now();
      effect.message.origin.client = core::Subscribers::mark(actor_of(connection).client_id);
    }
    if (effect.message.origin.exchange != 0) name_exchange(connection, effect.message);
    reason = core_.publish(effect.message, at);
    if (effect.message.origin.exchange != 0 && reason <= Reason::kNoMatch) {
      core_.note_exchange(connection.subscriber,
                          static_cast<std::uint16_t>(effect.message.origin.exchange));
      exchanges_for_answers_.push_back(effect.message.origin.exchange);
    }
  } else {
    ++counters_.writes_denied;
  }
  if (effect.ticket == 0) return;
  answers_.push_back({.ticket = effect.ticket, .reason = reason});
  answers_for_ = id_of(connection);
}

// The publisher's packet id means something to the store only with its queue.
void Shard::name_exchange(const Connection& connection, model::Message& message) {
  const core::QueueId queue =
      connection.attached() ? core_.subscriber(connection.subscriber).kept_as : 0;
  std::uint64_t& exchange = message.origin.exchange;
  exchange = queue == 0 ? 0 : core::exchange_of(queue, static_cast<std::uint16_t>(exchange));
}

// What has been done since the last call may be answered for when this is met.
Promises::Due Shard::take_due() {
  core_.flush();
  return promises_.take_due(core_.take_commit());
}

bool Shard::is_met(const Promises::Due& due) {
  if (promises_.is_met(due)) return true;
  promises_.note_committed(parts_.journal.committed());
  return promises_.is_met(due);
}

// The publishes executed last are routed; their tickets are complete, or wait for the journal.
void Shard::finish_publishes() {
  if (answers_.empty()) return;
  core_.flush();
  Connection* connection = find(answers_for_);
  if (keeps_) {
    Promises::Due due = take_due();
    if ((connection != nullptr && connection->uncommitted > 0) || !is_met(due)) {
      if (connection != nullptr) {
        connection->unanswered += static_cast<std::uint32_t>(answers_.size());
        connection->uncommitted += static_cast<std::uint32_t>(answers_.size());
      }
      return hold_back({.connection = answers_for_,
                        .due = std::move(due),
                        .answers = std::exchange(answers_, {}),
                        .exchanges = std::exchange(exchanges_for_answers_, {})});
    }
  }
  for (const std::uint64_t name : exchanges_for_answers_) core_.complete_exchange(name);
  exchanges_for_answers_.clear();
  if (connection != nullptr) {
    with_session(*connection, effects_, [&](session::Session& session, session::Effects& effects) {
      session.on_answers(answers_, now_, effects);
    });
  }
  answers_.clear();
}

void Shard::apply(Connection& connection, session::Settle& effect) {
  if (!connection.attached()) return;
  core_.settle(connection.subscriber, effect.first, effect.last, effect.outcome, effect.credit);
  continue_reading(connection);
}

void Shard::apply(Connection& connection, session::Release& effect) {
  if (!connection.attached()) return;
  core_.release(connection.subscriber, effect.tag);
  answers_.push_back({.ticket = effect.ticket});
  answers_for_ = id_of(connection);
}

void Shard::apply(Connection& connection, session::EndExchange& effect) {
  if (!connection.attached()) return;
  core_.close_exchange(connection.subscriber, effect.packet_id);
  answers_.push_back({.ticket = effect.ticket});
  answers_for_ = id_of(connection);
}

// The answer to something that everything that was done so far belongs to.
void Shard::answer_kept(Connection& connection, const session::Answer& given) {
  if (!keeps_) return answer(connection, given);
  Promises::Due due = promises_.take_due(core_.last_commit());
  if (connection.uncommitted == 0 && is_met(due)) return answer(connection, given);
  ++connection.unanswered;
  ++connection.uncommitted;
  hold_back({id_of(connection), std::move(due), {given}});
}

void Shard::answer_subscribed(core::ConnectionKey key, const session::Answer& given,
                              core::CommitNumber elsewhere) {
  Connection* connection = keeps_ ? find(key) : nullptr;
  const bool kept = connection != nullptr && connection->attached() &&
                    core_.subscriber(connection->subscriber).kept_as != 0;
  Promises::Due due{.commit = std::max(kept ? core_.last_commit() : 0, elsewhere)};
  if (connection == nullptr || (connection->uncommitted == 0 && is_met(due))) {
    return answer_key(key, given);
  }
  ++connection->uncommitted;
  hold_back({id_of(*connection), std::move(due), {given}});
}

void Shard::apply(Connection& connection, session::Credit& effect) {
  if (!connection.attached()) return;
  core_.credit(connection.subscriber, effect.count);
  continue_reading(connection);
}

void Shard::continue_reading(Connection& connection) {
  if (!core_.subscriber(connection.subscriber).reading) return;
  core_.flush();
  subscribing_.go_on(connection.subscriber, now_);
}

// --- connections ---

void Shard::apply(Connection& connection, session::Attach& effect) {
  std::string assigned;
  if (effect.client_id.empty() && connection.stream) {
    do {  // an id whose owner is this shard
      assigned = fmt::format("auto-{:016X}{:016X}", parts_.rng.next(), parts_.rng.next());
    } while (core_.owner_of(assigned) != parts_.self);
    effect.client_id = assigned;
  }
  const std::uint16_t owner =
      effect.client_id.empty() ? parts_.self : core_.owner_of(effect.client_id);
  if (owner != parts_.self) return hand_over(connection, owner);
  if (connection.stream) {
    ++counters_.connects;
    ++counters_.packets_received;  // where it stays: who hands it over has read it too
  }
  if (!effect.auth_method.empty()) return begin_exchange(connection, effect, !assigned.empty());

  const core::Credentials credentials{.client_id = effect.client_id,
                                      .given = effect.has_credentials,
                                      .username = effect.username,
                                      .password = effect.password};
  const auto login = authorizer_of(connection).authenticate(credentials, ++last_login_);
  if (login) return admit(connection, *login, effect, assigned);
  ++connection.unanswered;
  logins_.emplace(last_login_, keep(connection, effect, !assigned.empty()));
}

// Whoever it is may come in.
void Shard::attach(Connection& connection, session::Attach& effect, std::string_view assigned,
                   std::string octets) {
  const core::SubscriberIndex held = core_.find(effect.client_id);
  if (!effect.client_id.empty() && held != core::Subscribers::kNone &&
      core_.subscriber(held).attached()) {  // [MQTT-3.1.4-2]
    if (Connection* old = find(core_.subscriber(held).connection)) end(*old, Reason::kTakenOver);
  }
  claim(connection, effect);
  std::unique_ptr<core::Holder> holder = holder_of(connection, effect);
  const core::Core::Attached attached = core_.attach(
      effect.client_id, key_of(id_of(connection)), effect.clean_start, effect.expiry_s,
      {std::move(effect.will), effect.will_delay_s, effect.will_expiry_s}, now_, std::move(holder));
  if (attached.reason != Reason::kOk) {
    return answer(connection, {.ticket = effect.ticket, .reason = attached.reason});
  }
  connection.subscriber = attached.subscriber;
  connection.guarded = attached.session_present && authorizer_of(connection).has_rules();
  if (connection.stream) {
    --unattached_;
    if (connection.rest) unattached_bytes_ -= connection.rest->size();
    if (settings_.log_connections && parts_.log.enabled(LogLevel::kNotice)) {
      parts_.log.print(LogLevel::kNotice, "New client connected from {} as {}.",
                       connection.stream->peer_text(), effect.client_id);
    }
  }
  core::Subscriber& subscriber = core_.subscriber(attached.subscriber);
  const session::Answer granted{.ticket = effect.ticket,
                                .reason = Reason::kOk,
                                .session_present = attached.session_present,
                                .kept = subscriber.kept_as != 0,
                                .expiry_s = subscriber.expiry_s,
                                .client_id = assigned,
                                .inflight = &subscriber.inflight,
                                .octets = as_bytes(octets)};
  // The ids of exactly-once messages of an earlier connection say that those are kept: the session
  // may acknowledge repetitions of them at once, so it gets the ids when that is true: after what
  // waits already, as of that some may be on other shards.
  Promises::Due due{.commit = attached.commit};
  const bool none_waits = subscriber.inflight.incoming() == 0 || uncommitted_.empty();
  if (none_waits && is_met(due)) return answer(connection, granted);
  subscriber.open = false;
  ++connection.unanswered;
  ++connection.uncommitted;
  hold_back({id_of(connection), std::move(due), {granted}, true, std::move(octets)});
}

// The whole connection goes to the shard that owns its client id: the stream with everything that
// it has sent, which is what the session is reading right now.
void Shard::hand_over(Connection& connection, std::uint16_t owner) {
  ++counters_.handed_over;
  if (!watches_.empty()) end_watches(connection);
  parts_.poller.remove(*connection.stream);
  outbox_.add(owner, Handover{std::move(connection.stream),
                              {input_.begin(), input_.end()},
                              connection.listener,
                              take_source(connection)});
  --streams_;
  --unattached_;
  if (connection.rest) unattached_bytes_ -= connection.rest->size();
  if (connection.output) outputs_.give(std::move(connection.output));
  --open_[connection.listener];
  connections_.erase(connection.index);
}

void Shard::apply(Connection& connection, session::Detach& effect) {
  if (!connection.attached()) return;
  log_end(connection, connection.close_reason);
  const core::SubscriberIndex subscriber = connection.subscriber;
  const model::MessageRef& will = core_.subscriber(subscriber).will.message;
  const bool discard_will =
      effect.discard_will ||
      (will && !allowed(connection, core::Action::kPublish, will->destination.address));
  subscribing_.stop(subscriber);
  if (effect.expiry_s) core_.set_expiry(subscriber, *effect.expiry_s);
  connection.subscriber = core::Subscribers::kNone;
  if (connection.stream) {
    ++unattached_;
    if (connection.rest) unattached_bytes_ += connection.rest->size();
  }
  expire_at_ = std::min(expire_at_,
                        core_.detach(subscriber, std::move(effect.inflight), discard_will, now_));
  promise_wills();
}

void Shard::apply(Connection& connection, session::Close& effect) {
  if (connection.closing) return;
  connection.closing = true;
  connection.close_reason = effect.reason;
  log_refusal(connection, effect);
  connection.armed = now_ + kCloseGrace;
  wheel_.arm(connection, connection.stream ? connection.armed : now_);
  if (connection.stream) mark_dirty(connection);
}

// --- requests ---

void Shard::apply(Connection& connection, session::Subscribe& effect) {
  if (!connection.attached()) return;
  Reason reason = Reason::kOk;
  bool replaced = false;
  if (core::is_group(effect.filter)) return subscribe_group(connection, effect);
  if (!allowed(connection, core::Action::kSubscribe, effect.filter)) {
    reason = Reason::kNotAuthorized;
  } else {
    guard(connection, effect.filter);
    const core::Core::Subscribed subscribed =
        core_.subscribe(connection.subscriber, effect.filter, effect.options);
    reason = subscribed.reason;
    replaced = subscribed.replaced;
  }
  if (reason != Reason::kOk) {
    return answer(connection, {.ticket = effect.ticket, .reason = reason});
  }
  const bool retained =
      effect.options.retain_handling == model::RetainHandling::kAlways ||
      (effect.options.retain_handling == model::RetainHandling::kIfNew && !replaced);
  ++connection.unanswered;
  subscribing_.start(key_of(id_of(connection)), connection.subscriber, effect.filter,
                     effect.options, retained, effect.ticket, now_);
}

void Shard::apply(Connection& connection, session::Unsubscribe& effect) {
  if (!connection.attached()) return;
  const Reason reason = core_.unsubscribe(connection.subscriber, effect.filter);
  if (reason == Reason::kOk) subscribing_.withdraw(connection.subscriber, effect.filter, now_);
  answer_kept(connection, {.ticket = effect.ticket, .reason = reason});
}

void Shard::apply(Connection& connection, session::Lookup& effect) {
  if (!allowed(connection, core::Action::kRead, effect.topic)) {
    return answer(connection, {.ticket = effect.ticket, .reason = Reason::kNotAuthorized});
  }
  if (parts_.mailroom.shards() == 1) {
    const model::Message* value = core_.retained().find(effect.topic, now_);
    return answer(connection, {.ticket = effect.ticket,
                               .reason = value == nullptr ? Reason::kNotFound : Reason::kOk,
                               .value = value,
                               .declared = core_.declarations().find(effect.topic)});
  }
  ask(core_.owner_of(effect.topic),
      LookupRequest{std::string{effect.topic}, expect_reply(connection, effect.ticket)});
}

// Told to clients by their sessions; a broker's sessions are servers.
void Shard::apply(Connection&, session::Opened&) {
  HERMOD_ASSERT(false && "server session");
}
void Shard::apply(Connection&, session::Completed&) {
  HERMOD_ASSERT(false && "server session");
}

}  // namespace hermod::broker
