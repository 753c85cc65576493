// SPDX-License-Identifier: Apache-2.0
// Policies of queues against plain lists, under random histories of sessions that come and go: what
// is delivered, what is counted, what the users hold, and what the store keeps.
#include <algorithm>
#include <array>
#include <set>

#include "core_fixture.hpp"
#include "hermod/base/rng.hpp"

namespace hermod::core {
namespace {

using model::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Item {
  int number = 0;
  Due due = kNoDue;
  model::Tag tag = 0;
  bool begun = false;  // was handed over, now or before
  bool out = false;    // is handed over
};

struct Session {
  std::string user;
  std::string topic;
  SubscriberIndex index = 0;
  bool attached = false;
  std::size_t credit = 0;
  std::deque<Item> items;
  std::string expected;  // to be delivered since the last look

  [[nodiscard]] std::size_t waiting() const {
    return static_cast<std::size_t>(std::ranges::count(items, false, &Item::out));
  }
  [[nodiscard]] std::deque<Item>::iterator oldest() {
    return std::ranges::find_if(items, [](const Item& item) { return !item.out && !item.begun; });
  }
};

class Histories : public CoreFixture {
 protected:
  static constexpr std::size_t kSessions = 4;

  void begin(std::uint64_t seed) {
    rng_ = SeededRng{seed};
    journal.notes = false;
    limits.queue_overflow = static_cast<Overflow>(rng_.below(3));
    limits.queue_messages_max = 1 + rng_.below(12);
    limits.user_messages_max = rng_.below(2) == 0 ? SIZE_MAX : 1 + rng_.below(20);
    limits.user_bytes_max = 1u << 30;  // users are counted in any case
    limits.queue_ttl = seconds{rng_.below(2) * 5};
    for (std::size_t i = 0; i < kSessions; ++i) {
      sessions_[i] = {.user = i % 2 == 0 ? "anna" : "ben", .topic = i < 2 ? "t" : "u"};
      come(i, true);
    }
  }
  void step() {
    const std::size_t i = rng_.below(kSessions);
    Session& session = sessions_[i];
    switch (rng_.below(10)) {
      case 0:
        session.attached ? go(i) : come(i, rng_.below(6) == 0);
        break;
      case 1:
        pass(milliseconds{rng_.below(4'000)});
        break;
      case 2:
        if (!session.attached) break;
        session.credit += 2;
        pump(session);
        core.credit(session.index, 2);
        break;
      case 3:
      case 4:
        settle(session);
        break;
      default:
        publish(rng_.below(2) == 0 ? "t" : "u");
    }
    core.hear_journal();
    check();
  }

 private:
  void come(std::size_t i, bool clean) {
    Session& session = sessions_[i];
    if (clean) session.items.clear();
    session.attached = true;
    auto holder = std::make_unique<Holder>();
    holder->user = session.user;
    const Core::Attached attached =
        core.attach(std::to_string(i), i + 1, clean, 60'000, {}, now, std::move(holder));
    session.index = attached.subscriber;
    if (!attached.session_present) subscribe(session.index, session.topic);
    session.credit = rng_.below(4);
    pump(session);
    core.credit(session.index, static_cast<std::uint32_t>(session.credit + out_of_pump_));
  }
  void go(std::size_t i) {
    Session& session = sessions_[i];
    session.attached = false;
    for (Item& item : session.items) item.out = false;
    core.detach(session.index, {}, true, now);
  }
  void settle(Session& session) {
    const auto out = std::ranges::count(session.items, true, &Item::out);
    if (out == 0) return;
    auto which = rng_.below(static_cast<std::uint64_t>(out));
    const auto item = std::ranges::find_if(
        session.items, [&](const Item& each) { return each.out && which-- == 0; });
    const model::Tag tag = item->tag;
    session.items.erase(item);
    ++session.credit;
    pump(session);
    core.settle(session.index, tag, tag, model::Outcome::kAccept, 1);
  }
  void pass(Duration time) {
    now += time;
    core.set_time(now);
    for (int i = 0; i < 100 && core.next_message_expiry() <= now; ++i) core.expire_messages(now);
    EXPECT_GT(core.next_message_expiry(), now);
    for (Session& session : sessions_) drop_overdue(session);
  }
  void publish(std::string_view topic) {
    const int number = ++last_;
    expires_at = rng_.below(3) == 0 ? now + milliseconds{rng_.below(6'000)} : kNever;
    bool refused = false;
    for (const Session& session : sessions_) {
      if (session.topic != topic || limits.queue_overflow != Overflow::kReject) continue;
      refused = refused || (!goes_direct(session) && full(session) != nullptr);
    }
    if (!refused) {
      for (Session& session : sessions_) {
        if (session.topic == topic) offer(session, number);
      }
    }
    refused_ += refused ? 1 : 0;
    EXPECT_EQ(CoreFixture::publish(topic, std::to_string(number), Guarantee::kAtLeastOnce),
              refused ? Reason::kQuotaExceeded : Reason::kOk);
    core.flush();
  }

  // --- the model ---

  using Counter = std::uint64_t RouterCounters::*;
  [[nodiscard]] std::size_t usage(std::string_view user) const {
    std::size_t sum = 0;
    for (const Session& session : sessions_) sum += session.user == user ? session.waiting() : 0;
    return sum;
  }
  [[nodiscard]] static bool goes_direct(const Session& session) {
    return session.attached && session.waiting() == 0 && session.credit > 0;
  }
  [[nodiscard]] Counter full(const Session& session) const {
    if (session.waiting() >= limits.queue_messages_max) return &RouterCounters::dropped_length;
    if (usage(session.user) >= limits.user_messages_max) return &RouterCounters::dropped_user;
    return nullptr;
  }
  void offer(Session& session, int number) {
    const model::Tag tag = core.subscriber(session.index).queue.next_tag();
    Item item{.number = number, .tag = tag};
    if (goes_direct(session)) {
      --session.credit;
      item.begun = item.out = true;
      session.expected += fmt::format("{}/1 ", number);
      session.items.push_back(item);
      return;
    }
    Counter reason = full(session);
    while (reason != nullptr && limits.queue_overflow == Overflow::kDropHead &&
           session.oldest() != session.items.end()) {
      session.items.erase(session.oldest());
      ++counted_.dropped_head;
      reason = full(session);
    }
    if (reason != nullptr) {
      ++(counted_.*reason);
      return;
    }
    item.due = to_due(expires_at);
    if (limits.queue_ttl > Duration::zero())
      item.due = earlier(item.due, to_due(now + limits.queue_ttl));
    session.items.push_back(item);
    if (session.attached) pump(session);
  }
  void drop_overdue(Session& session) {
    while (session.oldest() != session.items.end() && is_over(session.oldest()->due, due_at(now))) {
      session.items.erase(session.oldest());
      ++counted_.expired;
    }
  }
  void pump(Session& session) {
    out_of_pump_ = 0;
    if (!session.attached) return;
    drop_overdue(session);
    while (session.credit > 0 && session.waiting() > 0) {
      Item& item = *std::ranges::find(session.items, false, &Item::out);
      session.expected += fmt::format("{}/1{} ", item.number, item.begun ? "d" : "");
      item.begun = item.out = true;
      --session.credit;
      ++out_of_pump_;
      drop_overdue(session);
    }
  }
  void check() {
    std::set<int> held;
    for (std::size_t i = 0; i < kSessions; ++i) {
      Session& session = sessions_[i];
      EXPECT_EQ(outlet.take(i + 1), std::exchange(session.expected, {})) << i;
      const Queue& queue = core.subscriber(session.index).queue;
      EXPECT_EQ(queue.waiting(), session.waiting()) << i;
      for (const Item& item : session.items) held.insert(item.number);
    }
    EXPECT_EQ(journal.places(), held.size());
    for (const char* user : {"anna", "ben"}) {
      std::size_t bytes = 0;
      for (const Session& session : sessions_) {
        if (session.user == user) bytes += core.subscriber(session.index).queue.bytes();
      }
      ASSERT_NE(core.usage_of(user), nullptr);
      EXPECT_EQ(core.usage_of(user)->waiting, usage(user));
      EXPECT_EQ(core.usage_of(user)->bytes, bytes);
    }
    const RouterCounters& counters = core.counters();
    EXPECT_EQ(counters.dropped_length, counted_.dropped_length);
    EXPECT_EQ(counters.dropped_user, counted_.dropped_user);
    EXPECT_EQ(counters.dropped_head, counted_.dropped_head);
    EXPECT_EQ(counters.expired, counted_.expired);
    EXPECT_EQ(core.own_counters().refused_full, refused_);
  }

  SeededRng rng_{1};
  std::array<Session, kSessions> sessions_;
  RouterCounters counted_;
  std::uint64_t refused_ = 0;
  std::size_t out_of_pump_ = 0;
  int last_ = 0;
};

class PolicyHistories : public Histories, public testing::WithParamInterface<int> {};

TEST_P(PolicyHistories, AreThoseOfPlainLists) {
  begin(static_cast<std::uint64_t>(GetParam()));
  for (int i = 0; i < 3'000 && !HasFailure(); ++i) step();
}

INSTANTIATE_TEST_SUITE_P(Seeds, PolicyHistories, testing::Range(1, 41));

}  // namespace
}  // namespace hermod::core
