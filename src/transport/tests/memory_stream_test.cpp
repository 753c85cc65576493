// SPDX-License-Identifier: Apache-2.0
// Streams in memory: order, bounds, ends and faults; and the poller over them.
#include <cerrno>

#include "memory_fixture.hpp"

namespace hermod::transport {
namespace {

TEST(MemoryStream, KnowsAddresses) {
  Connection c;
  EXPECT_EQ(c.client->peer(), kBroker);
  EXPECT_EQ(c.server->peer().with_port(0), kDevice);
  EXPECT_NE(c.server->peer().port(), 0);
  EXPECT_EQ(c.listener->local(), kBroker);
  const auto taken = c.network.listen(kBroker);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error(), "cannot listen on 10.0.0.1:1883: the address is taken");
}

TEST(MemoryStream, DelaysEverything) {
  Connection c({.stream_delay_min = milliseconds(3), .stream_delay_max = milliseconds(3)});
  EXPECT_EQ(c.network.now(), Instant(milliseconds(6)));  // there and back
  write_text(*c.client, "x");
  EXPECT_EQ(c.network.next_due(), Instant(milliseconds(9)));
  c.network.advance_to(Instant(milliseconds(9) - Duration(1)));
  EXPECT_EQ(c.events(), "");
  c.network.advance_to(Instant(milliseconds(9)));
  EXPECT_EQ(c.events(), "3rw");
  EXPECT_EQ(read_all(*c.server), "x");
}

TEST(MemoryStream, RefusesWhereNobodyListens) {
  MemoryNetwork network({.stream_delay_min = milliseconds(1), .stream_delay_max = milliseconds(1)});
  auto stream = network.connect(kBroker);
  std::string text;
  EXPECT_EQ(read_text(*stream, 1, text).status, IoResult::Status::kAgain);
  EXPECT_EQ(write_text(*stream, "x").status, IoResult::Status::kAgain);
  network.advance_to(Instant(milliseconds(2)));
  EXPECT_EQ(read_text(*stream, 1, text).error, ECONNREFUSED);
  EXPECT_EQ(write_text(*stream, "x").error, ECONNREFUSED);
}

TEST(MemoryStream, RefusesBeyondTheBacklog) {
  MemoryNetwork network({.backlog = 2});
  auto listener = std::move(network.listen(kBroker).value());
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(network.connect(kBroker));
  EXPECT_EQ(write_text(*clients[1], "x").status, IoResult::Status::kDone);
  EXPECT_EQ(write_text(*clients[2], "x").error, ECONNREFUSED);
  listener.reset();  // those that waited are reset
  EXPECT_EQ(write_text(*clients[0], "x").error, ECONNRESET);
}

TEST(MemoryStream, SharedListenersDivideThePeers) {
  MemoryNetwork network({});
  auto a = std::move(network.listen(kBroker, true).value());
  auto b = std::move(network.listen(kBroker, true).value());
  EXPECT_FALSE(network.listen(kBroker).has_value());
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(network.connect(kBroker));
  int error = 0;
  int at_a = 0;
  int at_b = 0;
  while (a->accept(error) != nullptr) ++at_a;
  while (b->accept(error) != nullptr) ++at_b;
  EXPECT_EQ(at_a + at_b, 64);
  EXPECT_GT(at_a, 16);
  EXPECT_GT(at_b, 16);
}

TEST(MemoryStream, BoundedBufferFillsAndDrains) {
  Connection c({.stream_buffer_bytes = 9});
  EXPECT_EQ(write_text(*c.client, "0123456789abc").count, 9u);
  EXPECT_EQ(write_text(*c.client, "9").status, IoResult::Status::kAgain);
  EXPECT_EQ(c.events(), "3rw");
  std::string text;
  read_text(*c.server, 2, text);
  EXPECT_EQ(c.events(), "");  // less than a third is free
  read_text(*c.server, 1, text);
  EXPECT_EQ(c.events(), "2w");
  EXPECT_EQ(write_text(*c.client, "9abc").count, 3u);
  EXPECT_EQ(read_all(*c.server), "3456789ab");
}

TEST(MemoryStream, SegmentsAndPartialWritesKeepTheOctets) {
  Connection c({.seed = 5,
                .stream_buffer_bytes = 700,
                .segment_bytes_max = 40,
                .stream_delay_max = milliseconds(2),
                .partial_write_permille = 500});
  const auto octets = pattern(20'000);
  std::size_t written = 0;
  std::size_t waits_for_room = 0;
  std::vector<std::uint8_t> got;
  bool writable = true;
  for (int turn = 0; turn < 10'000 && got.size() < octets.size(); ++turn) {
    if (writable && written < octets.size()) {
      const Bytes left = Bytes(octets).subspan(written);
      const IoResult result = c.client->write({&left, 1});
      written += result.count;
      writable = false;  // it fell short, or all is written: only an edge may let us write again
      ++waits_for_room;
    }
    if (!c.poller.ready() && c.network.next_due() != kNever) {
      c.network.advance_to(c.network.next_due());
    }
    for (const Event& event : c.poller.wait(Duration::zero())) {
      if (event.token == kClient) writable |= event.writable;
      if (event.token != kServer) continue;
      const std::string part = read_all(*c.server);
      got.insert(got.end(), part.begin(), part.end());
    }
  }
  EXPECT_TRUE(got == octets);
  EXPECT_GT(waits_for_room, octets.size() / 700);
}

TEST(MemoryStream, EndsOneSideAtATime) {
  Connection c;
  write_text(*c.client, "bye");
  c.client->shutdown_write();
  EXPECT_EQ(write_text(*c.client, "late").error, EPIPE);
  EXPECT_EQ(read_all(*c.server), "bye");
  std::string text;
  EXPECT_EQ(read_text(*c.server, 1, text).status, IoResult::Status::kClosed);
  EXPECT_EQ(write_text(*c.server, "more").count, 4u);
  EXPECT_EQ(read_all(*c.client), "more");
}

TEST(MemoryStream, ClosingWithOctetsUnreadResets) {
  Connection c;
  write_text(*c.client, "never read");
  c.server.reset();
  std::string text;
  EXPECT_EQ(read_text(*c.client, 1, text).error, ECONNRESET);
}

TEST(MemoryStream, WritingToAClosedEndResets) {
  Connection c;
  c.server.reset();
  std::string text;
  EXPECT_EQ(read_text(*c.client, 1, text).status, IoResult::Status::kClosed);
  EXPECT_EQ(write_text(*c.client, "x").count, 1u);  // it cannot know yet
  EXPECT_EQ(write_text(*c.client, "x").error, ECONNRESET);
}

TEST(MemoryStream, ResetOnRequestAndByChance) {
  Connection c({.stream_delay_min = milliseconds(1), .stream_delay_max = milliseconds(1)});
  c.network.reset(*c.client);
  EXPECT_EQ(c.events(), "2rw");
  EXPECT_EQ(write_text(*c.client, "x").error, ECONNRESET);
  EXPECT_EQ(write_text(*c.server, "x").count, 1u);
  c.settle();
  EXPECT_EQ(c.events(), "3rw");
  EXPECT_EQ(write_text(*c.server, "x").error, ECONNRESET);

  Connection unlucky({.reset_permille = 1000});
  EXPECT_EQ(write_text(*unlucky.server, "x").error, ECONNRESET);
  EXPECT_EQ(write_text(*unlucky.client, "x").error, ECONNRESET);
}

TEST(MemoryStream, SilenceTellsNobody) {
  Connection c({.stream_buffer_bytes = 8});
  c.network.silence(*c.server);
  EXPECT_EQ(write_text(*c.client, "012345678").count, 8u);  // until the buffer is full
  EXPECT_EQ(write_text(*c.client, "x").status, IoResult::Status::kAgain);
  c.server.reset();
  c.settle();
  EXPECT_EQ(c.events(), "");
  std::string text;
  EXPECT_EQ(read_text(*c.client, 1, text).status, IoResult::Status::kAgain);

  Connection unlucky({.silent_permille = 1000});
  EXPECT_EQ(write_text(*unlucky.client, "x").count, 1u);
  EXPECT_EQ(read_all(*unlucky.server), "");
  EXPECT_EQ(write_text(*unlucky.server, "x").count, 1u);
  EXPECT_EQ(read_all(*unlucky.client), "");
}

TEST(MemoryStream, AClientGoneBeforeTheAnswerResetsTheServer) {
  MemoryNetwork network({.stream_delay_min = milliseconds(1), .stream_delay_max = milliseconds(1)});
  auto listener = std::move(network.listen(kBroker).value());
  auto client = network.connect(kBroker);
  network.advance_to(Instant(milliseconds(1)));
  int error = 0;
  auto server = listener->accept(error);
  ASSERT_NE(server, nullptr);
  client.reset();
  network.advance_to(Instant(milliseconds(2)));
  std::string text;
  EXPECT_EQ(read_text(*server, 1, text).error, ECONNRESET);
}

TEST(MemoryPoller, NeverBlocksAndTellsWhenToComeBack) {
  MemoryNetwork network({});
  MemoryPoller poller(network);
  network.advance_to(Instant(seconds(5)));
  EXPECT_TRUE(poller.wait(seconds(2)).empty());
  EXPECT_EQ(poller.deadline(), Instant(seconds(7)));
  EXPECT_TRUE(poller.wait(Duration::max()).empty());
  EXPECT_EQ(poller.deadline(), kNever);
  EXPECT_FALSE(poller.ready());
  poller.wake();
  EXPECT_TRUE(poller.ready());
  EXPECT_TRUE(poller.wait(Duration::max()).empty());
  EXPECT_FALSE(poller.ready());
}

TEST(MemoryPoller, WatchesASourceOnceAndOnlyItsNetworks) {
  Connection c;
  MemoryPoller second(c.network);
  EXPECT_FALSE(second.add(*c.client, 7));
  Source foreign;
  EXPECT_FALSE(second.add(foreign, 8));
  write_text(*c.server, "moves along");
  c.poller.remove(*c.client);  // a connection handed to another shard
  EXPECT_TRUE(second.add(*c.client, 7));
  EXPECT_EQ(c.events(), "");
  const auto events = second.wait(Duration::zero());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].token, 7u);
  EXPECT_TRUE(events[0].readable);
  c.client.reset();
  EXPECT_FALSE(second.ready());
}

}  // namespace
}  // namespace hermod::transport
