// SPDX-License-Identifier: Apache-2.0
// Requests and the message layer of a server session. Observing: server_observe_test.cpp.
#include "hermod/coap/session/server_session.hpp"

#include <gtest/gtest.h>

#include "hermod/coap/session/plugin.hpp"
#include "hermod/testkit/allocations.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum model::Reason;

class ServerSessionTest : public ::testing::Test {
 protected:
  // The session asks for the value of `a`, and there is none.
  void looks_up_nothing() {
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers(0, kNotFound);
  }

  Settings settings{.requests_max = 8};
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
};

// --- message layer ---

//   peer                 session
//    | CON 0.00 #1  ------> |   "CoAP ping", RFC 7252 §4.3
//    | <------ RST 0.00 #1  |
TEST_F(ServerSessionTest, AnswersAPingWithReset) {
  peer.octets("40000001");
  EXPECT_EQ(peer.sent(), "RST 0.00 #1");
}

// RFC 7252 §4.2: a Confirmable message with a format error is rejected, anything else is not
// answered. §3: another version is ignored in silence.
TEST_F(ServerSessionTest, RejectsMalformedConfirmableMessages) {
  peer.octets("40010007ff");  // marker without payload
  peer.octets("4f010008a1");  // token length 15
  peer.octets("40010009bf");  // length 15
  peer.octets("4000000a01");  // an Empty message that is not empty
  EXPECT_EQ(peer.sent(), "RST 0.00 #7 | RST 0.00 #8 | RST 0.00 #9 | RST 0.00 #10");
  peer.octets("50010007ff");  // Non-confirmable
  peer.octets("60450007ff");  // Acknowledgement
  peer.octets("70000007ff");  // Reset
  peer.octets("80010007");    // version 2
  peer.octets("c0010007");    // version 3
  peer.octets("400100");      // shorter than a header
  peer.octets("");
  EXPECT_EQ(peer.sent(), "");
  EXPECT_EQ(peer.wants(), "");
}

// RFC 7252 §4.2, §4.3 and Table 1: reserved classes, responses nobody asked for, requests in
// Acknowledgements.
TEST_F(ServerSessionTest, RejectsWhatHasNoContext) {
  peer.octets("40200001");  // CON 1.00
  peer.octets("40c00002");  // CON 6.00
  peer.octets("40450003");  // CON 2.05
  peer.octets("50000004");  // NON 0.00
  peer.octets("50450005");  // NON 2.05
  EXPECT_EQ(peer.sent(), "RST 0.00 #1 | RST 0.00 #2 | RST 0.00 #3 | RST 0.00 #4 | RST 0.00 #5");
  peer.octets("60010006");  // ACK with a request
  peer.octets("60450007");  // ACK for nothing
  peer.octets("70000008");  // RST for nothing
  peer.octets("70450009");  // RST with a response
  EXPECT_EQ(peer.sent(), "");
  EXPECT_EQ(peer.wants(), "");
}

// --- GET ---

//   CON GET /ps/data/a ->     Lookup a
//                      <- ACK 2.05, the Acknowledgement carries the response: RFC 7252 §5.2.1
TEST_F(ServerSessionTest, ReadsTheRetainedValue) {
  peer.sends({.id = 7, .token = "tok"});
  EXPECT_EQ(peer.wants(), "Lookup a");
  EXPECT_EQ(peer.sent(), "");
  peer.answers_value(0, value_of("a", "34.5", 0x1234));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:tok ETag:1234 '34.5'");
}

// RFC 7252 §5.2.3: a Non-confirmable request has a Non-confirmable response, with its own id.
TEST_F(ServerSessionTest, AnswersNonConfirmableAlike) {
  peer.sends({.type = Type::kNon, .id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:t '1'");
}

TEST_F(ServerSessionTest, KnowsNoValue) {
  peer.sends({.id = 7, .token = ""});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #7");
}

TEST_F(ServerSessionTest, SaysWhyAValueCannotBeRead) {
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotAuthorized);
  EXPECT_EQ(peer.sent(), "ACK 4.03 #7 t:t");
  peer.sends({.id = 8});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kUnavailable);
  EXPECT_EQ(peer.sent(), "ACK 5.03 #8 t:t");
}

TEST_F(ServerSessionTest, DescribesTheValue) {
  const model::Properties properties{.content_type = "application/json"};
  model::Message value = value_of("a", "{}", 1);
  value.properties = &properties;
  value.expires_at = peer.now + seconds{30};
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t ETag:01 Content-Format:50 Max-Age:30 '{}'");
}

// RFC 7252 §5.10.4.
TEST_F(ServerSessionTest, NegotiatesTheFormat) {
  const model::Properties properties{.content_type = "application/json"};
  model::Message value = value_of("a", "{}");
  value.properties = &properties;
  peer.sends({.id = 7, .accept = 50});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t Content-Format:50 '{}'");
  peer.sends({.id = 8, .accept = 60});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value);
  EXPECT_EQ(peer.sent(), "ACK 4.06 #8 t:t");
}

// RFC 7252 §5.10.6.2, §5.9.1.3: 2.03 echoes the tag and has no payload.
TEST_F(ServerSessionTest, ValidatesWhatThePeerHas) {
  peer.sends({.id = 7, .etags = {"x", "\x12\x34"}});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "34.5", 0x1234));
  EXPECT_EQ(peer.sent(), "ACK 2.03 #7 t:t ETag:1234");
  peer.sends({.id = 8, .etags = {"x", "\x12\x34"}});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "35", 0x1235));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #8 t:t ETag:1235 '35'");
}

// GET is executed again: RFC 7252 §4.5 allows it, and it costs no memory.
TEST_F(ServerSessionTest, ReadsAgainForADuplicate) {
  for (const char* value : {"1", "2"}) {
    peer.sends({.id = 7});
    EXPECT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value_of("a", value));
    EXPECT_EQ(peer.sent(), fmt::format("ACK 2.05 #7 t:t '{}'", value));
  }
}

TEST_F(ServerSessionTest, IgnoresADuplicateInProgress) {
  peer.sends({.id = 7});
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t '1'");
}

// --- separate responses ---

//   CON GET #7 ------------------>  Lookup (a shard that takes its time)
//              (1 s)
//   <------------------ ACK 0.00 #7
//                                   the answer
//   <-------- CON 2.05 #s0
//              (lost; 2 to 3 s)
//   <-------- CON 2.05 #s0
//   ACK 0.00 #s0 ---------------->                               RFC 7252 §5.2.2
TEST_F(ServerSessionTest, AnswersSeparatelyWhenItTakesLong) {
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.after(milliseconds{999});
  EXPECT_EQ(peer.sent(), "");
  peer.after(milliseconds{1});
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  peer.sends({.id = 7});  // the Acknowledgement was lost
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t '1'");
  peer.after(milliseconds{1999});
  EXPECT_EQ(peer.sent(), "");
  peer.after(milliseconds{1001});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t '1'");
  peer.acknowledges(0);
  peer.after(seconds{200});
  EXPECT_EQ(peer.sent(), "");
}

// §5.2.2: after the Empty Acknowledgement the response never comes in an Acknowledgement.
TEST_F(ServerSessionTest, StaysSeparateForDuplicates) {
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.after(seconds{1});
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7 | CON 2.05 #s0 t:t '1'");
  peer.acknowledges(0);
  peer.sends({.id = 7});
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  EXPECT_EQ(peer.wants(), "");
}

// RFC 7252 §4.7: NSTART is 1, so separate responses go one after the other; a Reset ends one too.
TEST_F(ServerSessionTest, SendsOneConfirmableAtATime) {
  peer.sends({.id = 1, .token = "a"});
  peer.sends({.id = 2, .token = "b"});
  peer.sends({.id = 3, .token = "c"});
  EXPECT_EQ(peer.wants(), "Lookup a | Lookup a | Lookup a");
  peer.after(seconds{1});
  EXPECT_EQ(peer.sent(), "ACK 0.00 #1 | ACK 0.00 #2 | ACK 0.00 #3");
  for (const std::size_t n : {0u, 1u, 2u}) peer.answers_value(n, value_of("a", "v"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:a 'v'");
  peer.acknowledges(0);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:b 'v'");
  peer.resets(1);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s2 t:c 'v'");
  peer.acknowledges(2);
}

// A peer that is not there gets a response MAX_RETRANSMIT times more, then nothing.
TEST_F(ServerSessionTest, GivesUpOnAPeerThatIsGone) {
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.after(seconds{1});
  peer.answers_value(0, value_of("a", "1"));
  (void)peer.sent();
  peer.after(seconds{100});
  EXPECT_EQ(peer.sent(),
            "CON 2.05 #s0 t:t '1' | CON 2.05 #s0 t:t '1' | CON 2.05 #s0 t:t '1' | "
            "CON 2.05 #s0 t:t '1'");
}

// --- PUT and DELETE ---

//   CON PUT ->   Lookup a (is it new?), then Publish a retain
TEST_F(ServerSessionTest, PublishesAndTellsNewFromChanged) {
  peer.sends({.code = code::kPut, .id = 7, .payload = "34.5"});
  looks_up_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 '34.5'");
  EXPECT_EQ(peer.sent(), "");
  peer.answers(0, kNoMatch);
  EXPECT_EQ(peer.sent(), "ACK 2.01 #7 t:t");
  peer.sends({.type = Type::kNon, .code = code::kPut, .id = 8, .payload = "35"});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "34.5"));
  EXPECT_EQ(peer.wants(), "Publish a retain q0 '35'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "NON 2.04 #s0 t:t");
}

TEST_F(ServerSessionTest, PublishesFormatAndLifetime) {
  peer.sends({.code = code::kPut, .format = 50, .max_age = 90, .payload = "{}"});
  looks_up_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 ct:application/json for:90s '{}'");
}

TEST_F(ServerSessionTest, DeletesTheValue) {
  peer.sends({.code = code::kDelete, .id = 7});
  looks_up_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 ''");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.02 #7 t:t");
}

TEST_F(ServerSessionTest, SaysWhyAPublicationFailed) {
  struct Row {
    model::Reason reason;
    std::string_view answer;
  };
  std::uint16_t id = 1;
  for (const Row& row : {Row{kNotAuthorized, "4.03"}, Row{kQuotaExceeded, "5.03"},
                         Row{kBadName, "4.00"}, Row{kTooLarge, "4.13"}, Row{kTimeout, "5.00"}}) {
    peer.sends({.code = code::kPut, .id = id, .payload = "x"});
    looks_up_nothing();
    EXPECT_EQ(peer.wants(), "Publish a retain q1 'x'");
    peer.answers(0, row.reason);
    EXPECT_EQ(peer.sent(), fmt::format("ACK {} #{} t:t", row.answer, id));
    ++id;
  }
}

// RFC 7252 §4.5: executed once, answered as often as it comes, for EXCHANGE_LIFETIME.
TEST_F(ServerSessionTest, ExecutesAPublicationOnce) {
  const Sends put{.code = code::kPut, .id = 7, .payload = "1"};
  peer.sends(put);
  peer.sends(put);  // while it is under way
  looks_up_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 '1'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.01 #7 t:t");
  peer.after(seconds{246});
  peer.sends(put);
  EXPECT_EQ(peer.sent(), "ACK 2.01 #7 t:t");
  EXPECT_EQ(peer.wants(), "");
}

// The same id with another token or value is another request.
TEST_F(ServerSessionTest, TakesAReusedIdForANewRequest) {
  for (const Sends& put : {Sends{.code = code::kPut, .id = 7, .payload = "1"},
                           Sends{.code = code::kPut, .id = 7, .token = "u", .payload = "1"},
                           Sends{.code = code::kPut, .id = 7, .token = "u", .payload = "2"}}) {
    peer.sends(put);
    looks_up_nothing();
    EXPECT_EQ(peer.wants(), fmt::format("Publish a retain q1 '{}'", put.payload));
    peer.answers(0, kOk);
    EXPECT_EQ(peer.sent(), fmt::format("ACK 2.01 #7 t:{}", put.token));
  }
}

// RFC 7252 §4.5: a Non-confirmable duplicate is ignored in silence.
TEST_F(ServerSessionTest, IgnoresNonConfirmableDuplicates) {
  const Sends put{.type = Type::kNon, .code = code::kPut, .id = 7, .payload = "1"};
  peer.sends(put);
  looks_up_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q0 '1'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "NON 2.01 #s0 t:t");
  peer.sends(put);
  EXPECT_EQ(peer.sent(), "");
  EXPECT_EQ(peer.wants(), "");
}

// --- refusals ---

TEST_F(ServerSessionTest, RefusesWhatItDoesNotServe) {
  struct Row {
    Sends request;
    std::string_view answer;
  };
  for (const Row& row : {
           Row{{.path = "/"}, "4.04"},
           Row{{.path = "/time"}, "4.04"},
           Row{{.path = "/ps/data"}, "4.04"},
           Row{{.code = code::kPut, .path = "/time", .payload = "x"}, "4.04"},
           Row{{.code = code::kFetch}, "4.05"},  // RFC 7252 §5.8
           Row{{.code = code::kIPatch}, "4.05"},
           Row{{.code = Code::of(0, 8)}, "4.05"},
           Row{{.code = code::kPost, .path = "/ps/data/a?retain=1"}, "4.00"},  // without a value
           Row{{.code = code::kPut, .path = "/ps/data/a?retian=1", .payload = "x"}, "4.00"},
           Row{{.code = code::kDelete, .path = "/ps/data/a?qos=1"}, "4.00"},
           Row{{.code = Code::of(0, 31), .path = "/x"}, "4.05"},
           Row{{.code = code::kPut, .path = "/ps", .payload = "x"}, "4.05"},
           Row{{.code = code::kDelete, .path = "/.well-known/core"}, "4.05"},
           Row{{.path = "/ps/data/+"}, "4.00"},
           Row{{.path = "/ps/data/a%2Fb"}, "4.00"},
           Row{{.path = "/ps/data/a?x=1"}, "4.00"},
           Row{{.code = code::kPut}, "4.00"},  // without a value
           Row{{.odd_option = 35}, "5.05"},    // Proxy-Uri, RFC 7252 §5.10.2
           Row{{.odd_option = 39}, "5.05"},
       }) {
    SCOPED_TRACE(row.request.path + to_string(row.request.code));
    peer.sends(row.request);
    EXPECT_TRUE(peer.sent().starts_with(fmt::format("ACK {} #1 t:t", row.answer)));
    EXPECT_EQ(peer.wants(), "");
  }
}

// RFC 7252 §5.4.1: 4.02 with words in a Confirmable request, a Reset to a Non-confirmable one; an
// elective option is ignored.
TEST_F(ServerSessionTest, RefusesUnknownCriticalOptions) {
  peer.sends({.id = 7, .odd_option = 65'001});
  EXPECT_EQ(peer.sent(), "ACK 4.02 #7 t:t 'option 65001 is not supported here'");
  peer.sends({.type = Type::kNon, .id = 8, .odd_option = 65'001});
  EXPECT_EQ(peer.sent(), "RST 0.00 #8");
  EXPECT_EQ(peer.wants(), "");
  peer.sends({.id = 9, .odd_option = 65'002});
  EXPECT_EQ(peer.wants(), "Lookup a");
}

// RFC 7252 §5.9.2.9.
TEST_F(ServerSessionTest, RefusesLargeValues) {
  limits.packet_bytes_max = 10;
  ServerSession strict{settings, {.limits = &limits, .rng = &rng}};
  Script sender{strict};
  sender.sends({.code = code::kPut, .id = 7, .payload = "12345678901"});
  EXPECT_EQ(sender.sent(), "ACK 4.13 #7 t:t Size1:10");
  sender.sends({.code = code::kPut, .id = 8, .payload = "1234567890"});
  EXPECT_EQ(sender.wants(), "Lookup a");
  sender.answers(0, kNotFound);
  EXPECT_EQ(sender.wants(), "Publish a retain q1 '1234567890'");
}

// RFC 7959 §2.9.3: "a hint for the client to try sending Block1".
TEST_F(ServerSessionTest, AnswersDatagramsThatCameCut) {
  const auto cut = encode({.code = code::kPut, .id = 7, .payload = "begin"});
  peer.datagram(cut, false);
  EXPECT_EQ(peer.sent(), fmt::format("ACK 4.13 #7 t:t Size1:{}", limits.packet_bytes_max));
  EXPECT_EQ(peer.wants(), "");
  // What ends within an option is no message.
  peer.datagram({cut.begin(), cut.begin() + 7}, false);
  EXPECT_EQ(peer.sent(), "RST 0.00 #7");
}

TEST_F(ServerSessionTest, BoundsTheRequestsUnderWay) {
  for (std::uint16_t id = 0; id < 8; ++id) peer.sends({.id = id});
  EXPECT_EQ(peer.sent(), "");
  peer.sends({.id = 8});
  EXPECT_EQ(peer.sent(), "ACK 5.03 #8 t:t");
  EXPECT_EQ(peer.wants(),
            "Lookup a | Lookup a | Lookup a | Lookup a | Lookup a | Lookup a | "
            "Lookup a | Lookup a");
  peer.answers(0, kNotFound);
  peer.sends({.id = 9});
  EXPECT_EQ(peer.wants(), "Lookup a");
}

TEST_F(ServerSessionTest, IgnoresAnswersThatComeTwice) {
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #7 t:t");
}

// --- discovery ---

// --- the life of a peer ---

TEST_F(ServerSessionTest, LeavesWhenThereIsNothingToRemember) {
  peer.sends({.id = 7});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  peer.after(seconds{4});
  EXPECT_EQ(peer.wants(), "");
  peer.after(seconds{2});
  EXPECT_EQ(peer.wants(), "Close ok");
  peer.closes(kOk);
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(ServerSessionTest, LeavesAfterTheLifetimeOfItsAnswers) {
  peer.sends({.code = code::kDelete, .id = 7});
  looks_up_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 ''");
  peer.answers(0, kOk);
  peer.after(seconds{246});
  EXPECT_EQ(peer.wants(), "");
  peer.after(seconds{2});
  EXPECT_EQ(peer.wants(), "Close ok");
}

TEST_F(ServerSessionTest, AllocatesNothingInSteadyState) {
  session::EffectList list;
  list.reserve(16);
  class Discard final : public session::DatagramSink {
   public:
    std::uint8_t* reserve(std::size_t) override { return room_; }
    void commit(std::size_t) override {}

   private:
    std::uint8_t room_[4096];
  } sink;
  const model::Message value = value_of("Temperature/Kitchen/Window", "34.5", 7);
  std::vector<std::uint8_t> get = encode({.path = "/ps/data/Temperature/Kitchen/Window"});
  std::vector<std::uint8_t> put = encode(
      {.code = code::kPut, .path = "/ps/data/Temperature/Kitchen/Window", .payload = "34.5"});
  const auto round = [&](std::vector<std::uint8_t>& request, int id) {
    request[2] = static_cast<std::uint8_t>(id >> 8);
    request[3] = static_cast<std::uint8_t>(id);
    session::Effects effects({1, 1}, sink, list);
    session.on_datagram({.bytes = request}, peer.now, effects);
    for (std::size_t i = 0; i < list.size(); ++i) {  // an answer can bring another effect
      session::Answer answer{.value = &value};
      if (const auto* lookup = std::get_if<session::Lookup>(&list[i].effect)) {
        answer.ticket = lookup->ticket;
      } else {
        answer.ticket = std::get<session::Publish>(list[i].effect).ticket;
      }
      session.on_answers({&answer, 1}, peer.now, effects);
    }
    list.clear();
  };
  for (int id = 0; id < 1000; ++id) {
    round(get, id);
    round(put, id + 5000);
  }
  const std::size_t before = testkit::allocation_count();
  for (int id = 0; id < 1000; ++id) {
    round(get, id + 10'000);
    round(put, id + 20'000);
  }
  EXPECT_EQ(testkit::allocation_count() - before, 0u);
}

TEST(Plugin, MakesServerSessions) {
  const Plugin plugin;
  session::SessionLimits limits;
  SeededRng rng(1);
  EXPECT_EQ(plugin.name(), "coap");
  EXPECT_EQ(plugin.default_port(), 5683);
  EXPECT_EQ(plugin.transport(), session::Transport::kDatagram);
  EXPECT_EQ(plugin.detect(as_bytes("x")), session::Detection::kNo);
  const auto session = plugin.make_session({.limits = &limits, .rng = &rng});
  Script peer(*session);
  peer.octets("40000001");
  EXPECT_EQ(peer.sent(), "RST 0.00 #1");
}

}  // namespace
}  // namespace hermod::coap::test
