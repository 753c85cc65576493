// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication: exchanges between clients and the listener's authorizer, before a
// client is attached and on its wish later. They live on the shard of the client id, to which the
// connection has moved before its exchange begins: what it sent is CONNECT alone by then.
#include "shard_session.hpp"

namespace hermod::broker {

using model::Reason;

// An Attach with all that it borrowed and will still need.
Shard::PendingLogin Shard::keep(const Connection& connection, session::Attach& effect,
                                bool assigned) {
  PendingLogin pending{.connection = id_of(connection),
                       .client_id = std::string(effect.client_id),
                       .user = std::string(effect.username),
                       .assigned = assigned};
  pending.effect = std::move(effect);
  pending.effect.password = {};
  pending.effect.auth_method = {};
  return pending;
}

void Shard::begin_exchange(Connection& connection, session::Attach& effect, bool assigned) {
  const session::Ticket ticket = effect.ticket;
  auto exchange = authorizer_of(connection).begin_exchange(effect.auth_method);
  if (!exchange) {
    return refuse_exchange(
        connection, effect.client_id, ticket,
        {.reason = Reason::kBadMethod,
         .why = "the authentication method that it asks for is not known on "
                "this listener; SCRAM-SHA-256 is, where it has a password_file"});
  }
  const Bytes octets = effect.password;  // of what the session is reading
  PendingExchange pending{.exchange = std::move(exchange)};
  pending.bytes = kExchangeBytes + effect.client_id.size() + effect.username.size() +
                  (effect.will ? effect.will->owner->memory() : 0);
  pending.login = keep(connection, effect, assigned);
  advance(connection, std::move(pending), ticket, octets);
}

void Shard::apply(Connection& connection, session::Authenticate& effect) {
  if (connection.closing) return;
  PendingExchange pending = take_exchange(connection);
  if (!effect.method.empty()) {
    pending = {.exchange = authorizer_of(connection).begin_exchange(effect.method)};
  }
  // Not known any more: the password file has gone.
  if (!pending.exchange) {
    return answer(connection, {.ticket = effect.ticket, .reason = Reason::kBadMethod});
  }
  advance(connection, std::move(pending), effect.ticket, effect.octets);
}

void Shard::advance(Connection& connection, PendingExchange pending, session::Ticket ticket,
                    Bytes octets) {
  core::ExchangeStep step = pending.exchange->step(octets);
  if (step.reason == Reason::kContinue && ++pending.steps > kExchangeStepsMax) {
    step = {.reason = Reason::kQuotaExceeded, .why = "the authentication takes too many steps"};
  }
  if (step.reason != Reason::kContinue) {
    if (pending.login) return finish_exchange(connection, *pending.login, step);
    return finish_again(connection, ticket, step);
  }
  unattached_bytes_ += pending.bytes;
  exchanges_.insert_or_assign(key_of(id_of(connection)), std::move(pending));
  if (!within_unattached_bytes(connection)) return;
  answer(connection,
         {.ticket = ticket, .reason = Reason::kContinue, .octets = as_bytes(step.octets)});
}

void Shard::finish_exchange(Connection& connection, PendingLogin& login, core::ExchangeStep& step) {
  session::Attach& effect = login.effect;
  effect.client_id = login.client_id;
  const core::Actor actor{.client_id = effect.client_id, .named = true, .user = step.user};
  if (step.reason == Reason::kOk && !authorizer_of(connection).still_valid(actor, step.proof)) {
    step = {.reason = Reason::kBadCredentials, .why = "the password has just been changed"};
  }
  if (step.reason != Reason::kOk) {
    return refuse_exchange(connection, effect.client_id, effect.ticket, step);
  }
  connection.identity = std::make_unique<Identity>(Identity{std::move(step.user), step.proof});
  attach(connection, effect, login.assigned ? effect.client_id : std::string_view{},
         std::move(step.octets));
}

// A client that is attached has proven itself once more. It stays who it is.
void Shard::finish_again(Connection& connection, session::Ticket ticket, core::ExchangeStep& step) {
  const bool same = connection.identity && connection.identity->user == step.user;
  if (step.reason == Reason::kOk && !same) {
    step = {.reason = Reason::kNotAuthorized,
            .why = "who authenticates again cannot become another user"};
  } else if (step.reason == Reason::kOk &&
             !authorizer_of(connection).still_valid(actor_of(connection), step.proof)) {
    step = {.reason = Reason::kBadCredentials, .why = "the password has just been changed"};
  }
  if (step.reason != Reason::kOk) {
    const std::string id = core_.subscriber(connection.subscriber).id;
    return refuse_exchange(connection, id, ticket, step);
  }
  connection.identity->proof = step.proof;
  answer(connection, {.ticket = ticket, .reason = Reason::kOk, .octets = as_bytes(step.octets)});
}

void Shard::refuse_exchange(Connection& connection, std::string_view client_id,
                            session::Ticket ticket, const core::ExchangeStep& step) {
  if (connection.stream) {
    parts_.log.print(LogLevel::kNotice, "Client {} from {} refused: {}.", client_id,
                     connection.stream->peer().to_text(), step.why);
  }
  answer(connection, {.ticket = ticket, .reason = step.reason});
}

// Nothing is left of it here; an empty one when there is none.
Shard::PendingExchange Shard::take_exchange(const Connection& connection) {
  const auto found = exchanges_.find(key_of(id_of(connection)));
  if (found == exchanges_.end()) return {};
  PendingExchange pending = std::move(found->second);
  exchanges_.erase(found);
  unattached_bytes_ -= pending.bytes;
  return pending;
}

}  // namespace hermod::broker
