// SPDX-License-Identifier: Apache-2.0
// Client and server session of every version against each other: all qualities of service both
// ways, resumed sessions, aliases and a receive maximum of one.
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "client_peers.hpp"
#include "hermod/testkit/pair.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Answer;
using session::Effect;
using testkit::Host;

// One end with its queue, what outlives a connection, and what came.
struct Side {
  struct Entry {
    std::string topic;
    Guarantee guarantee;
    bool settled = false;
    bool delivered = false;
  };
  std::deque<Entry> queue;
  std::uint32_t credit = 0;
  std::size_t next = 0;
  model::Inflight inflight;
  bool present = false;
  std::vector<std::string> received;

  std::optional<Answer> operator()(Effect& effect) {
    if (const auto* more = std::get_if<session::Credit>(&effect)) credit += more->count;
    if (const auto* settle = std::get_if<session::Settle>(&effect)) {
      credit += settle->credit;
      EXPECT_EQ(settle->outcome, model::Outcome::kAccept);
      for (auto tag = settle->first; tag <= settle->last; ++tag) queue.at(tag).settled = true;
    }
    if (const auto* attach = std::get_if<session::Attach>(&effect)) {
      return Answer{.ticket = attach->ticket,
                    .session_present = present,
                    .expiry_s = attach->expiry_s,
                    .inflight = &inflight};
    }
    if (auto* detach = std::get_if<session::Detach>(&effect)) {
      inflight = std::move(detach->inflight);
    }
    if (const auto* publish = std::get_if<session::Publish>(&effect)) {
      const model::Message& message = publish->message;
      std::string& text = received.emplace_back(message.destination.address);
      text.append("/").append(std::to_string(static_cast<int>(message.guarantee)));
      if (message.properties != nullptr) text.append(message.properties->content_type);
      if (publish->ticket != 0) return Answer{.ticket = publish->ticket};
    }
    return std::nullopt;
  }

  bool pump(Host& host, const model::Properties* properties) {
    const std::size_t before = next;
    for (; next < queue.size(); ++next) {
      Entry& entry = queue[next];
      if (entry.settled) continue;
      if (entry.guarantee == Guarantee::kAtMostOnce) {
        entry.settled = true;
      } else if (credit == 0) {
        break;
      } else {
        --credit;
      }
      model::Message message = message_of(entry.topic, "x", entry.guarantee);
      message.properties = properties;
      const Delivery delivery{.message = &message,
                              .guarantee = entry.guarantee,
                              .redelivered = std::exchange(entry.delivered, true)};
      host.deliver({.items = {&delivery, 1}, .first_tag = next});
    }
    return next != before;
  }
  void fill() {
    for (const char* topic : {"s", "t", "s", "u"}) {
      for (const auto guarantee :
           {Guarantee::kAtMostOnce, Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce}) {
        queue.push_back({topic, guarantee});
      }
    }
  }
  [[nodiscard]] bool done() const {
    return std::ranges::all_of(queue, [](const Entry& entry) { return entry.settled; });
  }
};

std::vector<std::string> all_of_them(std::string_view suffix) {
  std::vector<std::string> out;
  for (const char* topic : {"s", "t", "s", "u"}) {
    for (const char* qos : {"/0", "/1", "/2"}) {
      out.emplace_back(topic).append(qos).append(suffix);
    }
  }
  return out;
}

class PairOfVersion : public testing::TestWithParam<Version> {
 protected:
  ClientOptions options() const {
    ClientOptions options{.version = GetParam(), .client_id = "me", .clean_session = false};
    options.session_expiry_s = UINT32_MAX;
    return options;
  }
  /// One connection of both ends, that breaks after `budget` octets.
  void connection(const ClientOptions& options, std::size_t budget = SIZE_MAX) {
    const session::SessionLimits limits = limits_;
    ServerSession server_session(limits);
    ClientSession client_session(options, std::move(client_.inflight));
    testkit::Pair pair(client_session, server_session);
    pair.client().answer_with(std::ref(client_));
    pair.server().answer_with(std::ref(server_));
    for (Side* side : {&client_, &server_}) {
      side->credit = 0;
      side->next = 0;
    }
    pair.break_after(budget);
    pair.open();
    const model::Properties properties{.content_type = "!"};
    const bool v5 = GetParam() == Version::kV5;
    const auto pump = [&](Side& side, Host& host) {
      return side.pump(host, v5 ? &properties : nullptr);
    };
    while (!pair.closed() && (pump(client_, pair.client()) || pump(server_, pair.server()))) {
      pair.run();
    }
    EXPECT_EQ(pair.closed(), budget != SIZE_MAX);
    pair.cut();
    client_.inflight = client_session.take_inflight();
    server_.present = true;
  }
  [[nodiscard]] static std::string_view suffix() { return GetParam() == Version::kV5 ? "!" : ""; }

  session::SessionLimits limits_;
  Side client_;
  Side server_;
};

TEST_P(PairOfVersion, EveryQualityOfServiceBothWays) {
  client_.fill();
  server_.fill();
  connection(options());
  EXPECT_EQ(server_.received, all_of_them(suffix()));
  EXPECT_EQ(client_.received, all_of_them(suffix()));
  EXPECT_TRUE(client_.done() && server_.done());
  EXPECT_TRUE(client_.inflight.empty() && server_.inflight.empty());
}

TEST_P(PairOfVersion, OneMessageAtATime) {
  limits_.inflight_max = 1;
  ClientOptions options = this->options();
  options.receive_max = 1;
  if (GetParam() != Version::kV5) options.inflight_max = 1;
  client_.fill();
  server_.fill();
  connection(options);
  EXPECT_EQ(server_.received, all_of_them(suffix()));
  EXPECT_EQ(client_.received, all_of_them(suffix()));
}

TEST_P(PairOfVersion, AliasesBothWaysInTwoConnections) {
  limits_.topic_alias_max = 2;  // of three topics
  ClientOptions options = this->options();
  options.topic_alias_max = 2;
  options.own_topic_alias_max = 2;
  for (int i = 0; i < 2; ++i) {
    client_.fill();
    server_.fill();
    connection(options);
    EXPECT_EQ(server_.received, all_of_them(suffix()));
    EXPECT_EQ(client_.received, all_of_them(suffix()));
    client_.received.clear();
    server_.received.clear();
  }
}

TEST_P(PairOfVersion, AResumedSessionLosesNothingAndRepeatsNothingOfExactlyOnce) {
  for (std::size_t budget = 1; budget < 500; ++budget) {
    client_ = {};
    server_ = {};
    for (int i = 0; i < 5; ++i) {
      client_.queue.push_back({std::to_string(i), Guarantee::kExactlyOnce});
      server_.queue.push_back({std::to_string(i), Guarantee::kExactlyOnce});
    }
    limits_.inflight_max = 2;
    connection(options(), budget);
    const bool over = client_.done() && server_.done();
    connection(options());
    ASSERT_TRUE(client_.done() && server_.done()) << budget;
    ASSERT_EQ(client_.received.size(), 5u) << budget;
    ASSERT_EQ(server_.received.size(), 5u) << budget;
    ASSERT_TRUE(client_.inflight.empty() && server_.inflight.empty()) << budget;
    if (over) break;
  }
}

std::string name_of(const testing::TestParamInfo<Version>& version) {
  switch (version.param) {
    case Version::kV31:
      return "V31";
    case Version::kV311:
      return "V311";
    default:
      return "V5";
  }
}
INSTANTIATE_TEST_SUITE_P(Mqtt, PairOfVersion,
                         testing::Values(Version::kV31, Version::kV311, Version::kV5), name_of);

}  // namespace
}  // namespace hermod::mqtt
