// SPDX-License-Identifier: Apache-2.0
// Client and server session against each other, with connections that break anywhere: at least once
// and exactly once hold from end to end (MQTT 3.1.1 §4.3, §4.4).
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "hermod/testkit/pair.hpp"
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Answer;
using session::Effect;
using testkit::Host;

// A queue as core keeps one for a subscriber: messages by tag until they are settled.
class Backlog {
 public:
  void push(std::string payload, Guarantee guarantee) {
    entries_.push_back({std::move(payload), guarantee});
  }
  void execute(const Effect& effect) {
    if (const auto* credit = std::get_if<session::Credit>(&effect)) credit_ += credit->count;
    if (const auto* settle = std::get_if<session::Settle>(&effect)) {
      credit_ += settle->credit;
      for (model::Tag tag = settle->first; tag <= settle->last; ++tag) {
        entries_.at(tag).settled = true;
      }
    }
  }
  void restart() {
    credit_ = 0;
    next_ = 0;
  }
  // Delivers what credit allows; true when it did something.
  bool pump(Host& host) {
    const std::size_t before = next_;
    for (; next_ < entries_.size(); ++next_) {
      Entry& entry = entries_[next_];
      if (entry.settled) continue;
      if (entry.guarantee == Guarantee::kAtMostOnce) {
        entry.settled = true;
      } else if (credit_ == 0) {
        break;
      } else {
        --credit_;
      }
      const model::Message message = message_of("t", entry.payload, entry.guarantee);
      const Delivery delivery{.message = &message,
                              .guarantee = entry.guarantee,
                              .redelivered = std::exchange(entry.delivered, true)};
      host.deliver({.items = {&delivery, 1}, .first_tag = next_});
    }
    return next_ != before;
  }
  [[nodiscard]] bool done() const {
    return std::ranges::all_of(entries_, [](const Entry& entry) { return entry.settled; });
  }

 private:
  struct Entry {
    std::string payload;
    Guarantee guarantee;
    bool settled = false;
    bool delivered = false;
  };
  std::deque<Entry> entries_;
  std::uint32_t credit_ = 0;
  std::size_t next_ = 0;
};

// One end: what outlives its connections, and what it has received.
struct End {
  Backlog backlog;
  model::Inflight inflight;
  std::vector<std::string> received;

  std::optional<Answer> operator()(Effect& effect) {
    backlog.execute(effect);
    if (const auto* attach = std::get_if<session::Attach>(&effect)) {
      return Answer{.ticket = attach->ticket, .session_present = true, .inflight = &inflight};
    }
    if (auto* detach = std::get_if<session::Detach>(&effect)) {
      inflight = std::move(detach->inflight);
    }
    if (const auto* publish = std::get_if<session::Publish>(&effect)) {
      received.emplace_back(as_text(publish->message.payload));
      if (publish->ticket != 0) return Answer{.ticket = publish->ticket};
    }
    return std::nullopt;
  }
};

// One connection of the two ends that breaks after `budget` octets. True when all is settled.
bool connection(End& client, End& server, std::size_t budget, std::size_t piece) {
  const session::SessionLimits limits = limits_with([](auto& l) { l.inflight_max = 3; });
  ServerSession server_session(limits);
  ClientSession client_session({.client_id = "me", .clean_session = false, .inflight_max = 3},
                               std::move(client.inflight));
  testkit::Pair pair(client_session, server_session);
  pair.client().answer_with(std::ref(client));
  pair.server().answer_with(std::ref(server));
  client.backlog.restart();
  server.backlog.restart();
  pair.break_after(budget);
  pair.open();
  while (!pair.closed() &&
         (client.backlog.pump(pair.client()) || server.backlog.pump(pair.server()))) {
    pair.run(piece);
  }
  pair.cut();
  client.inflight = client_session.take_inflight();
  return client.backlog.done() && server.backlog.done();
}

void fill(Backlog& backlog, Guarantee guarantee) {
  for (int i = 0; i < 7; ++i) backlog.push(std::to_string(i), guarantee);
}

// The final copies are in order, none is missing; true when there were no others.
bool complete(const std::vector<std::string>& received) {
  std::vector<std::string> rest = received;
  int at = 6;
  while (!rest.empty() && at >= 0) {
    if (rest.back() == std::to_string(at)) --at;
    rest.pop_back();
  }
  EXPECT_EQ(at, -1) << "a message is lost or out of order";
  return received.size() == 7;
}

TEST(Pair, ExactlyOnceWhereverTheConnectionBreaks) {
  for (std::size_t budget = 1; budget < 400; ++budget) {
    for (const std::size_t piece : {std::size_t{1}, SIZE_MAX}) {
      End client;
      End server;
      fill(client.backlog, Guarantee::kExactlyOnce);
      fill(server.backlog, Guarantee::kExactlyOnce);
      (void)connection(client, server, budget, piece);
      (void)connection(client, server, budget / 2 + 20, piece);
      ASSERT_TRUE(connection(client, server, SIZE_MAX, piece)) << budget;
      ASSERT_TRUE(complete(client.received)) << budget;
      ASSERT_TRUE(complete(server.received)) << budget;
      ASSERT_TRUE(client.inflight.empty()) << budget;
      ASSERT_TRUE(server.inflight.empty()) << budget;
    }
  }
}

TEST(Pair, AtLeastOnceWhereverTheConnectionBreaks) {
  for (std::size_t budget = 1; budget < 300; ++budget) {
    End client;
    End server;
    fill(client.backlog, Guarantee::kAtLeastOnce);
    fill(server.backlog, Guarantee::kAtLeastOnce);
    (void)connection(client, server, budget, SIZE_MAX);
    ASSERT_TRUE(connection(client, server, SIZE_MAX, SIZE_MAX)) << budget;
    (void)complete(client.received);
    (void)complete(server.received);
    ASSERT_TRUE(client.inflight.empty()) << budget;
    ASSERT_TRUE(server.inflight.empty()) << budget;
  }
}

TEST(Pair, AQuietConnectionIsKeptAliveByPings) {
  const session::SessionLimits limits;
  ServerSession server_session(limits);
  ClientSession client_session({.client_id = "me", .clean_session = false, .keep_alive_s = 10});
  End client;
  End server;
  testkit::Pair pair(client_session, server_session);
  pair.client().answer_with(std::ref(client));
  pair.server().answer_with(std::ref(server));
  pair.open();
  for (int i = 0; i < 100; ++i) pair.after(5s);
  EXPECT_FALSE(pair.closed());
}

TEST(Pair, DisconnectEndsBothSides) {
  const session::SessionLimits limits;
  ServerSession server_session(limits);
  ClientSession client_session({.client_id = "me", .clean_session = false});
  End client;
  End server;
  testkit::Pair pair(client_session, server_session);
  pair.client().answer_with(std::ref(client));
  pair.server().answer_with(std::ref(server));
  pair.open();
  pair.client().run(
      [&](session::Effects& effects) { client_session.disconnect(pair.clock().now(), effects); });
  pair.run();
  EXPECT_TRUE(pair.client().closed());
  EXPECT_TRUE(pair.server().closed());
  EXPECT_EQ(pair.server().close_wanted(), Reason::kOk);
}

}  // namespace
}  // namespace hermod::mqtt
