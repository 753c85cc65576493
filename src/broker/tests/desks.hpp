// SPDX-License-Identifier: Apache-2.0
// Cores with what stands between them, without shards: the test carries the letters, in the order
// it likes. What a desk does with a letter is what a shard does (shard_mail.cpp).
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hermod/broker/subscribing.hpp"

namespace hermod::broker {

using core::SubscriberIndex;
using model::Guarantee;
using Cores = std::initializer_list<std::uint16_t>;

/// Connections that tests attach to a desk.
inline constexpr core::ConnectionKey kMe = 1;
inline constexpr core::ConnectionKey kOther = 2;

// Nobody waits here: who is next is the test's choice.
class SleeplessPoller final : public transport::Poller {
 public:
  bool add(transport::Source&, transport::Token) override { return true; }
  void remove(transport::Source&) override {}
  std::span<const transport::Event> wait(Duration) override { return {}; }
  void wake() override {}
};

/// One core with its outbox and its Subscribing.
class Desk final : public core::Outlet {
 public:
  Desk(Mailroom& room, std::uint16_t self, const core::Limits& limits, const MailLimits& mail,
       Instant& now)
      : room_(room),
        self_(self),
        now_(now),
        outbox(room, self, mail),
        core({.shard = self, .shards = room.shards(), .hash_key = 7}, limits, journal_, *this),
        subscribing(core, outbox, self, room.shards(),
                    [this](core::ConnectionKey key, const session::Answer& answer) {
                      events[key].push_back(fmt::format("#{}", answer.ticket));
                    }) {
    core.on_interest_lost([this](std::string_view filter) {
      for (std::uint16_t to = 0; to < room_.shards(); ++to) {
        if (to != self_) outbox.add(to, Interest{std::string{filter}, false, 0});
      }
    });
  }

  void deliver(core::ConnectionKey connection, const model::DeliveryBatch& batch) override {
    for (const model::Delivery& delivery : batch.items) {
      events[connection].push_back(fmt::format("{}={}{}", delivery.message->destination.address,
                                               as_text(delivery.message->payload),
                                               delivery.retain ? "r" : ""));
    }
  }
  void forward(const model::Message& message, core::ShardSet interested,
               core::ShardSet retained_owner) override {
    if (retained_owner != 0 && subscribing.reading()) subscribing.note_live(message);
    for (std::uint16_t to = 0; to < room_.shards(); ++to) {
      const bool live = (interested >> to & 1) != 0;
      const bool kept = (retained_owner >> to & 1) != 0;
      if (live || kept) outbox.add_forward(to, message, live, kept);
    }
  }

  // Subscribing knows no groups.
  void to_member(const core::MemberRef&, core::GroupKey, core::QueuePlace,
                 const model::Delivery&) override {}
  void grant(std::uint16_t, core::GroupKey, const core::MemberRef&, std::uint32_t,
             std::vector<model::Tag>) override {}
  void give_back(std::uint16_t, std::string_view, core::GroupKey, const core::MemberRef&,
                 std::vector<core::Returned>, bool) override {}

  // --- what connections of this desk do ---

  SubscriberIndex attach(core::ConnectionKey connection) {
    const auto attached =
        core.attach(fmt::format("c{}", connection), connection, true, 0, {}, now_);
    EXPECT_EQ(attached.reason, model::Reason::kOk);
    return attached.subscriber;
  }
  void subscribe(SubscriberIndex who, std::string_view filter, session::Ticket ticket,
                 bool retained = true) {
    const model::SubscriptionOptions options{.guarantee_max = Guarantee::kAtMostOnce};
    EXPECT_EQ(core.subscribe(who, filter, options).reason, model::Reason::kOk);
    subscribing.start(core.subscriber(who).connection, who, filter, options, retained, ticket,
                      now_);
    outbox.send();
  }
  void unsubscribe(SubscriberIndex who, std::string_view filter) {
    EXPECT_EQ(core.unsubscribe(who, filter), model::Reason::kOk);
    subscribing.withdraw(who, filter, now_);
    outbox.send();
  }
  void leave(SubscriberIndex who) {
    subscribing.stop(who);
    core.detach(who, {}, true, now_);
    outbox.send();
  }
  void publish(std::string_view topic, std::string_view payload, bool retain = true) {
    model::Message message{.destination = model::Destination::topic(topic),
                           .payload = as_bytes(payload),
                           .retain = retain};
    EXPECT_LE(core.publish(message, now_), model::Reason::kNoMatch);
    core.flush();
    outbox.send();
  }
  /// The connection's output takes nothing more; or takes again, and what waits is read on.
  void hold(SubscriberIndex who) { core.set_open(who, false); }
  void drain(SubscriberIndex who) {
    core.set_open(who, true);
    subscribing.go_on(who, now_);
    outbox.send();
  }

  // --- mail ---

  /// Reads what has come from one other desk; questions are answered by reply().
  void read(std::uint16_t from) {
    Batch* batch = from == self_ ? nullptr : room_.between(from, self_).take();
    while (batch != nullptr) {
      const std::unique_ptr<Batch> owned{batch};
      batch = batch->next;
      for (Letter& letter : owned->letters) {
        std::visit([&](auto& content) { open(content, from); }, letter);
      }
      core.flush();
      outbox.finish(from, *owned);
    }
    outbox.send();
  }
  void read_all() {
    for (std::uint16_t from = 0; from < room_.shards(); ++from) read(from);
  }
  /// Answers the questions that have been read, after everything that has come since.
  void reply() {
    const auto asked = std::exchange(questions_, {});
    read_all();
    for (const auto& [from, request] : asked) outbox.add(from, subscribing.answer(request, now_));
    outbox.send();
  }
  [[nodiscard]] std::size_t questions() const { return questions_.size(); }
  /// A turn of the loop, for readers that let others go first.
  void turn() {
    subscribing.turn(now_);
    outbox.send();
  }

  /// What a connection has seen, blank-separated; forgets it. "#7" answers ticket 7, "t=vr" is the
  /// retained value v of t.
  std::string take(core::ConnectionKey connection) {
    std::string text;
    for (const std::string& event : std::exchange(events[connection], {})) {
      text += text.empty() ? event : ' ' + event;
    }
    return text;
  }

 private:
  void open(Forward& letter, std::uint16_t from) {
    const model::Message& message = outbox.open(letter, from);
    if (message.retain && letter.for_subscribers && subscribing.reading()) {
      subscribing.note_live(message);
    }
    core.receive(message, letter.for_subscribers, letter.for_retained);
  }
  void open(GiveBack& letter, std::uint16_t) { outbox.returned(letter.lent); }
  void open(Interest& letter, std::uint16_t from) {
    core.set_interest(letter.filter, from, letter.interested);
    if (letter.request != 0) outbox.add(from, InterestKnown{letter.request, core.stamp()});
  }
  void open(InterestKnown& letter, std::uint16_t from) {
    core.flush();
    subscribing.on_known(letter, from, now_);
  }
  void open(RetainedRequest& letter, std::uint16_t from) {
    questions_.emplace_back(from, std::move(letter));
  }
  void open(RetainedPage& letter, std::uint16_t) {
    core.flush();
    ++pages;
    subscribing.on_page(letter, now_);
  }
  template <typename Other>
  void open(Other&, std::uint16_t) {
    FAIL() << "nobody sends this here";
  }

  Mailroom& room_;
  std::uint16_t self_;
  Instant& now_;
  core::NullJournal journal_;
  std::vector<std::pair<std::uint16_t, RetainedRequest>> questions_;

 public:
  Outbox outbox;
  core::Core core;
  Subscribing subscribing;
  std::map<core::ConnectionKey, std::vector<std::string>> events;
  std::size_t pages = 0;  ///< that came here
};

/// So many desks and a clock.
class Desks {
 public:
  explicit Desks(std::uint16_t count, const core::Limits& core_limits = {})
      : limits(core_limits), room(count) {
    for (std::uint16_t self = 0; self < count; ++self) {
      desks_.push_back(std::make_unique<Desk>(room, self, limits, mail, now));
      desks_.back()->outbox.connect(std::vector<transport::Poller*>(std::size_t{count}, &poller_));
    }
  }
  [[nodiscard]] Desk& operator[](std::uint16_t self) { return *desks_[self]; }
  [[nodiscard]] std::uint16_t size() const { return room.shards(); }
  void later() { now += std::chrono::microseconds{1}; }
  /// A topic below `stem` whose retained value belongs to that desk.
  [[nodiscard]] std::string topic_of(std::uint16_t owner, std::string_view stem, int start = 0) {
    for (int number = start;; ++number) {
      std::string topic = fmt::format("{}/{}", stem, number);
      if (desks_[0]->core.owner_of(topic) == owner) return topic;
    }
  }
  /// Lets everything arrive and everybody take turns until nothing moves.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& desk : desks_) {
        for (std::uint16_t from = 0; from < size(); ++from) {
          moved =
              moved ||
              room.between(from, static_cast<std::uint16_t>(&desk - desks_.data())).letters() > 0;
        }
        moved = moved || desk->questions() > 0 || desk->subscribing.wants_turn();
        desk->reply();
        desk->turn();
      }
    }
  }
  [[nodiscard]] std::size_t pending() const {
    std::size_t all = 0;
    for (const auto& desk : desks_) all += desk->subscribing.pending();
    return all;
  }

  core::Limits limits;
  MailLimits mail;
  Instant now{std::chrono::seconds{1}};
  Mailroom room;

 private:
  SleeplessPoller poller_;
  std::vector<std::unique_ptr<Desk>> desks_;
};

}  // namespace hermod::broker
