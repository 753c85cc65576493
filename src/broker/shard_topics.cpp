// SPDX-License-Identifier: Apache-2.0
// Questions about topics: what a session asks goes to the shard that owns the topic, which may be
// this one, and comes back as an answer.
//
//   session -> ask() -> letter to the owner, or its own list of questions
//           -> once more all mail is read -> reply_to() -> TopicReply -> answer
//
// With one shard there is no mail: the owner replies at once.
#include "shard_session.hpp"

namespace hermod::broker {

using model::Reason;

namespace {

template <typename Request>
std::size_t payload_bytes(const Request&) {
  return 0;
}
std::size_t payload_bytes(const ReplaceRequest& request) {
  return request.message->payload.size();
}

}  // namespace

template <typename Request>
void Shard::ask(std::uint16_t owner, Request request) {
  if (owner != parts_.self) {
    const std::size_t bytes = payload_bytes(request);
    return outbox_.add(owner, std::move(request), bytes);
  }
  if (parts_.mailroom.shards() == 1) return reply_to(request, owner);
  questions_.push_back({std::move(request), owner});  // as if another shard asked
}
template void Shard::ask(std::uint16_t, LookupRequest);
template void Shard::ask(std::uint16_t, WatchRequest);
template void Shard::ask(std::uint16_t, WatchEnd);

RequestId Shard::expect_reply(Connection& connection, session::Ticket ticket) {
  ++connection.unanswered;
  asked_.emplace(++last_asked_, PendingReply{id_of(connection), ticket});
  return last_asked_;
}

// The message as a letter to that shard may hold it: nobody else refers to a copy that leaves.
model::MessageRef Shard::for_shard(const model::Message& message, std::uint16_t to) const {
  if (to == parts_.self) return message.own();
  model::Message view = message;
  view.owner = nullptr;
  return view.own();
}

// --- what sessions ask ---

void Shard::apply(Connection& connection, session::Declare& effect) {
  if (!allowed(connection, core::Action::kPublish, effect.topic)) {
    return answer(connection, {.ticket = effect.ticket, .reason = Reason::kNotAuthorized});
  }
  ask(core_.owner_of(effect.topic),
      DeclareRequest{std::string{effect.topic},
                     std::make_unique<core::Declaration>(
                         core::Declaration{*effect.properties, effect.mode, effect.members}),
                     expect_reply(connection, effect.ticket)});
}

void Shard::apply(Connection& connection, session::Undeclare& effect) {
  if (!allowed(connection, core::Action::kPublish, effect.topic)) {
    return answer(connection, {.ticket = effect.ticket, .reason = Reason::kNotAuthorized});
  }
  ask(core_.owner_of(effect.topic),
      UndeclareRequest{std::string{effect.topic}, expect_reply(connection, effect.ticket)});
}

// As publish() does, at the owner of the topic.
void Shard::apply(Connection& connection, session::Replace& effect) {
  model::Message message = *effect.message;
  if (!allowed(connection, core::Action::kPublish, message.destination.address)) {
    ++counters_.writes_denied;
    return answer(connection, {.ticket = effect.ticket, .reason = Reason::kNotAuthorized});
  }
  message.origin.shard = parts_.self;
  message.origin.connection = connection.index + 1;
  message.origin.client = core::Subscribers::mark(actor_of(connection).client_id);
  const std::uint16_t owner = core_.owner_of(message.destination.address);
  ask(owner, ReplaceRequest{for_shard(message, owner), effect.instead_of,
                            expect_reply(connection, effect.ticket)});
}

void Shard::reply(std::uint16_t to, TopicReply reply) {
  if (to == parts_.self) return open(reply, to);
  reply.stamp = core_.stamp();
  outbox_.add(to, std::move(reply));
}

// What is published here after the reply is younger than what it tells of.
void Shard::open(TopicReply& letter, std::uint16_t) {
  core_.observe(letter.stamp);
  finish_asking(letter.request, {.reason = letter.reason,
                                 .value = letter.value ? &*letter.value : nullptr,
                                 .declared = letter.declared.get()});
}

void Shard::finish_asking(RequestId id, const session::Answer& reply) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return;
  const PendingReply pending = found->second;
  asked_.erase(found);
  session::Answer given = reply;
  given.ticket = pending.ticket;
  answer_key(key_of(pending.connection), given);
}

// --- what the owner replies ---

void Shard::open(LookupRequest& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});
}

void Shard::open(DeclareRequest& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});
}

void Shard::open(UndeclareRequest& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});
}

void Shard::open(ReplaceRequest& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});
}

void Shard::answer_questions(std::vector<Question> questions) {
  for (Question& question : questions) {
    std::visit([&](auto& request) { reply_to(request, question.from); }, question.request);
  }
}

void Shard::reply_to(RetainedRequest& request, std::uint16_t from) {
  outbox_.add(from, subscribing_.answer(request, now_));
}

void Shard::reply_to(LookupRequest& request, std::uint16_t from) {
  const model::Message* value = core_.retained().find(request.topic, now_);
  const model::TopicProperties* declared = core_.declarations().find(request.topic);
  const Reason reason = value == nullptr ? Reason::kNotFound : Reason::kOk;
  if (from == parts_.self) {
    return finish_asking(request.request, {.reason = reason, .value = value, .declared = declared});
  }
  TopicReply found{.request = request.request, .reason = reason};
  if (value != nullptr) found.value = for_shard(*value, from);
  if (declared != nullptr) found.declared = std::make_unique<model::TopicProperties>(*declared);
  reply(from, std::move(found));
}

void Shard::reply_to(DeclareRequest& request, std::uint16_t from) {
  const bool has_value = core_.retained().find(request.topic, now_) != nullptr;
  const core::Declarations::Declared made =
      core_.declare(request.topic, *request.wanted, has_value);
  TopicReply done{.request = request.request, .reason = made.reason};
  if (made.properties != nullptr) {
    done.declared = std::make_unique<model::TopicProperties>(*made.properties);
  }
  reply_kept(from, std::move(done));
  tell(made.lost, Reason::kQuotaExceeded, nullptr);
  tell(made.told, Reason::kOk, made.properties);
  if (made.reason == Reason::kOk) schedule_undeclaring();
}

void Shard::reply_to(UndeclareRequest& request, std::uint16_t from) {
  const core::Core::Undeclared ended = core_.undeclare(request.topic, parts_.clock.now());
  reply_kept(from, TopicReply{.request = request.request, .reason = ended.reason});
  tell(ended.seats, Reason::kNotFound, nullptr);
}

void Shard::reply_to(ReplaceRequest& request, std::uint16_t from) {
  model::Message message = *request.message;
  const Reason reason = core_.replace(message, request.instead_of, parts_.clock.now());
  core_.flush();  // the run borrows what ends here
  reply_kept(from, TopicReply{.request = request.request, .reason = reason});
}

TopicReply Shard::without_store(TopicReply reply) {
  if (reply.reason != Reason::kOk) return reply;
  return {.request = reply.request, .reason = Reason::kUnavailable};
}

// The reply leaves once what it tells of is safe, and not before those that wait already.
void Shard::reply_kept(std::uint16_t to, TopicReply done) {
  Promises::Due due = take_due();
  if (uncommitted_replies_.empty() && is_met(due)) return reply(to, std::move(done));
  if (is_sealed()) return reply(to, without_store(std::move(done)));
  uncommitted_replies_.push_back({to, std::move(due), std::move(done)});
}

// --- days of the calendar ---

void Shard::schedule_undeclaring() {
  undeclare_at_ = core_.next_undeclaring(now_, parts_.clock.since_1970());
}

void Shard::undeclare_due() {
  const Duration today = parts_.clock.since_1970();
  for (std::size_t count = 0; count < kUndeclaredMax; ++count) {
    const std::optional<std::string> topic = core_.due_to_undeclare(today);
    if (!topic) break;
    tell(core_.undeclare(*topic, parts_.clock.now()).seats, Reason::kNotFound, nullptr);
  }
  schedule_undeclaring();  // now, when more are due: others have their turn first
}

// One letter a shard, however many observe there.
void Shard::tell(const std::vector<core::Seat>& seats, Reason reason,
                 const model::TopicProperties* declared) {
  if (seats.empty()) return;
  std::vector<std::vector<RequestId>> watches(parts_.mailroom.shards());
  for (const core::Seat& seat : seats) watches[seat.shard].push_back(seat.watch);
  for (std::uint16_t to = 0; to < parts_.mailroom.shards(); ++to) {
    if (watches[to].empty()) continue;
    WatchNews news{.watches = std::move(watches[to]), .reason = reason};
    if (declared != nullptr) news.declared = std::make_unique<model::TopicProperties>(*declared);
    send(to, std::move(news));
  }
}

}  // namespace hermod::broker
