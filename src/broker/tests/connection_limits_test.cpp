// SPDX-License-Identifier: Apache-2.0
// Every member of ConnectionLimits and MailLimits, reached in a shard: what happens there, that
// nothing is left over, and that service goes on.
#include <algorithm>

#include "world.hpp"

namespace hermod::broker {
namespace {

using std::chrono::seconds;

std::string repeat(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// --- connections_max ---

TEST(ConnectionLimits, connections_max_RefusesTheNextAndServesTheOthers) {
  World world;
  world.settings.connections.connections_max = 3;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    EXPECT_EQ(clients.back()->ask(fmt::format("attach c{}", i)), "#1 ok\n");
  }
  for (std::uint64_t round = 1; round <= 50; ++round) {
    Client refused{world};
    world.run();
    EXPECT_EQ(refused.read(), "");
    EXPECT_TRUE(refused.ended());
    EXPECT_EQ(world.shard().counters().refused, round);
    EXPECT_EQ(world.lines.sessions(), 3);
    clients.erase(clients.begin());
    world.run();
    clients.push_back(std::make_unique<Client>(world));
    EXPECT_EQ(clients.back()->ask(fmt::format("attach d{}", round)), "#1 ok\n");
    for (auto& client : clients) EXPECT_EQ(client->ask("ping"), "pong\n");
  }
}

TEST(ConnectionLimits, connections_max_HoldsForAHandoverToo) {
  World world{2};
  world.settings.connections.connections_max = 1;
  Client there{world, 1};
  there.ask("attach " + world.name_on(1, "a"));
  {
    Client moving{world, 0};
    EXPECT_EQ(moving.ask("attach " + world.name_on(1, "b")), "");
    EXPECT_TRUE(moving.ended());
    EXPECT_EQ(world.shard(1).counters().refused, 1u);
  }
  EXPECT_EQ(world.connections(), 1u);
  there.ask("bye");
  Client again{world, 0};
  EXPECT_EQ(again.ask("attach " + world.name_on(1, "b")), "#1 ok\n");
  Client here{world, 0};  // what has moved away counts here no more
  EXPECT_EQ(here.ask("attach " + world.name_on(0, "c")), "#1 ok\n");
}

TEST(ConnectionLimits, connections_max_DoesNotCountDatagramPeers) {
  World world;
  world.settings.connections.connections_max = 1;
  PeerClient first{world};
  PeerClient second{world};
  first.ask("ping");
  second.ask("ping");
  Client client{world};
  EXPECT_EQ(client.ask("attach a"), "#1 ok\n");
}

// --- unattached_max ---

TEST(ConnectionLimits, unattached_max_RefusesTheNextUntilOneIsAttached) {
  World world;
  world.settings.connections.unattached_max = 2;
  Client first{world};
  Client second{world};
  world.run();
  Client refused{world};
  world.run();
  EXPECT_EQ(refused.read(), "");
  EXPECT_TRUE(refused.ended());
  EXPECT_EQ(world.shard().counters().refused, 1u);
  EXPECT_EQ(first.ask("attach a"), "#1 ok\n");
  Client third{world};
  EXPECT_EQ(third.ask("attach b"), "#1 ok\n");
  EXPECT_EQ(second.ask("attach c"), "#1 ok\n");
  EXPECT_EQ(world.shard().connections(), 3u);
}

// However an unattached connection goes, its place is free again.
TEST(ConnectionLimits, unattached_max_IsCountedRightHoweverTheyGo) {
  World world{2};
  world.settings.connections.unattached_max = 2;
  world.settings.listeners[World::kLines].limits.connect_timeout_s = 1;
  const std::string here = world.name_on(0, "h");
  const std::string there = world.name_on(1, "t");
  for (int round = 0; round < 30; ++round) {
    world.pass(seconds{6});  // those of the round before have gone
    Client first{world};
    Client second{world};
    switch (round % 6) {
      case 0:
        first.end();
        second.reset();
        break;
      case 1:
        first.ask("attach " + here + "\nbye");
        second.ask("attach " + here);
        second.reset();
        break;
      case 2:
        first.send("attach " + there);  // moves
        second.send("attach " + there);
        break;
      case 3:
        world.pass(seconds{2});  // times out
        break;
      case 4:
        first.send("not a word");  // is closed
        (void)second.write("attach");
        break;
      default:
        first.send("attach " + here + " keep\nbye");
        second.send("attach " + here);  // takes over
        break;
    }
    world.run();
  }
  world.pass(seconds{6});
  EXPECT_EQ(world.connections(), 0u);
  EXPECT_EQ(world.shard(0).counters().refused + world.shard(1).counters().refused, 0u);
  Client first{world};
  Client second{world};
  world.run();
  EXPECT_EQ(world.shard().connections(), 2u);
}

// --- unattached_bytes_max ---

TEST(ConnectionLimits, unattached_bytes_max_ClosesTheOneThatGoesOverIt) {
  World world;
  world.settings.connections.unattached_bytes_max = 1'000;
  Client first{world};
  (void)first.write("attach " + std::string(600, 'a'));
  world.run();
  Client second{world};
  (void)second.write(std::string(300, 'b'));
  world.run();
  EXPECT_EQ(world.shard().connections(), 2u);
  (void)second.write(std::string(300, 'b'));
  world.run();
  EXPECT_EQ(second.read(), "end: quota exceeded\n");
  EXPECT_TRUE(second.ended());
  EXPECT_EQ(first.ask(""), "#1 ok\n");  // its line is complete
  EXPECT_EQ(world.shard().connections(), 1u);
  EXPECT_EQ(world.lines.sessions(), 1);
}

TEST(ConnectionLimits, unattached_bytes_max_DoesNotCountAttachedOnes) {
  World world;
  world.settings.connections.unattached_bytes_max = 1'000;
  Client client{world};
  client.ask("attach a");
  (void)client.write("pub t " + std::string(5'000, 'x'));
  world.run();
  EXPECT_EQ(world.shard().connections(), 1u);
  Client other{world};
  (void)other.write("attach " + std::string(900, 'b'));
  world.run();
  EXPECT_EQ(other.ask(""), "#1 ok\n");
  EXPECT_EQ(client.ask("\nping"), "pong\n");
}

// However a connection with octets goes, they are not counted any more.
TEST(ConnectionLimits, unattached_bytes_max_IsCountedRightHoweverTheyGo) {
  World world{2};
  world.settings.connections.unattached_bytes_max = 1'000;
  world.settings.listeners[World::kLines].limits.connect_timeout_s = 1;
  const std::string filler(900, ' ');
  for (int round = 0; round < 35; ++round) {
    Client client{world};
    (void)client.write("attach " + world.name_on(round % 7 == 2 ? 1 : 0, "c"));
    (void)client.write(filler);
    world.run();
    ASSERT_EQ(world.connections(), 1u) << "round " << round;
    switch (round % 7) {
      case 0:
        client.end();
        break;
      case 1:
        client.reset();
        break;
      case 2:
        client.send("\npub t " + filler);  // moves with what follows
        break;
      case 3:
        client.send("\nbye");
        break;
      case 4:
        client.send("\npub t x\nclose\n" + filler);
        break;
      case 5:
        client.end();  // half a line is waited for
        world.run();
        break;
      default:
        break;
    }
    world.pass(seconds{6});
    client.reset();
    world.run();
    ASSERT_EQ(world.connections(), 0u) << "round " << round;
  }
}

TEST(ConnectionLimits, unattached_bytes_max_CountsWhatAHandoverBrings) {
  World world{2};
  world.settings.connections.unattached_bytes_max = 1'000;
  for (int round = 0; round < 20; ++round) {
    Client client{world, 0};
    // Attached at once over there: the line behind it is no longer that of an unattached one.
    client.send("attach " + world.name_on(1, "c"));
    (void)client.write("pub t " + std::string(2'000, 'x'));
    world.run();
    EXPECT_EQ(client.ask("\nping"), "#1 ok\npong\n");
  }
}

// --- peers_max ---

TEST(ConnectionLimits, peers_max_ForgetsOneThatObservesNothing) {
  World world;
  world.settings.connections.peers_max = 4;
  std::vector<PeerClient> peers;
  for (int i = 0; i < 40; ++i) {
    peers.emplace_back(world);
    EXPECT_EQ(peers.back().ask("ping"), "pong\n");
    EXPECT_LE(world.shard().connections(), 4u);
  }
  EXPECT_EQ(world.datagrams.sessions(), 4);
  for (PeerClient& peer : peers) EXPECT_EQ(peer.ask("ping"), "pong\n");  // whoever it was
  EXPECT_EQ(world.shard().counters().datagrams_dropped, 0u);
}

TEST(ConnectionLimits, peers_max_DropsDatagramsWhenAllObserve) {
  World world;
  world.settings.connections.peers_max = 4;
  std::vector<PeerClient> observers;
  for (int i = 0; i < 4; ++i) {
    observers.emplace_back(world);
    observers.back().ask("attach -");
    EXPECT_EQ(observers.back().ask("sub t"), "#2 ok\n");
  }
  PeerClient other{world};
  EXPECT_EQ(other.ask("pub t x"), "");
  EXPECT_EQ(other.ask("ping"), "");
  EXPECT_EQ(world.shard().counters().datagrams_dropped, 2u);
  for (PeerClient& observer : observers) EXPECT_EQ(observer.ask("ping"), "pong\n");
  observers.front().ask("bye");
  world.pass(std::chrono::milliseconds{5});
  EXPECT_EQ(other.ask("ping"), "pong\n");
  EXPECT_EQ(world.shard().connections(), 4u);
}

// Who begins to observe in the same turn is an observer already.
TEST(ConnectionLimits, peers_max_KeepsOneThatHasJustBegunToObserve) {
  World world;
  world.settings.connections.peers_max = 1;
  PeerClient observer{world};
  PeerClient other{world};
  observer.send("attach -");
  other.send("ping");
  world.run();
  EXPECT_EQ(observer.read(), "#1 ok\n");
  EXPECT_EQ(other.read(), "");
  EXPECT_EQ(world.shard().core().subscribers(), 1u);
  EXPECT_EQ(observer.ask("ping"), "pong\n");
}

TEST(ConnectionLimits, peers_max_DoesNotCountStreams) {
  World world;
  world.settings.connections.peers_max = 1;
  Client client{world};
  EXPECT_EQ(client.ask("attach a"), "#1 ok\n");
  PeerClient peer{world};
  EXPECT_EQ(peer.ask("ping"), "pong\n");
  PeerClient next{world};  // room is found among peers, never among streams
  next.ask("ping");
  EXPECT_EQ(client.ask("ping"), "pong\n");
}

// --- output_soft_bytes, output_hard_bytes ---

constexpr std::size_t kBuffer = 4'096;  // of the network, each way
constexpr std::size_t kParked = 4'096;  // read of a connection whose requests are not taken
constexpr std::size_t kOneBatch = 256 * 60;

TEST(ConnectionLimits, output_soft_bytes_EndsDeliveriesAndRequests) {
  World world{1, {.stream_buffer_bytes = kBuffer}};
  world.settings.connections.output_soft_bytes = 20'000;
  Client slow{world};
  slow.ask("attach slow\nsub t");
  Client publisher{world};
  publisher.ask("attach p");
  const std::string line = "pub t " + std::string(50, 'x');
  const core::RouterCounters& counters = world.shard().core().counters();
  for (int i = 0; i < 2'000; ++i) publisher.ask(line);
  EXPECT_GE(counters.delivered * 53, 20'000u);
  EXPECT_LE(counters.delivered * 53, 20'000u + kBuffer + kOneBatch);
  slow.send("sub u\nping");
  world.run();
  std::string got;
  for (std::string part = slow.read(); !part.empty(); part = slow.read()) {
    got += part;
    world.run();
  }
  EXPECT_EQ(got, repeat("t=" + std::string(50, 'x') + '\n', 2'000) + "pong\n#3 ok\n");
  EXPECT_EQ(slow.ask("pub t y"), "t=y\n");
}

TEST(ConnectionLimits, output_hard_bytes_EndsAllReading) {
  World world{1, {.stream_buffer_bytes = kBuffer}};
  world.settings.connections.output_soft_bytes = 10'000;
  world.settings.connections.output_hard_bytes = 50'000;
  Client client{world};
  client.ask("attach a");
  const std::string pings = repeat("ping\n", 200);
  std::string sent;
  for (int i = 0; i < 200; ++i) {  // replies are read beyond the soft limit, up to the hard one
    const std::size_t at = sent.size() % pings.size();
    const std::size_t taken = client.write(std::string_view{pings}.substr(at));
    sent += pings.substr(at, taken);
    world.run();
  }
  EXPECT_GE(sent.size(), 50'000u);
  EXPECT_LE(sent.size(), 50'000u + 2 * kBuffer + 2 * kParked);
  Client other{world};
  EXPECT_EQ(other.ask("attach b\nping"), "#1 ok\npong\n");
  std::string got;
  for (std::string part = client.read(); !part.empty(); part = client.read()) {
    got += part;
    world.run();
  }
  EXPECT_EQ(got, repeat("pong\n", sent.size() / 5));
  (void)client.write(std::string_view{"ping\n"}.substr(sent.size() % 5));
  world.run();
  EXPECT_TRUE(client.read().ends_with("pong\n"));
}

// --- mail ---

// Two shards; the second one stands still while the first publishes to it.
class MailLimitsTest : public testing::Test {
 protected:
  MailLimitsTest() {
    there.ask("attach " + world.name_on(1, "there") + "\nsub t");
    here.ask("attach " + world.name_on(0, "here") + "\nsub local");
    publisher.ask("attach " + world.name_on(0, "p"));
    local.ask("attach " + world.name_on(0, "l"));
  }
  Mailbox& box() { return world.mailroom.between(0, 1); }
  /// One publication a turn of the first shard, so that the limit is met as it stands.
  void publish(int from, int to, std::string_view padding = "") {
    for (int i = from; i < to; ++i) {
      publisher.send(fmt::format("pub t {}{}", i, padding));
      expected += fmt::format("t={}{}\n", i, padding);
      turn_first();
    }
  }
  void turn_first() {
    for (int i = 0; i < 3; ++i) world.turn(0);
  }
  void expect_standing() {
    // Publications stand, whomever they are for; replies pass.
    const std::size_t letters = box().letters();
    const std::uint64_t published = world.shard(0).core().counters().published;
    local.send("ping\npub local x");
    turn_first();
    EXPECT_EQ(local.read(), "pong\n");
    EXPECT_EQ(here.read(), "");
    EXPECT_EQ(box().letters(), letters);
    EXPECT_EQ(world.shard(0).core().counters().published, published);
  }
  void expect_going_on() {
    world.run();
    EXPECT_EQ(there.read(), expected);
    EXPECT_EQ(here.read(), "local=x\n");
    EXPECT_EQ(world.mail(), 0u);
    EXPECT_EQ(publisher.ask("pub t end"), "");
    EXPECT_EQ(there.read(), "t=end\n");
  }

  World world{2};
  Client there{world, 1};
  Client here{world, 0};
  Client publisher{world, 0};
  Client local{world, 0};
  std::string expected;
};

TEST_F(MailLimitsTest, letters_max_StopsPublicationsUntilThereIsRoom) {
  world.settings.mail.letters_max = 10;
  publish(0, 100);
  EXPECT_EQ(box().letters(), 10u);
  expect_standing();
  expect_going_on();
}

TEST_F(MailLimitsTest, bytes_max_StopsPublicationsUntilThereIsRoom) {
  world.settings.mail.bytes_max = 5'000;
  publish(0, 100, std::string(400, 'x'));
  EXPECT_GE(box().bytes(), 5'000u);
  EXPECT_LT(box().bytes(), 5'000u + 410);
  expect_standing();
  expect_going_on();
}

TEST_F(MailLimitsTest, letters_max_LetsControlLettersPass) {
  world.settings.mail.letters_max = 10;
  publish(0, 20);
  Client moving{world, 0};
  moving.send("attach " + world.name_on(1, "m"));
  turn_first();
  EXPECT_EQ(world.shard(0).counters().handed_over,
            0u);  // nothing of it is read before there is room
  world.run();
  EXPECT_EQ(moving.read(), "#1 ok\n");
  EXPECT_EQ(there.read(), expected);
}

// What stands is bounded for each connection; the network keeps the others.
TEST_F(MailLimitsTest, letters_max_TheRestIsBounded) {
  world.settings.mail.letters_max = 10;
  publish(0, 20);
  const std::string line = "pub t " + std::string(93, 'y') + '\n';
  std::size_t taken = 0;
  for (int i = 0; i < 3'000; ++i) {
    taken += publisher.write(line);
    world.turn(0);
  }
  EXPECT_LE(taken, 64u * 1024 + 2 * kParked);
  EXPECT_EQ(box().letters(), 10u);
  world.run();
  std::size_t got = 0;
  for (std::string part = there.read(); !part.empty(); part = there.read()) {
    got += static_cast<std::size_t>(std::ranges::count(part, '\n'));
    world.run();
  }
  EXPECT_EQ(got, 20u + taken / line.size());
  EXPECT_EQ(world.mail(), 0u);
}

// All at once does not help either: what may not be read now stays in the network.
TEST(MailLimits, letters_max_ALargeWriteStaysInTheNetwork) {
  constexpr std::size_t kWide = 1u << 20;
  World world{2, {.stream_buffer_bytes = kWide}};
  world.settings.mail.letters_max = 1;
  Client there{world, 1};
  there.ask("attach " + world.name_on(1, "there") + "\nsub t");
  Client publisher{world, 0};
  publisher.ask("attach " + world.name_on(0, "p"));
  publisher.send("pub t x");
  world.turn(0);  // the box is full
  const std::string lines = repeat("pub t y\n", 50'000);
  ASSERT_EQ(publisher.write(lines), lines.size());
  for (int i = 0; i < 10; ++i) world.turn(0);
  const std::size_t room = publisher.write(repeat("pub t y\n", kWide / 8));
  EXPECT_LE(room, kWide - lines.size() + 2 * kParked);
  world.run();
  std::size_t got = 0;
  for (std::string part = there.read(); !part.empty(); part = there.read()) {
    got += static_cast<std::size_t>(std::ranges::count(part, '\n'));
    world.run();
  }
  EXPECT_EQ(got, 1 + (lines.size() + room) / 8);
}

TEST_F(MailLimitsTest, letters_max_OneThatGoesWhileItStandsIsObeyedFirst) {
  world.settings.mail.letters_max = 10;
  publish(0, 20);
  publisher.send("bye");
  publisher.end();
  turn_first();
  world.run();
  EXPECT_EQ(there.read(), expected);
  EXPECT_EQ(world.shard(0).connections(), 2u);
}

}  // namespace
}  // namespace hermod::broker
