// SPDX-License-Identifier: Apache-2.0
// Who may come in, and who may do what: questions to the listener's authorizer, and answers that
// come later.
#include "hermod/model/topic.hpp"
#include "shard_session.hpp"

namespace hermod::broker {

using model::Reason;

core::Actor Shard::actor_of(const Connection& connection) {
  core::Actor actor;
  if (connection.attached()) actor.client_id = core_.subscriber(connection.subscriber).id;
  if (connection.identity) {
    actor.named = true;
    actor.user = connection.identity->user;
  }
  return actor;
}

bool Shard::allowed(const Connection& connection, core::Action action, std::string_view name) {
  // Nobody but the broker publishes there, whatever an authorizer says.
  if (action == core::Action::kPublish && model::is_own_topic(name)) return false;
  return authorizer_of(connection).authorize(actor_of(connection), action, name) ==
         core::Verdict::kAllow;
}

// --- coming in ---

void Shard::admit(Connection& connection, const core::Login& login, session::Attach& effect,
                  std::string_view assigned) {
  if (login.reason != Reason::kOk) {
    log_refusal(connection, effect.client_id, login.reason);
    return answer(connection, {.ticket = effect.ticket, .reason = login.reason});
  }
  if (login.named) {
    connection.identity =
        std::make_unique<Identity>(Identity{std::string(effect.username), login.proof});
  }
  attach(connection, effect, assigned);
}

void Shard::log_refusal(const Connection& connection, std::string_view client_id, Reason reason) {
  constexpr std::uint64_t kTellEach = 1'000;  // a flood of logins must not become one of lines
  if (reason == Reason::kUnavailable && counters_.logins_refused++ % kTellEach == 0) {
    parts_.log.print(LogLevel::kWarning,
                     "Too many passwords wait to be checked: {} logins were refused so far. More "
                     "login_threads, fewer iterations in the password file or a larger "
                     "max_pending_logins let more clients in at a time.",
                     counters_.logins_refused);
  }
  if (!connection.stream || reason == Reason::kUnavailable) return;
  if (reason == Reason::kNotAuthorized) {
    parts_.log.print(LogLevel::kNotice,
                     "Client {} from {} refused: not authorised. Anonymous clients are not "
                     "allowed on this listener; 'allow_anonymous true' would let them in.",
                     client_id, connection.stream->peer_text());
  } else {
    parts_.log.print(LogLevel::kNotice, "Client {} from {} refused: wrong user name or password.",
                     client_id, connection.stream->peer_text());
  }
}

// --- what has become known since the last turn ---

void Shard::hear_authorizers() {
  for (core::Authorizer* authorizer : parts_.authorizers) {
    if (!authorizer->has_news()) continue;
    if (authorizer->take_changes()) review(*authorizer);
    while (const auto login = authorizer->next_login()) finish_login(*login);
  }
}

void Shard::finish_login(const core::Login& login) {
  const auto found = logins_.find(login.ticket);
  if (found == logins_.end()) return;
  PendingLogin pending = std::move(found->second);
  logins_.erase(found);
  Connection* connection = find(pending.connection);
  if (connection == nullptr) return;
  --connection->unanswered;
  if (connection->closing) return;  // it must not take over a session any more
  session::Attach& effect = pending.effect;
  effect.client_id = pending.client_id;
  effect.username = pending.user;
  core::Login known = login;
  const core::Actor actor{.client_id = effect.client_id, .named = true, .user = effect.username};
  if (known.reason == Reason::kOk && !authorizer_of(*connection).still_valid(actor, known.proof)) {
    known.reason = Reason::kBadCredentials;  // changed while it was being checked
  }
  admit(*connection, known, effect, pending.assigned ? effect.client_id : std::string_view{});
  execute();
  Connection* still = find(pending.connection);
  if (still == nullptr || !still->rest || still->ready) return;
  still->ready = true;  // what it sent behind its CONNECT
  ready_.push_back(pending.connection);
}

// Its password need not be checked any more.
void Shard::forget_login(const Connection& connection) {
  const session::ConnectionId id = id_of(connection);
  for (auto at = logins_.begin(); at != logins_.end(); ++at) {
    if (at->second.connection != id) continue;
    authorizer_of(connection).cancel(at->first);
    logins_.erase(at);
    return;
  }
}

// Users or rules have changed: who would not come in any more goes, and what was found out about
// subscriptions no longer counts.
void Shard::review(const core::Authorizer& changed) {
  for (std::uint32_t index = 0; index < connections_.places(); ++index) {
    if (!connections_.holds(index)) continue;
    Connection& connection = connections_[index];
    core::Authorizer& authorizer = authorizer_of(connection);
    if (&authorizer != &changed || !connection.attached()) continue;
    connection.guarded = authorizer.has_rules();
    const std::uint64_t proof = connection.identity ? connection.identity->proof : 0;
    if (!authorizer.still_valid(actor_of(connection), proof)) {
      end(connection, Reason::kNotAuthorized);
    }
  }
  execute();
}

// --- whose a session is ---

// Nobody's are the sessions that end with their connections, and those of which nobody cares whose
// they are.
std::unique_ptr<core::Holder> Shard::holder_of(const Connection& connection,
                                               const session::Attach& effect) const {
  const bool counts = settings_.core.has_user_limits() && connection.identity;
  if (!counts && (effect.expiry_s == 0 || (!connection.identity && !effect.will))) return nullptr;
  auto holder = std::make_unique<core::Holder>();
  holder->listener = settings_.listeners[connection.listener].label;
  if (connection.identity) holder->user = connection.identity->user;
  return holder;
}

// A session belongs to the user that left it: another one that comes with its client id gets a new
// session, and the old one ends.
void Shard::claim(const Connection& connection, session::Attach& effect) {
  if (effect.client_id.empty() || effect.clean_start) return;
  const core::SubscriberIndex left = core_.find(effect.client_id);
  if (left == core::Subscribers::kNone) return;
  const std::optional<std::string> nobody;
  const core::Holder* const holder = core_.subscriber(left).holder.get();
  const std::optional<std::string>& user = holder != nullptr ? holder->user : nobody;
  const bool same = connection.identity ? user == connection.identity->user : !user;
  if (same) return;
  effect.clean_start = true;
  parts_.log.print(
      LogLevel::kWarning,
      "Client {}: the session of this id belonged to {}, and {} has logged in with it. "
      "It is discarded, and a new one begins.",
      effect.client_id, user ? "user " + *user : "an anonymous client",
      connection.identity ? "user " + connection.identity->user : "an anonymous client");
}

// A will that has waited: rules and users may have changed since.
bool Shard::may_publish_late(core::SubscriberIndex index, std::string_view topic) {
  const core::Holder* const holder = core_.subscriber(index).holder.get();
  if (holder == nullptr || model::is_own_topic(topic)) return false;
  const auto listener =
      std::ranges::find(settings_.listeners, holder->listener, &ListenerSettings::label);
  if (listener == settings_.listeners.end()) return false;  // it is not there any more
  const core::Actor actor{
      .client_id = core_.subscriber(index).id,
      .named = holder->user.has_value(),
      .user = holder->user ? std::string_view{*holder->user} : std::string_view{}};
  core::Authorizer& authorizer =
      *parts_.authorizers[static_cast<std::size_t>(listener - settings_.listeners.begin())];
  return authorizer.authorize(actor, core::Action::kPublish, topic) == core::Verdict::kAllow;
}

// --- reading ---

// Most subscriptions are decided here, once: only the others are looked at message by message.
void Shard::guard(Connection& connection, std::string_view filter) {
  core::Authorizer& authorizer = authorizer_of(connection);
  if (connection.guarded || !authorizer.has_rules()) return;
  connection.guarded = !authorizer.may_read_all(actor_of(connection), filter);
}

void Shard::deliver_checked(Connection& connection, const model::DeliveryBatch& batch) {
  const session::ConnectionId id = id_of(connection);
  std::size_t begin = 0;  // of what goes out together
  const auto pass = [&](std::size_t end) {
    if (begin == end) return;
    const bool whole = end - begin == batch.items.size();
    pass_on(connection, {.items = batch.items.subspan(begin, end - begin),
                         .first_tag = batch.first_tag + begin,
                         .slots = whole ? batch.slots : nullptr});
  };
  std::string_view topic;
  bool may = false;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const model::Delivery& delivery = batch.items[i];
    const std::string_view next = delivery.message->destination.address;
    if (i == 0 || next != topic) may = allowed(connection, core::Action::kRead, next);
    topic = next;
    if (may) continue;
    pass(i);
    begin = i + 1;
    ++counters_.reads_denied;
    if (delivery.guarantee == model::Guarantee::kAtMostOnce) continue;
    const model::Tag tag = batch.first_tag + i;  // done with, as if it had been acknowledged
    effects_.emplace_back(id, std::in_place_type<session::Settle>,
                          session::Settle{tag, tag, model::Outcome::kAccept, 1});
  }
  pass(batch.items.size());
}

}  // namespace hermod::broker
