// SPDX-License-Identifier: Apache-2.0
// Lists of topics, which all shards have a part of; and seats: who observes a declared topic has
// one at its owner, for as long as its connection lasts.
#include <algorithm>

#include "hermod/model/topic.hpp"
#include "shard_session.hpp"

namespace hermod::broker {

using model::Reason;

// --- lists ---

void Shard::apply(Connection& connection, session::List& effect) {
  if (lists_.size() >= kListsMax) {
    return answer(connection, {.ticket = effect.ticket, .reason = Reason::kUnavailable});
  }
  const std::uint16_t shards = parts_.mailroom.shards();
  const bool wild = model::has_wildcard(effect.filter);
  const std::uint16_t first = wild ? 0 : core_.owner_of(effect.filter);
  const auto end = static_cast<std::uint16_t>(wild ? shards : first + 1);
  ++connection.unanswered;
  lists_.emplace(++last_list_, PendingList{.connection = id_of(connection),
                                           .ticket = effect.ticket,
                                           .count_max = std::max(effect.count_max, 1u),
                                           .missing = static_cast<std::uint16_t>(end - first),
                                           .pages = {}});
  for (std::uint16_t owner = first; owner < end; ++owner) {
    ListRequest request{.filter = std::string{effect.filter},
                        .after = std::string{effect.after},
                        .count_max = effect.count_max,
                        .selection = effect.selection,
                        .request = last_list_};
    if (owner == parts_.self) {
      open(request, owner);
    } else {
      outbox_.add(owner, std::move(request));
    }
  }
}

void Shard::open(ListRequest& letter, std::uint16_t from) {
  page_questions_.push_back({std::move(letter), from});
}

// Answers the first `count` of those that wait, or as many as one turn may.
void Shard::list_pages(std::size_t count) {
  for (count = std::min(count, kListsPerTurn); count > 0; --count) {
    const PageQuestion question = std::move(page_questions_.front());
    page_questions_.pop_front();
    const ListRequest& asked = question.request;
    send(question.from, ListReply{asked.request, core_.list({.filter = asked.filter,
                                                             .after = asked.after,
                                                             .selection = asked.selection,
                                                             .count_max = asked.count_max},
                                                            now_)});
  }
}

void Shard::open(ListReply& letter, std::uint16_t) {
  const auto found = lists_.find(letter.request);
  if (found == lists_.end()) return;
  found->second.pages.push_back(std::move(letter.page));
  if (--found->second.missing == 0) finish_list(letter.request);
}

void Shard::finish_list(RequestId id) {
  const auto found = lists_.find(id);
  PendingList list = std::move(found->second);
  lists_.erase(found);
  Connection* connection = find(list.connection);
  if (connection == nullptr) return;
  core::TopicPage merged = core::merge_pages(list.pages, list.count_max);
  std::erase_if(merged.entries, [&](const model::TopicEntry& entry) {
    return !allowed(*connection, core::Action::kRead, entry.topic);
  });
  const session::TopicPage page{.topics = merged.entries, .next = merged.next};
  answer_key(key_of(list.connection), {.ticket = list.ticket, .page = &page});
}

// --- seats, where the connection is ---

void Shard::apply(Connection& connection, session::Watch& effect) {
  const core::ConnectionKey key = key_of(id_of(connection));
  const auto refuse = [&](Reason reason) {
    answer(connection, {.ticket = effect.ticket, .reason = reason});
  };
  if (!allowed(connection, core::Action::kRead, effect.topic)) {
    return refuse(Reason::kNotAuthorized);
  }
  const std::optional<Watches::Numbered> before = watches_.take(key, effect.topic);
  if (before && !before->watch.answered) --connection.unanswered;
  // As many as it may have subscriptions: it observes through those.
  if (!before && watches_.count(key) >= settings_.core.subscriptions_max) {
    return refuse(Reason::kQuotaExceeded);
  }
  ++connection.unanswered;
  const RequestId number = watches_.begin(key, effect.topic, effect.ticket);
  ask(core_.owner_of(effect.topic),
      WatchRequest{std::string{effect.topic}, number, before ? before->number : 0});
}

void Shard::apply(Connection& connection, session::Unwatch& effect) {
  const auto ended = watches_.take(key_of(id_of(connection)), effect.topic);
  if (ended) end_watch(connection, *ended);
}

void Shard::end_watch(Connection& connection, const Watches::Numbered& ended) {
  if (!ended.watch.answered) --connection.unanswered;
  ask(core_.owner_of(ended.watch.topic), WatchEnd{ended.watch.topic, ended.number});
}

void Shard::end_watches(Connection& connection) {
  const core::ConnectionKey key = key_of(id_of(connection));
  while (const auto ended = watches_.take_any(key)) end_watch(connection, *ended);
}

void Shard::open(WatchNews& letter, std::uint16_t) {
  core_.flush();  // a value that was cleared is heard before its topic is gone
  for (const RequestId number : letter.watches) {
    Watches::Watch* watch = watches_.find(number);
    if (watch == nullptr) continue;  // it has ended meanwhile, which the owner hears
    const core::ConnectionKey key = watch->connection;
    const session::Answer news{
        .ticket = watch->ticket, .reason = letter.reason, .declared = letter.declared.get()};
    const bool again = std::exchange(watch->answered, true);
    if (letter.reason != Reason::kOk) watches_.end(number);
    if (!again) {
      answer_key(key, news);
    } else if (Connection* connection = find(key)) {
      answer(*connection, news);
    }
  }
}

// --- seats, where the topic is ---

void Shard::open(WatchRequest& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});
}

void Shard::open(WatchEnd& letter, std::uint16_t from) {
  questions_.push_back({std::move(letter), from});  // behind the request that it ends
}

void Shard::reply_to(WatchRequest& request, std::uint16_t from) {
  std::optional<core::Seat> before;
  if (request.instead_of != 0) before = core::Seat{from, request.instead_of};
  const core::Declarations::Watched watched =
      core_.declarations().watch(request.topic, {from, request.watch}, before);
  WatchNews news{.watches = {request.watch}, .reason = watched.reason};
  if (watched.properties != nullptr) {
    news.declared = std::make_unique<model::TopicProperties>(*watched.properties);
  }
  send(from, std::move(news));
}

void Shard::reply_to(WatchEnd& request, std::uint16_t from) {
  core_.declarations().unwatch(request.topic, {from, request.watch});
}

}  // namespace hermod::broker
