// SPDX-License-Identifier: Apache-2.0
// Datagrams in memory and their fates; and that a seed replays exactly.

#include "memory_fixture.hpp"

namespace hermod::transport {
namespace {

TEST(MemoryDatagram, PerfectByDefault) {
  Line line({});
  line.send("a");
  line.send("");
  const auto batch = line.there->receive();
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(as_text(batch[0].bytes), "a");
  EXPECT_EQ(batch[0].from, line.here->local());
  EXPECT_TRUE(batch[1].bytes.empty());
  EXPECT_TRUE(line.there->receive().empty());
}

TEST(MemoryDatagram, ComesInBatchesAndHasALimit) {
  Line line({.datagrams_waiting_max = 100});
  for (int i = 0; i < 130; ++i) line.send("x");
  EXPECT_EQ(line.there->receive().size(), DatagramSocket::kBatch);
  EXPECT_EQ(line.there->receive().size(), 100 - DatagramSocket::kBatch);
  EXPECT_EQ(line.network.counters().datagrams_unreceived, 30u);
}

TEST(MemoryDatagram, LosesDuplicatesAndReordersAsAsked) {
  constexpr std::uint64_t kCount = 10'000;
  Line line({.seed = 3,
             .datagram_delay_min = milliseconds(1),
             .datagram_delay_max = milliseconds(1),
             .loss_permille = 200,
             .duplicate_permille = 100,
             .reorder_permille = 50,
             .reorder_delay = milliseconds(7),
             .datagrams_waiting_max = 2 * kCount});
  for (std::uint64_t i = 0; i < kCount; ++i) line.send("x");
  const MemoryCounters& counters = line.network.counters();
  EXPECT_EQ(counters.datagrams_sent, kCount);
  EXPECT_NEAR(static_cast<double>(counters.datagrams_lost), 2000, 200);
  EXPECT_NEAR(static_cast<double>(counters.datagrams_duplicated), 800, 120);
  const std::uint64_t arriving = kCount - counters.datagrams_lost + counters.datagrams_duplicated;
  EXPECT_NEAR(static_cast<double>(counters.datagrams_reordered), static_cast<double>(arriving) / 20,
              120);
  const auto drain = [&] {
    std::size_t count = 0;
    for (auto batch = line.there->receive(); !batch.empty(); batch = line.there->receive()) {
      count += batch.size();
    }
    return count;
  };
  line.network.advance_to(Instant(milliseconds(1)));
  EXPECT_EQ(drain(), arriving - counters.datagrams_reordered);
  line.network.advance_to(Instant(milliseconds(8)));
  EXPECT_EQ(drain(), counters.datagrams_reordered);
  EXPECT_EQ(line.network.next_due(), kNever);
}

TEST(MemoryDatagram, KeepsTheOrderUnlessReordered) {
  Line line({.datagram_delay_max = milliseconds(50)});
  std::string sent;
  for (char c = 'a'; c <= 'z'; ++c) {
    line.send({&c, 1});
    sent += c;
  }
  std::string got;
  for (const std::string& arrival : line.arrivals()) got += arrival[0];
  EXPECT_EQ(got, sent);
}

TEST(MemoryDatagram, BoundToAllTellsAndChoosesTheAddress) {
  MemoryNetwork network({});
  auto all = std::move(network.bind(Address::v4({0, 0, 0, 0}, 5683)).value());
  auto one = std::move(network.bind(kDevice).value());
  one->commit(0, kThere);
  one->flush();
  const auto question = all->receive();
  ASSERT_EQ(question.size(), 1u);
  EXPECT_EQ(question[0].local, kThere);
  all->commit(0, question[0].from, question[0].local);
  all->commit(0, question[0].from);
  all->flush();
  const auto answers = one->receive();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].from, kThere);
  EXPECT_EQ(answers[1].from, Address::v4({127, 0, 0, 1}, 5683));
}

TEST(MemoryDatagram, AddressesAreFreeAgain) {
  MemoryNetwork network({});
  auto socket = std::move(network.bind(kThere).value());
  EXPECT_FALSE(network.bind(kThere, true).has_value());
  socket.reset();
  EXPECT_TRUE(network.bind(kThere, true).has_value());
}

TEST(MemoryDatagram, AHealedNetworkLosesNothing) {
  Line line({.loss_permille = 1000, .duplicate_permille = 1000, .reorder_permille = 1000});
  line.send("before");
  EXPECT_TRUE(line.arrivals().empty());
  line.network.heal_datagrams();
  line.send("after");
  EXPECT_EQ(line.arrivals(), std::vector<std::string>{"after@0"});
}

/// Runs a mixed load with every fault on; everything that was observed, as text.
std::string history(std::uint64_t seed) {
  Connection c({.seed = seed,
                .stream_buffer_bytes = 300,
                .segment_bytes_max = 30,
                .stream_delay_max = milliseconds(3),
                .partial_write_permille = 300,
                .reset_permille = 2,
                .silent_permille = 2});
  Line line({.seed = seed,
             .datagram_delay_max = milliseconds(9),
             .loss_permille = 100,
             .duplicate_permille = 100,
             .reorder_permille = 100});
  std::string out;
  for (int turn = 0; turn < 200; ++turn) {
    for (Stream* stream : {c.client.get(), c.server.get()}) {
      const IoResult result = write_text(*stream, fmt::format("turn {} of the long script", turn));
      out += fmt::format("w{}/{} ", result.count, result.error);
    }
    line.send(std::to_string(turn));
    c.network.advance_to(c.network.now() + milliseconds(1));
    out += c.events() + " " + read_all(*c.client) + " " + read_all(*c.server) + "\n";
  }
  for (const std::string& arrival : line.arrivals()) out += arrival + " ";
  return out;
}

TEST(MemoryNetwork, TheSameSeedReplaysExactly) {
  const std::string first = history(42);
  EXPECT_EQ(history(42), first);
  EXPECT_NE(history(43), first);
}

}  // namespace
}  // namespace hermod::transport
