// SPDX-License-Identifier: Apache-2.0
// Before CONNECT is accepted a connection holds at most 4 KiB beyond the octets received, and those
// are limited, for each connection and in total: measured with the real MQTT sessions.
#include <functional>

#include "hermod/mqtt/codec/packet.hpp"
#include "hermod/mqtt/session/plugin.hpp"
#include "hermod/testkit/allocations.hpp"
#include "world.hpp"

namespace hermod::broker {
namespace {

constexpr std::size_t kBeyondMax = 4 * 1024;
constexpr std::size_t kConnections = 256;

transport::MemoryOptions wide() {
  return {.stream_buffer_bytes = 1u << 20, .backlog = 1'000};
}

/// A CONNECT of nearly `size` octets, at most 130,000: will and password as long as that takes.
std::string connect_of(std::size_t size, std::string_view id = "c") {
  const std::vector<std::uint8_t> filler(65'000, 'x');
  const std::size_t will = std::min<std::size_t>(size, 65'000);
  const std::size_t password = std::min<std::size_t>(size - will, 65'000);
  const mqtt::Packet packet =
      mqtt::ConnectView{.client_id = id,
                        .will = mqtt::WillView{.topic = "w", .payload = Bytes{filler}.first(will)},
                        .user_name = "u",
                        .password = Bytes{filler}.first(password)};
  std::string octets(mqtt::encoded_size(packet, mqtt::Version::kV311), '\0');
  mqtt::write_packet(reinterpret_cast<std::uint8_t*>(octets.data()), packet, mqtt::Version::kV311);
  return octets;
}
const std::string kAccepted{"\x20\x02\x00\x00", 4};

/// Octets of memory that such connections cost with whoever serves them, both ends and the network
/// between them included. `settle` lets the serving end take everything in.
template <typename Connect>
std::size_t memory_of(std::string_view sent, Connect&& connect,
                      const std::function<void()>& settle) {
  using Ends = std::vector<std::unique_ptr<transport::Stream>>;
  const auto open = [&](Ends& ends, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      ends.push_back(connect());
      const Bytes piece = as_bytes(sent);
      EXPECT_TRUE(sent.empty() || ends.back()->write({&piece, 1}).count == sent.size());
      settle();
    }
  };
  Ends ends;
  ends.reserve(kConnections);
  open(ends, 8);  // what is allocated once
  ends.clear();
  settle();
  const std::size_t before = testkit::allocated_octets();
  open(ends, kConnections);
  return testkit::allocated_octets() - before;
}

/// The same on a server that accepts, reads and keeps nothing.
std::size_t memory_without_broker(std::string_view sent) {
  transport::MemoryNetwork network{wide()};
  transport::MemoryPoller poller{network};
  auto listener = std::move(*network.listen(World::address(0)));
  std::vector<std::unique_ptr<transport::Stream>> accepted;
  accepted.reserve(2 * kConnections);
  std::vector<std::uint8_t> buffer(256 * 1024);
  return memory_of(
      sent, [&] { return network.connect(World::address(0)); },
      [&] {
        int error = 0;
        while (auto stream = listener->accept(error)) {
          (void)poller.add(*stream, 1);
          accepted.push_back(std::move(stream));
        }
        (void)poller.wait(Duration::zero());
        std::erase_if(accepted, [&](auto& stream) {
          transport::IoResult result = stream->read(buffer);
          while (result.status == transport::IoResult::Status::kDone) result = stream->read(buffer);
          return result.status != transport::IoResult::Status::kAgain;
        });
      });
}

class UnattachedTest : public testing::Test {
 protected:
  std::size_t memory_with_broker(std::string_view sent) {
    return memory_of(
        sent, [&] { return world.network.connect(World::address(0)); }, [&] { world.run(); });
  }
  World world{1, wide(), &mqtt::protocol()};
};

TEST_F(UnattachedTest, BeforeConnectIsAcceptedAConnectionHoldsAtMost4KiBBeyondTheOctetsReceived) {
  const std::string whole = connect_of(100'000);
  for (const std::size_t octets : {0, 1, 4, 100, 4'000, 20'000, 65'000, 99'000}) {
    const std::string_view sent = std::string_view{whole}.substr(0, octets);
    const std::size_t with = memory_with_broker(sent);
    const std::size_t without = memory_without_broker(sent);
    const std::size_t each = with > without ? (with - without) / kConnections : 0;
    EXPECT_LE(each, octets + kBeyondMax) << octets << " octets received";
    EXPECT_GE(each, octets) << "the measurement misses what must be held";
    world.pass(std::chrono::seconds{6});  // half a packet is waited for a little
    EXPECT_EQ(world.shard().connections(), 0u);
  }
}

// A long time in pieces costs no more than at once.
TEST_F(UnattachedTest, OctetsThatComeInPiecesCostNoMore) {
  const std::string whole = connect_of(30'000);
  const auto cost_in = [&](std::size_t piece) {
    const std::size_t before = testkit::allocated_octets();
    Client client{world};
    for (std::size_t at = 0; at < 20'000; at += piece) {
      (void)client.write(std::string_view{whole}.substr(at, piece));
      world.run();
    }
    const std::size_t cost = testkit::allocated_octets() - before;
    client.reset();
    world.pass(std::chrono::seconds{6});
    EXPECT_EQ(world.shard().connections(), 0u);
    return cost;
  };
  (void)cost_in(20'000);  // what is allocated once
  const std::size_t at_once = cost_in(20'000);
  for (const std::size_t piece : {1, 8, 1'000}) EXPECT_LE(cost_in(piece), at_once + 1'024) << piece;
}

// Each connection: a CONNECT that says it is larger than the limit is not waited for.
TEST_F(UnattachedTest, TheOctetsOfEachConnectionAreLimited) {
  session::SessionLimits& limits = world.settings.listeners[World::kLines].limits;
  limits.connect_bytes_max = 20'000;
  const std::string too_large = connect_of(30'000);
  Client first{world};
  (void)first.write(std::string_view{too_large}.substr(0, 5));  // the fixed header says it all
  world.run();
  first.read();
  EXPECT_TRUE(first.ended());
  EXPECT_EQ(world.shard().connections(), 0u);

  const std::string allowed = connect_of(19'900);
  Client second{world};
  (void)second.write(std::string_view{allowed}.substr(0, allowed.size() - 1));
  world.run();
  EXPECT_EQ(world.shard().connections(), 1u);
  (void)second.write(std::string_view{allowed}.substr(allowed.size() - 1));
  world.run();
  EXPECT_EQ(second.read(), kAccepted);
}

TEST_F(UnattachedTest, WhatIsNoConnectIsNotKept) {
  for (const std::string_view octets : {"GET / HTTP/1.1\r\n", "\x30\xff\xff\xff\x7f", "\xff\xff"}) {
    Client client{world};
    (void)client.write(octets);
    world.run();
    client.read();
    EXPECT_TRUE(client.ended()) << octets;
    EXPECT_EQ(world.shard().connections(), 0u);
  }
}

// In total: unattached_bytes_max.
TEST_F(UnattachedTest, TheOctetsOfAllOfThemAreLimited) {
  world.settings.connections.unattached_bytes_max = 100'000;
  const std::string whole = connect_of(30'000);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    (void)clients.back()->write(std::string_view{whole}.substr(0, 20'000));
    world.run();
    EXPECT_LE(world.shard().connections(), 5u);
  }
  EXPECT_EQ(world.shard().connections(), 5u);
  std::size_t accepted = 0;
  for (auto& client : clients) {
    (void)client->write(std::string_view{whole}.substr(20'000));
    world.run();
    accepted += client->read() == kAccepted ? 1 : 0;
  }
  EXPECT_EQ(accepted, 5u);  // who was there first is served
  clients.clear();
  world.run();
  Client next{world};
  (void)next.write(whole);
  world.run();
  EXPECT_EQ(next.read(), kAccepted);
}

// And in time: connect_timeout_s.
TEST_F(UnattachedTest, TheyGoWhenTheTimeToLogInIsOver) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    (void)clients.back()->write(std::string_view{connect_of(30'000)}.substr(0, 1'000 * i));
  }
  world.run();
  EXPECT_EQ(world.shard().connections(), 20u);
  for (int second = 0; second < 12; ++second) {
    for (auto& client : clients) (void)client->write("");
    world.pass(std::chrono::seconds{1});
  }
  EXPECT_EQ(world.shard().connections(), 0u);
}

}  // namespace
}  // namespace hermod::broker
