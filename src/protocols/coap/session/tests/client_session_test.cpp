// SPDX-License-Identifier: Apache-2.0
// The client role: against datagrams written by hand, and against the server role.
#include "hermod/coap/session/client_session.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "client_script.hpp"
#include "hermod/coap/session/server_session.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum model::Reason;

class ClientSessionTest : public ClientTest {
 protected:
  ClientSessionTest()
      : ClientTest(path_of_topic("a/b"), {.response_timeout = seconds{30}, .requests_max = 4}) {}
};

// --- requests ---

//   CON GET #s0 ->
//               <- ACK 2.05 #s0
TEST_F(ClientSessionTest, CompletesWithThePiggybackedResponse) {
  EXPECT_TRUE(request({.path = path}, 5));
  EXPECT_EQ(server.sent(),
            "CON 0.01 #s0 t:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' Uri-Path:'b'");
  acknowledges_with(0, {.code = code::kContent, .payload = "x"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'x'");
  EXPECT_EQ(session.open(), 0u);
  server.after(seconds{100});
  EXPECT_EQ(server.sent(), "");
}

TEST_F(ClientSessionTest, WritesEveryPartOfARequest) {
  const std::vector<std::string> query{"x=1"};
  EXPECT_TRUE(request({.method = code::kPut,
                       .path = path,
                       .query = query,
                       .uri_host = "h",
                       .payload = as_bytes("v"),
                       .content_format = ContentFormat::kJson,
                       .accept = ContentFormat::kCbor,
                       .max_age_s = 9,
                       .confirmable = false},
                      5));
  EXPECT_EQ(server.sent(),
            "NON 0.03 #s0 t:0 Uri-Host:'h' Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' "
            "Uri-Path:'b' Content-Format:50 Max-Age:9 Uri-Query:'x=1' Accept:60 'v'");
}

// RFC 7252 §5.3.2: token and message id have to match.
TEST_F(ClientSessionTest, IgnoresForeignAcknowledgements) {
  EXPECT_TRUE(request({.path = path}, 5));
  (void)server.sent();
  responds({.type = Type::kAck, .code = code::kContent, .id = server.own_id(1)});
  server.sends(
      {.type = Type::kAck, .code = code::kContent, .id = server.own_id(0), .token = "12345678"});
  server.sends({.type = Type::kAck, .code = code::kContent, .id = server.own_id(0), .token = ""});
  EXPECT_EQ(server.wants(), "");
  EXPECT_EQ(server.sent(), "");
  EXPECT_EQ(session.open(), 1u);
}

TEST_F(ClientSessionTest, TellsWhyARequestFailed) {
  EXPECT_TRUE(request({.path = path}, 5));
  (void)server.sent();
  acknowledges_with(0, {.code = code::kForbidden, .payload = "no"});
  EXPECT_EQ(server.wants(), "Completed 5 not authorized 4.03 'no'");
}

// RFC 7252 §4.2.
TEST_F(ClientSessionTest, RepeatsAndGivesUp) {
  EXPECT_TRUE(request({.path = path}, 5));
  server.after(seconds{94});
  std::size_t count = 1;
  for (const char c : server.sent()) count += c == '|' ? 1 : 0;
  EXPECT_EQ(count, 5u);
  EXPECT_EQ(server.wants(), "Completed 5 timed out 0.00");
}

TEST_F(ClientSessionTest, ResetEndsARequest) {
  EXPECT_TRUE(request({.path = path}, 5));
  (void)server.sent();
  server.resets(0);
  EXPECT_EQ(server.wants(), "Completed 5 closed by the peer 0.00");
}

//   CON GET #s0 ->
//               <- ACK 0.00 #s0
//               <- CON 2.05 #900          RFC 7252 §5.2.2
//   ACK #900    ->
//               <- CON 2.05 #900          the Acknowledgement was lost
//   ACK #900    ->
TEST_F(ClientSessionTest, WaitsForASeparateResponse) {
  EXPECT_TRUE(request({.path = path}, 5));
  (void)server.sent();
  server.acknowledges(0);
  server.after(seconds{20});
  EXPECT_EQ(server.sent(), "");
  responds({.code = code::kContent, .id = 900, .payload = "x"});
  EXPECT_EQ(server.sent(), "ACK 0.00 #900");
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'x'");
  responds({.code = code::kContent, .id = 900, .payload = "x"});
  EXPECT_EQ(server.sent(), "ACK 0.00 #900");
  EXPECT_EQ(server.wants(), "");
}

TEST_F(ClientSessionTest, TakesASeparateResponseForTheAcknowledgement) {
  EXPECT_TRUE(request({.path = path}, 5));
  (void)server.sent();
  responds({.type = Type::kNon, .code = code::kContent, .id = 900, .payload = "x"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'x'");
  server.after(seconds{100});
  EXPECT_EQ(server.sent(), "");
}

TEST_F(ClientSessionTest, GivesUpOnAResponseThatDoesNotCome) {
  EXPECT_TRUE(request({.path = path}, 5));
  (void)server.sent();
  server.acknowledges(0);
  server.after(seconds{30});
  EXPECT_EQ(server.wants(), "Completed 5 timed out 0.00");
  EXPECT_TRUE(request({.path = path, .confirmable = false}, 6));
  EXPECT_EQ(server.sent().substr(0, 3), "NON");
  server.after(seconds{30});
  EXPECT_EQ(server.sent(), "");  // never repeated
  EXPECT_EQ(server.wants(), "Completed 6 timed out 0.00");
}

// RFC 7252 §4.7: NSTART outstanding interactions.
TEST_F(ClientSessionTest, SendsOneRequestAfterTheOther) {
  for (const session::Ticket ticket : {1, 2, 3}) EXPECT_TRUE(request({.path = path}, ticket));
  EXPECT_EQ(server.sent().substr(0, 16), "CON 0.01 #s0 t:0");
  acknowledges_with(0, {.code = code::kNotFound});
  EXPECT_EQ(server.sent().substr(0, 16), "CON 0.01 #s1 t:1");
  server.acknowledges(1);  // answered separately, later
  EXPECT_EQ(server.sent().substr(0, 16), "CON 0.01 #s2 t:2");
  EXPECT_EQ(server.wants(), "Completed 1 not found 4.04");
}

TEST_F(ClientSessionTest, BoundsWhatIsUnderWay) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(request({.path = path}, 1));
  EXPECT_FALSE(request({.path = path}, 1));
  EXPECT_EQ(session.open(), 4u);
}

// RFC 7252 §4.2, §4.3, §5.4.1.
TEST_F(ClientSessionTest, RejectsWhatItDidNotAskFor) {
  server.octets("40000001");                    // ping
  server.octets("40010002");                    // a request
  server.octets("40450003");                    // a response to nothing
  server.octets("48450004 0000 a1a2a3a4a5a6");  // with a token of no request
  server.octets("50450005");                    // Non-confirmable
  server.octets("49450006");                    // malformed
  EXPECT_EQ(server.sent(),
            "RST 0.00 #1 | RST 0.00 #2 | RST 0.00 #3 | RST 0.00 #4 | RST 0.00 #5 | RST 0.00 #6");
  EXPECT_TRUE(request({.path = path}, 5));
  (void)server.sent();
  responds({.code = code::kContent, .id = 900, .odd_option = 25});  // critical
  EXPECT_EQ(server.sent(), "RST 0.00 #900");
  EXPECT_EQ(server.wants(), "");
}

TEST_F(ClientSessionTest, CompletesEverythingOnClose) {
  EXPECT_TRUE(request({.path = path}, 1));
  EXPECT_TRUE(request({.path = path}, 2));
  server.closes(kShutdown);
  EXPECT_EQ(server.wants(), "Completed 1 shutting down 0.00 | Completed 2 shutting down 0.00");
  EXPECT_EQ(session.next_deadline(), kNever);
}

// --- messages of the application ---

TEST_F(ClientSessionTest, PutsDeliveries) {
  const model::Properties json{.content_type = "application/json"};
  model::Message message = value_of("a", "{}");
  message.properties = &json;
  message.expires_at = server.now + seconds{60};
  const model::Message cleared = value_of("a", "");
  const std::array<model::Delivery, 3> items{
      model::Delivery{.message = &message, .guarantee = model::Guarantee::kAtLeastOnce},
      model::Delivery{.message = &cleared, .guarantee = model::Guarantee::kExactlyOnce},
      model::Delivery{.message = &message}};
  server.run([&](session::Effects& effects) {
    session.on_deliveries({.items = items, .first_tag = 40}, server.now, effects);
  });
  EXPECT_EQ(server.sent(),
            "CON 0.03 #s0 t:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' Content-Format:50 "
            "Max-Age:60 '{}'");
  acknowledges_with(0, {.code = code::kChanged});
  EXPECT_EQ(server.wants(), "Settle 40-40 0 +1");
  EXPECT_EQ(server.sent(), "CON 0.04 #s1 t:1 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a'");
  acknowledges_with(1, {.code = code::kForbidden}, 1);
  EXPECT_EQ(server.wants(), "Settle 41-41 2 +1");
  EXPECT_EQ(server.sent().substr(0, 16), "NON 0.03 #s2 t:2");
  responds({.type = Type::kNon, .code = code::kChanged, .id = 900}, 2);
  EXPECT_EQ(server.wants(), "");  // at most once: over when it was sent
}

TEST_F(ClientSessionTest, ReleasesWhatWasNotAnswered) {
  const model::Message message = value_of("a", "x");
  const std::array<model::Delivery, 1> items{
      model::Delivery{.message = &message, .guarantee = model::Guarantee::kAtLeastOnce}};
  server.run([&](session::Effects& effects) {
    session.on_deliveries({.items = items, .first_tag = 40}, server.now, effects);
  });
  server.after(seconds{94});
  EXPECT_EQ(server.wants(), "Settle 40-40 1 +1");
}

// --- observing ---

class ClientObserveTest : public ClientSessionTest {
 protected:
  void observes(std::string_view value, std::uint32_t max_age = 60) {
    ASSERT_TRUE(request({.path = path, .observe = true}, 5));
    ASSERT_EQ(server.sent(),
              "CON 0.01 #s0 t:0 Observe:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' "
              "Uri-Path:'b'");
    acknowledges_with(
        0, {.code = code::kContent, .observe = 100, .max_age = max_age, .payload = value});
  }
  void notifies(std::uint32_t sequence, std::string_view value, Type type = Type::kNon,
                std::uint16_t id = 900) {
    responds({.type = type,
              .code = code::kContent,
              .id = id,
              .observe = sequence,
              .max_age = 60,
              .payload = value});
  }
};

TEST_F(ClientObserveTest, PublishesEachNewerNotification) {
  observes("1");
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 | Publish a/b retain q1 '1'");
  notifies(101, "2");
  notifies(103, "4");
  notifies(102, "3");  // overtaken: RFC 7641 §3.4
  notifies(103, "4");  // duplicated
  EXPECT_EQ(server.wants(), "Publish a/b q0 '2' | Publish a/b q0 '4'");
  notifies(104, "5", Type::kCon, 901);
  notifies(104, "5", Type::kCon, 901);
  EXPECT_EQ(server.sent(), "ACK 0.00 #901 | ACK 0.00 #901");
  EXPECT_EQ(server.wants(), "Publish a/b q1 '5'");
}

TEST_F(ClientObserveTest, TakesAnEmptyFirstResponseForNoValue) {
  observes("");
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05");
  notifies(101, "");
  EXPECT_EQ(server.wants(), "Publish a/b q0 ''");
}

TEST_F(ClientObserveTest, TellsWhenTheServerDoesNotObserve) {
  ASSERT_TRUE(request({.path = path, .observe = true}, 5));
  (void)server.sent();
  acknowledges_with(0, {.code = code::kContent, .payload = "1"});
  EXPECT_EQ(server.wants(), "Completed 5 not supported 2.05 '1'");
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(ClientObserveTest, AnErrorEndsIt) {
  observes("1");
  (void)server.wants();
  responds({.code = code::kNotFound, .id = 901});
  EXPECT_EQ(server.sent(), "ACK 0.00 #901");
  EXPECT_EQ(server.wants(), "Completed 5 not found 4.04");
  notifies(102, "2", Type::kCon, 902);
  EXPECT_EQ(server.sent(), "RST 0.00 #902");
}

// RFC 7641 §3.6: the same request with Observe 1.
TEST_F(ClientObserveTest, Cancels) {
  observes("1");
  (void)server.wants();
  EXPECT_FALSE(cancel(6));
  EXPECT_TRUE(cancel(5));
  EXPECT_FALSE(cancel(5));
  EXPECT_EQ(server.sent(),
            "CON 0.01 #s1 t:0 Observe:1 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' "
            "Uri-Path:'b'");
  notifies(101, "2", Type::kCon, 901);  // was on its way
  EXPECT_EQ(server.sent(), "ACK 0.00 #901");
  EXPECT_EQ(server.wants(), "");
  acknowledges_with(1, {.code = code::kContent, .payload = "2"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05");
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(ClientObserveTest, CancelsBeforeTheRegistrationIsAnswered) {
  ASSERT_TRUE(request({.path = path, .observe = true}, 5));
  (void)server.sent();
  EXPECT_TRUE(cancel(5));
  EXPECT_EQ(server.sent().substr(0, 26), "CON 0.01 #s1 t:0 Observe:1");
  acknowledges_with(1, {.code = code::kNotFound});
  EXPECT_EQ(server.wants(), "Completed 5 ok 4.04");
}

// RFC 7641 §3.3.1: when Max-Age is over for 5 to 15 seconds, register again with the same token.
TEST_F(ClientObserveTest, RenewsWhatIsStale) {
  observes("1", 60);
  (void)server.wants();
  server.after(seconds{65} - milliseconds{1});
  EXPECT_EQ(server.sent(), "");
  server.after(seconds{10});
  EXPECT_EQ(server.sent().substr(0, 26), "CON 0.01 #s1 t:0 Observe:0");
  notifies(150, "1");  // meanwhile: not the answer
  acknowledges_with(1, {.code = code::kContent, .observe = 200, .max_age = 60, .payload = "1"});
  EXPECT_EQ(server.wants(), "Publish a/b q0 '1'");  // once: the renewal brought nothing new
  server.after(seconds{75});
  EXPECT_EQ(server.sent().substr(0, 26), "CON 0.01 #s2 t:0 Observe:0");
  acknowledges_with(2, {.code = code::kContent, .observe = 300, .max_age = 60, .payload = "2"});
  EXPECT_EQ(server.wants(), "Publish a/b q1 '2'");
  // the server is gone
  server.after(seconds{75 + 94});
  EXPECT_EQ(server.wants(), "Completed 5 timed out 0.00");
}

TEST_F(ClientObserveTest, NotificationsPutRenewalOff) {
  observes("1", 60);
  for (int i = 0; i < 10; ++i) {
    server.after(seconds{50});
    notifies(static_cast<std::uint32_t>(101 + i), "x");
  }
  EXPECT_EQ(server.sent(), "");
}

TEST_F(ClientObserveTest, ObservesNonConfirmably) {
  ASSERT_TRUE(request({.path = path, .confirmable = false, .observe = true}, 5));
  EXPECT_EQ(server.sent().substr(0, 3), "NON");
  notifies(100, "1");
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 | Publish a/b retain q0 '1'");
  server.after(seconds{75});
  EXPECT_EQ(server.sent().substr(0, 26), "NON 0.01 #s1 t:0 Observe:0");
  notifies(200, "2", Type::kNon, 901);
  EXPECT_EQ(server.wants(), "Publish a/b q0 '2'");
  server.after(seconds{50});
  EXPECT_EQ(server.wants(), "");
}

// --- both roles ---

// A client and a server session, with a hub of one topic between deliveries and lookups. Datagrams
// are lost as `lose` says.
class PairTest : public ::testing::Test {
 protected:
  PairTest() : client_rng(1), server_rng(2) {}

  void exchange() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& octets : std::exchange(client.wire.sent, {})) {
        moved = true;
        if (!lose()) server.datagram(std::move(octets));
      }
      for (auto& record : std::exchange(server.list, {})) {
        moved = true;
        serve(record.effect);
      }
      for (auto& octets : std::exchange(server.wire.sent, {})) {
        moved = true;
        if (!lose()) client.datagram(std::move(octets));
      }
    }
  }
  void serve(const session::Effect& effect) {
    session::Answer answer;
    if (const auto* attach = std::get_if<session::Attach>(&effect)) {
      answer.ticket = attach->ticket;
    } else if (const auto* lookup = std::get_if<session::Lookup>(&effect)) {
      answer = {.ticket = lookup->ticket, .reason = value ? kOk : kNotFound};
      if (value) answer.value = &*value;
    } else if (const auto* subscribe = std::get_if<session::Subscribe>(&effect)) {
      answer.ticket = subscribe->ticket;
      subscribed = true;
    } else if (const auto* unsubscribe = std::get_if<session::Unsubscribe>(&effect)) {
      answer.ticket = unsubscribe->ticket;
      subscribed = false;
    } else if (const auto* publish = std::get_if<session::Publish>(&effect)) {
      answer.ticket = publish->ticket;
      publish_value(publish->message);
    } else {
      return;
    }
    server.run([&](session::Effects& effects) {
      server_session.on_answers({&answer, 1}, server.now, effects);
    });
  }
  void publish_value(model::Message message) {
    message.version = ++version;
    const model::MessageRef kept = message.own();
    if (message.retain) value = message.payload.empty() ? model::MessageRef{} : kept;
    if (subscribed) server.delivers(*kept);
  }
  void publish_text(const std::string& payload) {
    publish_value(value_of("a", payload));
    exchange();
  }
  void after(Duration duration) {
    const Instant end = client.now + duration;
    while (client.now < end) {
      client.after(milliseconds{100});
      server.after(milliseconds{100});
      exchange();
    }
  }
  bool lose() { return loss_percent > 0 && loss_rng.below(100) < loss_percent; }

  SeededRng client_rng, server_rng, loss_rng{3};
  std::uint64_t loss_percent = 0;
  ClientSettings client_settings;
  Settings server_settings;
  session::SessionLimits limits;
  ClientSession client_session{client_settings, client_rng};
  ServerSession server_session{server_settings, {.limits = &limits, .rng = &server_rng}};
  Script client{client_session};
  Script server{server_session};
  model::MessageRef value;
  std::uint64_t version = 0;
  bool subscribed = false;
  const std::vector<std::string> path = path_of_topic("a");
};

TEST_F(PairTest, PutGetDelete) {
  const auto request = [&](ClientRequest what, session::Ticket ticket) {
    client.run([&](session::Effects& effects) {
      EXPECT_TRUE(client_session.request(what, ticket, client.now, effects));
    });
    exchange();
  };
  (void)client.wants();
  request({.method = code::kPut, .path = path, .payload = as_bytes("34.5")}, 1);
  request({.path = path}, 2);
  request({.method = code::kPut, .path = path, .payload = as_bytes("35")}, 3);
  request({.method = code::kDelete, .path = path}, 4);
  request({.path = path}, 5);
  EXPECT_EQ(client.wants(),
            "Completed 1 ok 2.01 | Completed 2 ok 2.05 '34.5' | Completed 3 ok 2.04 | "
            "Completed 4 ok 2.02 | Completed 5 not found 4.04");
}

// RFC 7641 §4.5: whatever is lost, the observer sees values in order and ends up with the latest,
// unless so much was lost in a row that the server took it for gone.
TEST_F(PairTest, ObserverSeesTheLatestValueInSpiteOfLoss) {
  int complete = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    loss_rng = SeededRng(seed);
    client.run([&](session::Effects& effects) {
      EXPECT_TRUE(client_session.request({.path = path, .observe = true}, 1, client.now, effects));
    });
    exchange();
    loss_percent = 20;
    for (int i = 1; i <= 40; ++i) {
      publish_text(std::to_string(i + 100));
      after(milliseconds{100});
    }
    publish_text("999");
    after(seconds{100});  // repetitions, and a renewal by the client
    loss_percent = 0;

    std::string last;
    for (const session::EffectRecord& record : client.list) {
      if (const auto* publish = std::get_if<session::Publish>(&record.effect)) {
        const std::string payload(as_text(publish->message.payload));
        EXPECT_GT(payload, last);  // also: nothing twice
        last = payload;
      }
    }
    (void)client.wants();
    if (last == "999") {
      ++complete;
    } else {
      EXPECT_FALSE(subscribed) << last;
    }
    client.closes(kOk);
    value = {};
    publish_value(value_of("a", ""));  // ends what the server still observes
    after(seconds{300});
    (void)client.wants();
  }
  EXPECT_GE(complete, 45);
}

}  // namespace
}  // namespace hermod::coap::test
