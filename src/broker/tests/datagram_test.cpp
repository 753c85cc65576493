// SPDX-License-Identifier: Apache-2.0
// A shard and its datagram peers, on a network in memory.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

#include "hermod/broker/authorizers.hpp"
#include "hermod/broker/shard.hpp"
#include "hermod/transport/memory.hpp"

namespace hermod::broker {
namespace {

// Answers each datagram with how many it has had, and says goodbye a second after the last.
class Counter final : public session::Session {
 public:
  void on_open(Instant now, session::Effects&) override { due_ = now + std::chrono::seconds{1}; }
  std::size_t on_bytes(Bytes bytes, session::Intake, Instant, session::Effects&) override {
    return bytes.size();
  }
  void on_datagram(Bytes, Instant now, session::Effects& effects) override {
    due_ = now + std::chrono::seconds{1};
    *effects.datagrams().reserve(1) = static_cast<std::uint8_t>('0' + ++count_);
    effects.datagrams().commit(1);
  }
  void on_deliveries(const model::DeliveryBatch&, Instant, session::Effects&) override {}
  void on_answers(std::span<const session::Answer>, Instant, session::Effects&) override {}
  void on_deadline(Instant, session::Effects& effects) override {
    due_ = kNever;
    effects.close(model::Reason::kOk);
  }
  void on_close(model::Reason, Instant, session::Effects&) override {}
  [[nodiscard]] Instant next_deadline() const override { return due_; }

 private:
  Instant due_ = kNever;
  int count_ = 0;
};

class CounterProtocol final : public session::Protocol {
 public:
  [[nodiscard]] session::ProtocolId id() const override { return session::ProtocolId::kNone; }
  [[nodiscard]] std::string_view name() const override { return "counter"; }
  [[nodiscard]] std::uint16_t default_port() const override { return 7; }
  [[nodiscard]] session::Transport transport() const override {
    return session::Transport::kDatagram;
  }
  [[nodiscard]] session::Detection detect(Bytes) const override { return session::Detection::kNo; }
  [[nodiscard]] std::unique_ptr<session::Session> make_session(
      const session::SessionSetup&) const override {
    return std::make_unique<Counter>();
  }
};

class DatagramTest : public testing::Test {
 protected:
  DatagramTest() {
    shard.connect({&poller});
    EXPECT_TRUE(shard.add_socket(0, std::move(network.bind(there).value())));
    shard.turn(Duration::zero());
  }
  void send() {
    *peer->reserve(1) = 'x';
    peer->commit(1, there);
    peer->flush();
  }
  std::string answers() {
    std::string out;
    for (const transport::Datagram& datagram : peer->receive()) out += as_text(datagram.bytes);
    return out;
  }

  CounterProtocol protocol;
  transport::Address there = transport::Address::v4({10, 0, 0, 1}, 7);
  Settings settings{.listeners = {{.protocol = &protocol, .address = there}}};
  transport::MemoryNetwork network{{}};
  transport::MemoryPoller poller{network};
  std::unique_ptr<transport::DatagramSocket> peer =
      std::move(network.bind(transport::Address::v4({10, 0, 0, 2}, 1000)).value());
  SeededRng rng{1};
  NullLog log;
  core::NullJournal journal;
  AnonymousAuthorizer authorizer{true};
  Mailroom mailroom{1};
  Shard shard{{.settings = settings,
               .clock = network,
               .rng = rng,
               .log = log,
               .journal = journal,
               .authorizers = {&authorizer},
               .poller = poller,
               .mailroom = mailroom}};
};

TEST_F(DatagramTest, KeepsASessionForEachPeer) {
  send();
  send();
  shard.turn(Duration::zero());
  EXPECT_EQ(answers(), "12");
  EXPECT_EQ(shard.connections(), 1u);
}

// The session has asked for its end and waits for it: a datagram that comes then begins a new one.
TEST_F(DatagramTest, BeginsAnewAfterTheGoodbye) {
  send();
  shard.turn(Duration::zero());
  EXPECT_EQ(answers(), "1");
  network.advance_to(network.now() + std::chrono::seconds{2});
  shard.turn(Duration::zero());  // says goodbye
  send();
  shard.turn(Duration::zero());
  EXPECT_EQ(answers(), "1");
  shard.turn(Duration::zero());
  send();
  shard.turn(Duration::zero());
  EXPECT_EQ(answers(), "2");
  EXPECT_EQ(shard.connections(), 1u);
}

}  // namespace
}  // namespace hermod::broker
