// SPDX-License-Identifier: Apache-2.0
// The loop, and how connections begin and end.
#include "hermod/broker/shard.hpp"

#include <algorithm>
#include <cstring>

#include "shard_session.hpp"

namespace hermod::broker {
namespace {

// Tokens whose low half is 0 name listeners and sockets; connections' keys never look so.
constexpr transport::Token kListener = 1;
constexpr transport::Token kSocket = 2;

transport::Token token_of(transport::Token kind, std::size_t index) {
  return (kind << 16 | index) << 32;
}

}  // namespace

Shard::Shard(ShardParts parts)
    : parts_(std::move(parts)),
      settings_(parts_.settings),
      now_(parts_.clock.now()),
      outbox_(parts_.mailroom, parts_.self, settings_.mail),
      wheel_(now_),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kReadBuffer)),
      core_({.shard = parts_.self, .shards = parts_.mailroom.shards(), .hash_key = parts_.hash_key},
            settings_.core, parts_.journal, *this),
      subscribing_(core_, outbox_, parts_.self, parts_.mailroom.shards(),
                   [this](core::ConnectionKey key, const session::Answer& answer) {
                     answer_subscribed(key, answer);
                   }),
      transfers_(settings_.connections.transfer_bytes_max),
      peers_(0, PeerHash{{parts_.hash_key}}),
      keeps_(parts_.journal.state() != core::Journal::State::kNothing),
      promises_(parts_.mailroom.shards()),
      awaited_(parts_.mailroom.shards()),
      told_awaited_(parts_.mailroom.shards()),
      open_(settings_.listeners.size()) {
  if (parts_.self == 0 && settings_.sys_interval_s > 0) {
    Status::Facts facts{.version = settings_.version, .threads = settings_.threads, .start = now_};
    if (settings_.store) facts.durability = store::to_text(*settings_.store);
    for (const ListenerSettings& listener : settings_.listeners) {
      facts.protocols.emplace_back(listener.protocol->name());
    }
    status_ = std::make_unique<Status>(std::move(facts));
    status_at_ = now_;
  }
  core_.on_late_will([this](core::SubscriberIndex index, std::string_view topic) {
    return may_publish_late(index, topic);
  });
  core_.on_exchange_over([this](std::uint64_t name) {
    for (std::uint16_t to = 0; to < parts_.mailroom.shards(); ++to) {
      if (to != parts_.self) outbox_.add(to, ExchangeOver{name});
    }
  });
  core_.on_interest_lost([this](std::string_view filter) {
    for (std::uint16_t to = 0; to < parts_.mailroom.shards(); ++to) {
      if (to != parts_.self) outbox_.add(to, Interest{std::string{filter}, false, 0});
    }
  });
}

Shard::~Shard() = default;

void Shard::connect(std::vector<transport::Poller*> pollers) {
  outbox_.connect(std::move(pollers));
}

bool Shard::add_listener(std::uint16_t listener, std::unique_ptr<transport::StreamListener> from) {
  if (!parts_.poller.add(*from, token_of(kListener, listeners_.size()))) return false;
  listeners_.push_back({listener, std::move(from)});
  return true;
}

bool Shard::add_socket(std::uint16_t listener, std::unique_ptr<transport::DatagramSocket> socket) {
  if (!parts_.poller.add(*socket, token_of(kSocket, sockets_.size()))) return false;
  sockets_.push_back({listener, std::move(socket)});
  return true;
}

core::SubscriberIndex Shard::restore(store::RecoveredQueue&& left) {
  core::KeepSubscriber& subscriber = left.subscriber;
  core::Core::Restored restored{.name = std::move(subscriber.name),
                                .kept_as = subscriber.queue,
                                .expiry_s = subscriber.expiry_s,
                                .expires_at = subscriber.expires_at,
                                .queue = std::move(left.queue),
                                .inflight = std::move(left.inflight),
                                .exchanges = std::move(left.exchanges)};
  if (!subscriber.away && subscriber.expiry_s != UINT32_MAX) {  // its connection ended with the run
    restored.expires_at = now_ + std::chrono::seconds{subscriber.expiry_s};
  }
  if (subscriber.will) {
    core::KeptWill& will = *subscriber.will;
    restored.will = {
        .message = std::move(will.message), .delay_s = will.delay_s, .expiry_s = will.expiry_s};
    restored.will_at = subscriber.away ? will.due : now_ + std::chrono::seconds{will.delay_s};
  }
  if (subscriber.user || restored.will.message) {
    const auto listener =
        std::ranges::find(settings_.listeners, subscriber.listener, &ListenerSettings::label);
    restored.holder = std::make_unique<core::Holder>();
    restored.holder->user = std::move(subscriber.user);
    if (listener != settings_.listeners.end()) restored.holder->listener = listener->label;
  }
  expire_at_ = now_;
  return core_.restore(std::move(restored));
}

void Shard::restore(core::KeepDeclaration&& left) {
  (void)core_.declarations().declare(left.topic, {.properties = std::move(left.properties)}, false);
  schedule_undeclaring();
}

Instant Shard::next_due() {
  if (has_work()) return now_;
  return std::min({wheel_.next_deadline(), expire_at_, core_.next_message_expiry(), accept_at_,
                   status_at_, undeclare_at_});
}

// Whether something is left that waits for nothing but the next turn.
bool Shard::has_work() const {
  return core_.has_house_work() || !ready_.empty() || !dirty_.empty() || !lingering_.empty() ||
         !questions_.empty() || !page_questions_.empty() || !to_self_.empty() ||
         subscribing_.wants_turn() || walk_.open || std::ranges::any_of(sockets_, &Socket::unread);
}

Instant Shard::turn(Duration wait_max) {
  const Instant due = next_due();
  if (due != kNever) wait_max = std::min(wait_max, std::max(Duration::zero(), due - now_));
  const std::span<const transport::Event> events = parts_.poller.wait(wait_max);
  now_ = parts_.clock.now();
  core_.set_time(now_);
  busy_ = !events.empty() || !ready_.empty();
  hear_authorizers();
  for (const transport::Event& event : events) handle(event);
  for (const session::ConnectionId id : std::exchange(ready_, {})) {
    if (Connection* connection = find(id)) go_on(*connection);
  }
  receive_unread();
  read_mail();
  if (subscribing_.wants_turn()) {
    subscribing_.turn(now_);
    execute();
  }
  wheel_.advance(now_,
                 [this](WheelEntry& due_entry) { fire(static_cast<Connection&>(due_entry)); });
  if (accept_at_ <= now_) {
    accept_at_ = kNever;
    const auto count = static_cast<std::uint16_t>(listeners_.size());
    for (std::uint16_t i = 0; i < count; ++i) accept(i);
  }
  if (expire_at_ <= now_) expire();
  if (core_.next_message_expiry() <= now_) core_.expire_messages(now_);
  if (undeclare_at_ <= now_) undeclare_due();
  if (status_at_ <= now_) begin_status();
  go_on_with_census();
  finish_commits();
  execute();
  resume_paused();
  core_.keep_house();
  submit();
  outbox_.send();  // before the acknowledgements of what is in it
  flush_outputs();
  submit();
  outbox_.send();
  return next_due();
}

void Shard::handle(const transport::Event& event) {
  if (static_cast<std::uint32_t>(event.token) == 0) {
    const auto index = static_cast<std::uint16_t>(event.token >> 32);
    if (event.token >> 48 == kListener) {
      accept(index);
    } else if (event.readable) {
      sockets_[index].unread = true;
    }
    return;
  }
  Connection* connection = find(core::ConnectionKey{event.token});
  if (connection == nullptr) return;
  if (event.writable && connection->blocked) {
    connection->blocked = false;
    mark_dirty(*connection);
  }
  if (event.readable) {
    connection->unread = true;
    connection->hung_up = connection->hung_up || event.ended;
    go_on(*connection);
  }
}

void Shard::accept(std::uint16_t index) {
  Listener& listener = listeners_[index];
  for (std::size_t count = 0; count < kAcceptsMax; ++count) {
    int error = 0;
    std::unique_ptr<transport::Stream> stream = listener.from->accept(error);
    if (!stream) {
      if (error == 0) return;
      parts_.log.print(LogLevel::kError,
                       "Cannot accept a connection on {}: {}. Waiting for others to end; raise the "
                       "limit of open files (ulimit -n) if this lasts.",
                       listener.from->local_text(), std::strerror(error));
      accept_at_ = now_ + kAcceptRetry;
      return;
    }
    if (streams_ >= settings_.connections.connections_max ||
        unattached_ >= settings_.connections.unattached_max) {
      ++counters_.refused;
      continue;  // closes it
    }
    Source source = 0;
    if (!admit_source(*stream, source)) continue;
    ++counters_.accepted;
    adopt(std::move(stream), listener.settings, source, {});
  }
  accept_at_ = now_;  // more may wait: others have their turn first
}

// False when the far end's address has as many connections as one may have.
bool Shard::admit_source(const transport::Stream& stream, Source& source) {
  const std::size_t count_max = settings_.connections.per_source_max;
  if (count_max == 0) return true;
  source = source_of(stream.peer());
  if (source == 0 || parts_.sources.enter(source, count_max)) return true;
  constexpr std::uint64_t kTellEach = 1'000;  // a flood of connections must not become one of lines
  ++counters_.refused;
  if (counters_.refused_by_source++ % kTellEach == 0) {
    parts_.log.print(LogLevel::kWarning,
                     "{} has {} connections and gets no more: {} were refused for that so far. "
                     "max_connections_per_source sets how many one address may have.",
                     stream.peer().to_text(), count_max, counters_.refused_by_source);
  }
  return false;
}

Source Shard::take_source(const Connection& connection) {
  const auto found = source_of_.find(connection.index);
  if (found == source_of_.end()) return 0;
  const Source source = found->second;
  source_of_.erase(found);
  return source;
}

Connection& Shard::make_connection(std::uint16_t listener) {
  const std::uint32_t index = connections_.emplace();
  Connection& connection = connections_[index];
  connection.index = index;
  connection.listener = listener;
  ++open_[listener];
  const ListenerSettings& settings = settings_.listeners[listener];
  connection.session = settings.protocol->make_session(
      {.limits = &settings.limits, .rng = &parts_.rng, .budget = &transfers_});
  return connection;
}

void Shard::adopt(std::unique_ptr<transport::Stream> stream, std::uint16_t listener, Source source,
                  std::span<const std::uint8_t> unread) {
  Connection& connection = make_connection(listener);
  if (source != 0) source_of_.emplace(connection.index, source);
  connection.stream = std::move(stream);
  ++streams_;
  ++unattached_;
  const session::ConnectionId id = id_of(connection);
  if (!parts_.poller.add(*connection.stream, key_of(id))) return drop(connection);
  with_session(connection, effects_, [this](session::Session& session, session::Effects& effects) {
    session.on_open(now_, effects);
  });
  execute();
  if (Connection* still = find(id)) {
    if (!unread.empty()) process(*still, unread);
  }
}

void Shard::end(Connection& connection, model::Reason reason) {
  connection.close_reason = reason;
  session::EffectList last;
  with_session(connection, last, [&](session::Session& session, session::Effects& effects) {
    session.on_close(reason, now_, effects);
  });
  const session::ConnectionId id = id_of(connection);
  for (session::EffectRecord& record : last) {
    if (Connection* still = find(id)) {
      std::visit([&](auto& effect) { apply(*still, effect); }, record.effect);
    }
  }
  finish_publishes();
  core_.flush();
  Connection* still = find(id);
  if (still == nullptr) return;
  if (still->attached()) {
    session::Detach detach{std::move(core_.subscriber(still->subscriber).inflight)};
    apply(*still, detach);
  }
  drop(*still);
}

void Shard::drop(Connection& connection) {
  if (!logins_.empty()) forget_login(connection);
  if (!exchanges_.empty()) (void)take_exchange(connection);
  if (!watches_.empty()) end_watches(connection);
  if (connection.stream) {
    if (connection.output && !connection.output->empty()) {  // the last words, if they fit
      std::array<Bytes, 16> pieces;
      const std::size_t count = connection.output->gather(pieces);
      const transport::IoResult last = connection.stream->write(std::span{pieces}.first(count));
      if (last.status == transport::IoResult::Status::kDone) counters_.bytes_sent += last.count;
    }
    if (const Source source = take_source(connection)) parts_.sources.leave(source);
    --streams_;
    if (!connection.attached()) --unattached_;
  } else {
    peers_.erase({connection.peer->address, connection.peer->socket});
  }
  if (connection.rest && !connection.attached()) unattached_bytes_ -= connection.rest->size();
  if (connection.output) outputs_.give(std::move(connection.output));
  --open_[connection.listener];
  connections_.erase(connection.index);
}

void Shard::log_refusal(const Connection& connection, const session::Close& effect) {
  if (!settings_.log_connections || !connection.stream) return;
  if (effect.advice.empty() && *effect.broken.statement == 0) return;
  const std::string who = fmt::format(
      "Client {} from {}",
      connection.attached() ? core_.subscriber(connection.subscriber).id : "(not logged in)",
      connection.stream->peer_text());
  if (*effect.broken.statement != 0) {
    parts_.log.print(LogLevel::kNotice, "{} breaks {} at octet {} of its packet.", who,
                     effect.broken.statement, effect.broken.offset);
  } else {
    parts_.log.print(LogLevel::kNotice, "{} is refused: {}", who, effect.advice);
  }
}

// Once a connection: when its session says goodbye, or when it ends without.
void Shard::log_end(const Connection& connection, model::Reason reason) {
  if (!settings_.log_connections || !connection.stream || !connection.attached()) return;
  if (!parts_.log.enabled(LogLevel::kNotice)) return;
  const std::string& who = core_.subscriber(connection.subscriber).id;
  if (reason == model::Reason::kOk) {
    parts_.log.print(LogLevel::kNotice, "Client {} disconnected.", who);
  } else {
    parts_.log.print(LogLevel::kNotice, "Client {} disconnected: {}.", who, to_text(reason));
  }
}

void Shard::fire(Connection& connection) {
  connection.armed = kNever;
  if (connection.closing) return end(connection, connection.close_reason);
  if (connection.peer_ended) {
    if (!connection.paused && connection.unanswered == 0) {
      return end(connection, model::Reason::kPeerClosed);
    }
    // The peer has said everything; the journal or other shards keep it from being read.
    connection.armed = now_ + kCloseGrace;
    wheel_.arm(connection, connection.armed);
    return;
  }
  const session::ConnectionId id = id_of(connection);
  with_session(connection, effects_, [this](session::Session& session, session::Effects& effects) {
    session.on_deadline(now_, effects);
  });
  execute();
  if (Connection* still = find(id)) rearm(*still);
}

void Shard::rearm(Connection& connection) {
  if (connection.closing) return;
  const Instant next = connection.session->next_deadline();
  if (next >= connection.armed) return;
  connection.armed = next;
  wheel_.arm(connection, next);
}

void Shard::finish_commits() {
  if (!keeps_) return;
  heard_ = parts_.journal.committed();
  promises_.note_committed(heard_);
  core_.hear_journal();
  while (!uncommitted_replies_.empty()) {
    const bool met = promises_.is_met(uncommitted_replies_.front().due);
    if (!met && !is_sealed()) break;
    UncommittedReply pending = std::move(uncommitted_replies_.front());
    uncommitted_replies_.pop_front();
    if (!met) pending.reply = without_store(std::move(pending.reply));
    reply(pending.to, std::move(pending.reply));
    execute();
  }
  while (!uncommitted_.empty() && promises_.is_met(uncommitted_.front().due)) {
    PendingAnswers pending = std::move(uncommitted_.front());
    uncommitted_.pop_front();
    uncommitted_answers_ -= pending.weight();
    for (const std::uint64_t name : pending.exchanges) core_.complete_exchange(name);
    if (pending.opens) pending.answers.front().octets = as_bytes(pending.octets);
    Connection* connection = find(pending.connection);
    if (connection == nullptr) continue;
    connection->unanswered -= static_cast<std::uint32_t>(pending.answers.size());
    connection->uncommitted -= static_cast<std::uint32_t>(pending.answers.size());
    with_session(*connection, effects_, [&](session::Session& session, session::Effects& effects) {
      session.on_answers(pending.answers, now_, effects);
    });
    if (pending.opens && connection->attached()) core_.set_open(connection->subscriber, true);
    execute();
    if (Connection* still = find(pending.connection)) go_on(*still);
  }
  if (uncommitted_answers_ >= forget_gone_at_) forget_gone();
}

bool Shard::is_sealed() const {
  return parts_.journal.state() == core::Journal::State::kSealed;
}

void Shard::hold_back(PendingAnswers answers) {
  uncommitted_answers_ += answers.weight();
  uncommitted_.push_back(std::move(answers));
}

bool Shard::has_room_to_keep() const {
  if (!keeps_) return true;
  return parts_.journal.has_room() && uncommitted_answers_ < kUncommittedMax &&
         uncommitted_replies_.size() < kUncommittedMax;
}

// Who has gone meanwhile is not answered, and that publications are safe will never be known of a
// store that is sealed.
void Shard::forget_gone() {
  std::erase_if(uncommitted_, [&](const PendingAnswers& pending) {
    if (find(pending.connection) != nullptr) return false;
    if (!pending.exchanges.empty() && !is_sealed()) return false;
    uncommitted_answers_ -= pending.weight();
    return true;
  });
  forget_gone_at_ = std::clamp(2 * uncommitted_answers_, kForgetGoneMin, kUncommittedMax);
}

void Shard::expire() {
  expire_at_ = core_.expire(now_);
  promise_wills();
}

// Wills that have just been published: the store forgets them when they are safe.
void Shard::promise_wills() {
  std::vector<std::uint64_t> wills = core_.take_wills();
  if (wills.empty()) return;
  Promises::Due due = promises_.take_due(core_.last_commit());
  if (uncommitted_.empty() && is_met(due)) {
    for (const std::uint64_t name : wills) core_.complete_exchange(name);
    return;
  }
  constexpr session::ConnectionId kNobody{.index = UINT32_MAX};
  hold_back(
      {.connection = kNobody, .due = std::move(due), .answers = {}, .exchanges = std::move(wills)});
}

// What was kept in this turn may be written.
void Shard::submit() {
  if (!keeps_) return;
  const bool waits = !uncommitted_.empty() || !uncommitted_replies_.empty() || !paused_.empty() ||
                     core_.waits_for_commit();
  parts_.journal.submit(waits, heard_);
}

void Shard::resume_paused() {
  if (paused_.empty() || !outbox_.has_room() || !has_room_to_keep()) return;
  for (const session::ConnectionId id : std::exchange(paused_, {})) {
    Connection* connection = find(id);
    if (connection == nullptr) continue;
    connection->paused = false;
    go_on(*connection);
  }
}

void Shard::shut_down() {
  now_ = parts_.clock.now();
  core_.set_time(now_);
  read_mail();
  for (std::uint32_t index = 0; index < connections_.places(); ++index) {
    if (connections_.holds(index)) end(connections_[index], model::Reason::kShutdown);
  }
  execute();  // what members of groups had goes back
  submit();
  flush_outputs();
  outbox_.send();
}

void Shard::hear_last() {
  finish_commits();
  submit();
}

}  // namespace hermod::broker
