// SPDX-License-Identifier: Apache-2.0
// Entries of the reliability catalogue that concern CoAP, against the whole broker: R10 (a network
// that loses, repeats and reorders), R23 (forged sources), R24 (guesses). Peers are datagrams by
// hand: what an attacker sends in somebody's name comes from that one's address.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "coap_message.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "scenario.hpp"
#include "world.hpp"

namespace hermod::sim {
namespace {

namespace code = coap::code;
using coap::Block;
using coap::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kStep = milliseconds{50};
// RFC 7252 §4.8.2: MAX_TRANSMIT_WAIT
constexpr Duration kGivenUp = seconds{93};

// R10, but for how many requests arrive, which CoapLoss shows: values in blocks, notifications and
// everything else the simulation knows, under its worst network.
TEST(CoapLoss, R10_nothing_acts_twice_however_much_is_lost_repeated_and_reordered) {
  CoapCounts sum;
  for (const unsigned loss : {0u, 100u, 250u}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      Options options = make_options(Cast::kMixed, seed);
      options.network.loss_permille = loss;
      options.network.duplicate_permille = 100;
      options.network.reorder_permille = 250;
      EXPECT_THAT(run_scenario(options, false).violations, testing::IsEmpty())
          << "seed " << seed << ", " << loss << "/1000 lost";
      sum += run_scenario(options, false).coap;
    }
  }
  EXPECT_GT(sum.repeated, 100u);
  EXPECT_GT(sum.duplicates, 100u);
  EXPECT_GT(sum.bodies_sent, 10u);
}

// An address, whoever sends in its name.
class Peer {
 public:
  explicit Peer(World& world) : world_(world), poller_(world.network()) {
    socket_ = std::move(world.network().bind(*transport::Address::literal("127.0.0.1", 0)).value());
    (void)poller_.add(*socket_, 1);
  }

  void sends(const Octets& datagram) {
    sent += datagram.size();
    std::memcpy(socket_->reserve(datagram.size()), datagram.data(), datagram.size());
    socket_->commit(datagram.size(), world_.coap_address());
    socket_->flush();
  }
  void sends(const CoapMessage& message) { sends(encode(message)); }

  // Lets the time pass; an honest peer acknowledges what asks for it, a victim says nothing.
  std::vector<CoapMessage> hears(Duration duration, bool honest) {
    std::vector<CoapMessage> out;
    for (const Instant end = world_.now() + duration; world_.now() < end;) {
      world_.run(std::min(end, world_.now() + kStep));
      (void)poller_.wait(Duration::zero());
      while (take(out, honest)) {
      }
    }
    return out;
  }

  std::size_t sent = 0;      // octets
  std::size_t received = 0;  // octets

 private:
  bool take(std::vector<CoapMessage>& out, bool honest) {
    const auto batch = socket_->receive();
    for (const transport::Datagram& datagram : batch) {
      received += datagram.bytes.size();
      const auto message = read_message(datagram.bytes);
      if (!message) {
        ADD_FAILURE() << "a malformed datagram";
        continue;
      }
      if (honest && message->type == Type::kCon) sends(encode_empty(Type::kAck, message->id));
      out.push_back(*message);
    }
    return batch.size() == transport::DatagramSocket::kBatch;
  }

  World& world_;
  transport::MemoryPoller poller_;
  std::unique_ptr<transport::DatagramSocket> socket_;
};

Octets request(coap::Code method, Type type, std::uint16_t id,
               std::initializer_list<std::string_view> path,
               std::optional<std::uint32_t> observe = {}) {
  Octets out(256);
  coap::BodyWriter body(coap::write_head(out.data(), type, method, id, as_bytes("t")));
  if (observe) body.uint_option(coap::OptionNumber::kObserve, *observe);
  for (const std::string_view segment : path) body.option(coap::OptionNumber::kUriPath, segment);
  out.resize(static_cast<std::size_t>(body.position() - out.data()));
  return out;
}

// A broker with topics "t/0" to "t/199" and the value "large", and who puts them there.
struct Broker {
  Broker(std::uint16_t shards, std::uint32_t amplification_max)
      : options(options_of(shards, amplification_max)),
        trace(false),
        world(options, trace),
        publisher(world) {
    world.calm();
    for (int i = 0; i < 200; ++i) puts(fmt::format("t/{}", i), "value");
    puts("large", std::string(20'000, 'x'));
  }
  static Options options_of(std::uint16_t shards, std::uint32_t amplification_max) {
    Options out;
    out.cast = Cast::kCoap;
    out.broker.threads = shards;
    out.coap.amplification_max = amplification_max;
    return out;
  }
  // In blocks of 1,024 where it is longer.
  void puts(const std::string& topic, std::string_view value) {
    const Block whole{};
    for (std::size_t at = 0; at < value.size(); at += whole.size()) {
      const std::string_view part = value.substr(at, whole.size());
      CoapMessage message{.code = code::kPut,
                          .id = ++publisher_id,
                          .token = "p",
                          .topic = topic,
                          .payload = {part.begin(), part.end()}};
      if (value.size() > whole.size()) {
        message.block1 = Block{.number = static_cast<std::uint32_t>(at / whole.size()),
                               .more = at + part.size() < value.size()};
      }
      publisher.sends(message);
      const auto answers = publisher.hears(kStep, true);
      ASSERT_EQ(answers.size(), 1u);
      ASSERT_TRUE(answers.front().code.is_success()) << to_string(answers.front().code);
    }
  }

  Options options;
  Trace trace;
  World world;
  Peer publisher;
  std::uint16_t publisher_id = 0;
};

class Reliability : public testing::TestWithParam<std::uint16_t> {};

struct Reflection {
  double worst = 0;  // octets received for each that was sent
  std::size_t received = 0;
};

// What comes to addresses that ask for everything and answer nothing.
Reflection reflect(std::uint16_t shards, std::uint32_t amplification_max) {
  Broker broker(shards, amplification_max);
  std::vector<std::unique_ptr<Peer>> victims;
  for (int i = 0; i < 5; ++i) victims.push_back(std::make_unique<Peer>(broker.world));
  Reflection out;
  const auto weigh = [&] {
    for (const auto& victim : victims) {
      (void)victim->hears(Duration{1}, false);
      out.worst = std::max(
          out.worst, static_cast<double>(victim->received) / static_cast<double>(victim->sent));
    }
  };
  for (std::uint16_t round = 0; round < 20; ++round) {
    const auto id = static_cast<std::uint16_t>(100 * round);
    for (const Type type : {Type::kCon, Type::kNon}) {
      const auto next = static_cast<std::uint16_t>(id + static_cast<unsigned>(type));
      victims[0]->sends(request(code::kGet, type, next, {".well-known", "core"}));
      victims[1]->sends(request(code::kGet, type, next, {"ps"}));
      victims[2]->sends(request(code::kGet, type, next, {"ps", "data", "large"}));
      victims[3]->sends(request(code::kGet, type, next, {"ps", "data", "t", "1"}, 0));
      victims[4]->sends(request(code::kGet, type, next, {"ps", "data", "large"}, 0));
    }
    broker.puts("t/1", fmt::format("{:900}", round));
    broker.puts("large", std::string(20'000u + round, 'y'));
    broker.world.run(broker.world.now() + seconds{3});
    weigh();
  }
  broker.world.run(broker.world.now() + 2 * kGivenUp);
  weigh();
  for (const auto& victim : victims) out.received += victim->received;
  return out;
}

TEST_P(Reliability, R23_a_forged_source_is_sent_three_times_what_came_at_most) {
  const Reflection limited = reflect(GetParam(), 3);
  EXPECT_LE(limited.worst, 3.0);
  EXPECT_GT(limited.received, 0u);
  EXPECT_GT(reflect(GetParam(), 0).worst, 3.0);  // that it is the limit which holds
}

// MAX_RETRANSMIT repetitions of it, and then it is no observer any more.
TEST_P(Reliability, R23_an_unproven_observer_is_notified_once) {
  Broker broker(GetParam(), 3);
  Peer victim(broker.world);
  victim.sends(request(code::kGet, Type::kNon, 1, {"ps", "data", "t", "1"}, 0));
  const auto registered = victim.hears(kStep, false);
  ASSERT_EQ(registered.size(), 1u);
  ASSERT_TRUE(registered.front().observe);
  for (int i = 0; i < 20; ++i) broker.puts("t/1", std::to_string(i));
  const auto notified = victim.hears(2 * kGivenUp, false);
  EXPECT_GE(notified.size(), 1u);
  EXPECT_LE(notified.size(), 1u + broker.options.coap.transmission.max_retransmit);
  for (const CoapMessage& message : notified) EXPECT_EQ(message.type, Type::kCon);
  broker.puts("t/1", "later");
  EXPECT_TRUE(victim.hears(2 * kGivenUp, false).empty());
}

// An Echo shows what an acknowledgement would (RFC 9175 §2.3): the control of the two above.
TEST_P(Reliability, R23_who_repeats_the_echo_is_sent_everything) {
  Broker broker(GetParam(), 3);
  Peer peer(broker.world);
  CoapMessage get{.code = code::kGet, .id = 1, .token = "t", .topic = "large"};
  peer.sends(get);
  const auto challenge = peer.hears(kStep, true);
  ASSERT_EQ(challenge.size(), 1u);
  EXPECT_EQ(challenge.front().code, code::kUnauthorized);
  get.id = 2;
  get.echo = challenge.front().echo;
  peer.sends(get);
  const auto answer = peer.hears(kStep, true);
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer.front().code, code::kContent);
  EXPECT_EQ(answer.front().payload.size(), 1024u);
}

// --- R24: who cannot see what the broker sends, and guesses ---

class R24 : public Reliability {
 protected:
  void SetUp() override {
    observer.sends(request(code::kGet, Type::kCon, 1, {"ps", "data", "t", "1"}, 0));
    ASSERT_EQ(observer.hears(kStep, true).size(), 1u);
    ASSERT_TRUE(is_told("first"));
  }
  // Whether the observer is told a value, once it is put.
  bool is_told(const std::string& value, bool honest = true) {
    broker.puts("t/1", value);
    const auto heard = observer.hears(kStep, honest);
    for (const CoapMessage& message : heard) ids.insert(message.id);
    return heard.size() == 1 && heard.front().payload == Octets{value.begin(), value.end()};
  }
  // In the observer's name, all Message IDs but those that the broker has used.
  void guess_all(Type type) {
    for (unsigned id = 0; id <= 0xffff; ++id) {
      if (ids.contains(static_cast<std::uint16_t>(id))) continue;
      observer.sends(encode_empty(type, static_cast<std::uint16_t>(id)));
      if (id % 256 == 0) broker.world.run(broker.world.now() + milliseconds{1});
    }
  }

  Broker broker{GetParam(), 3};
  Peer observer{broker.world};
  std::set<std::uint16_t> ids;
};

TEST_P(R24, guessed_resets_end_no_observation) {
  guess_all(Type::kRst);
  EXPECT_TRUE(observer.hears(kStep, true).empty());
  EXPECT_TRUE(is_told("second"));
}

TEST_P(R24, guessed_acknowledgements_confirm_nothing) {
  ASSERT_TRUE(is_told("second", false));
  guess_all(Type::kAck);
  const auto again = observer.hears(seconds{4}, true);  // it still waits for the right one
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(ids.contains(again.front().id));
  EXPECT_EQ(again.front().type, Type::kCon);
  EXPECT_TRUE(is_told("third"));
}

TEST_P(R24, guessed_tokens_end_no_observation) {
  for (std::uint16_t guess = 0; guess < 1000; ++guess) {
    observer.sends({.type = Type::kNon,
                    .code = code::kGet,
                    .id = static_cast<std::uint16_t>(1000 + guess),
                    .token = fmt::format("u{}", guess),
                    .observe = 1,
                    .topic = "t/1"});
    const auto answers = observer.hears(kStep, true);
    ASSERT_EQ(answers.size(), 1u);  // a plain GET
    EXPECT_FALSE(answers.front().observe);
    ids.insert(answers.front().id);
  }
  EXPECT_TRUE(is_told("second"));
}

TEST_P(R24, guessed_responses_are_of_no_use) {
  for (std::uint16_t id = 0; id < 1000; ++id) {
    for (const Type type : {Type::kCon, Type::kNon, Type::kAck}) {
      observer.sends({.type = type, .code = code::kContent, .id = id, .token = "t"});
    }
  }
  for (const CoapMessage& message : observer.hears(kStep, true)) {
    EXPECT_EQ(message.type, Type::kRst);
  }
  EXPECT_TRUE(is_told("second"));
}

// As many guesses as are believed, and then the right one: the address is as unproven as before.
TEST_P(R24, guesses_prove_no_address) {
  Peer victim(broker.world);
  victim.sends(request(code::kGet, Type::kNon, 1, {"ps", "data", "t", "2"}, 0));
  (void)victim.hears(kStep, false);
  broker.puts("t/2", "new");
  const auto notified = victim.hears(kStep, false);
  ASSERT_EQ(notified.size(), 1u);
  ASSERT_EQ(notified.front().type, Type::kCon);
  for (std::uint16_t guess = 1; guess <= broker.options.coap.mismatches_max; ++guess) {
    victim.sends(encode_empty(Type::kAck, static_cast<std::uint16_t>(notified.front().id + guess)));
  }
  victim.sends(encode_empty(Type::kAck, notified.front().id));
  victim.sends(request(code::kGet, Type::kNon, 2, {"ps", "data", "large"}));
  const auto answer = victim.hears(kStep, false);
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer.front().code, code::kUnauthorized);
}

INSTANTIATE_TEST_SUITE_P(Shards, Reliability, testing::Values(1, 3));
INSTANTIATE_TEST_SUITE_P(Shards, R24, testing::Values(1, 3));

}  // namespace
}  // namespace hermod::sim
