// SPDX-License-Identifier: Apache-2.0
// Deliveries that wait for more of their kind while the shard is busy, and what does not wait.
#include "world.hpp"

namespace hermod::broker {
namespace {

constexpr int kSubscribers = 64;
constexpr int kTurnsMost = 8;  // that an output waits

class LingerTest : public testing::Test {
 protected:
  LingerTest() {
    publisher.ask("attach publisher");
    for (int i = 0; i < kSubscribers; ++i) {
      subscribers.push_back(std::make_unique<Client>(world));
      subscribers.back()->ask(fmt::format("attach s{}\nsub t", i));
    }
  }
  /// How many of the subscribers have something to read now; what it is goes to `seen`.
  int served() {
    int count = 0;
    for (int i = 0; i < kSubscribers; ++i) {
      const std::string text = subscribers[i]->read();
      if (!text.empty()) ++count;
      seen[i] += text;
    }
    return count;
  }
  void busy_turn(int number) {
    publisher.send(fmt::format("pub t {}", number));
    world.turn();
  }
  static std::string messages(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += fmt::format("t={}\n", i);
    return text;
  }

  World world;
  Client publisher{world};
  std::vector<std::unique_ptr<Client>> subscribers;
  std::array<std::string, kSubscribers> seen;
};

TEST_F(LingerTest, ABusyTurnWritesAPartAndTheOthersGather) {
  busy_turn(0);
  const int first = served();
  EXPECT_GT(first, 0);
  EXPECT_LT(first, kSubscribers / 4);
  for (int i = 1; i < kTurnsMost; ++i) busy_turn(i);
  (void)served();
  // Everybody has got the first message by now, the last in the queue several with one write.
  for (const std::string& text : seen) EXPECT_TRUE(text.starts_with(messages(0, 1)));
  EXPECT_TRUE(seen.back().starts_with(messages(0, 4)));
  world.run();
  (void)served();
  for (const std::string& text : seen) EXPECT_EQ(text, messages(0, kTurnsMost));
}

// However long the work goes on, and however few wait: eight turns, then it is written.
TEST_F(LingerTest, NobodyWaitsLongerThanEightTurns) {
  constexpr int kTurns = 100;
  for (int i = 0; i < kTurns; ++i) {
    busy_turn(i);
    (void)served();
    for (const std::string& text : seen) {
      EXPECT_TRUE(text.starts_with(messages(0, i + 1 - kTurnsMost))) << "turn " << i;
    }
  }
  world.run();
  (void)served();
  for (const std::string& text : seen) EXPECT_EQ(text, messages(0, kTurns));
}

TEST_F(LingerTest, WithoutOtherWorkEverythingIsWrittenInTurnsThatDoNotSleep) {
  busy_turn(0);
  int turns = 0;
  for (int count = served(); count < kSubscribers && turns < 100; ++turns) {
    world.turn();
    count += served();
  }
  EXPECT_LE(turns, 2);  // 32 a turn
}

// One message, then nothing until all have it: waiting gains nothing, and is given up.
TEST_F(LingerTest, WhereNothingMoreComesNobodyWaits) {
  for (std::size_t written = 0; written < Patience::kTrial; written += kSubscribers) {
    busy_turn(0);
    world.run();
    EXPECT_EQ(served(), kSubscribers);
  }
  busy_turn(1);
  EXPECT_EQ(served(), kSubscribers);
}

TEST_F(LingerTest, AcknowledgementsDoNotWait) {
  publisher.send("pub1 t x");
  world.turn();
  EXPECT_EQ(publisher.read(), "#2 ok\n");
  EXPECT_LT(served(), kSubscribers);
}

TEST_F(LingerTest, AReplyTakesAlongWhatWaits) {
  publisher.send("pub t x");
  subscribers.back()->send("ping");
  world.turn();
  EXPECT_EQ(subscribers.back()->read(), "t=x\npong\n");
}

TEST_F(LingerTest, ALargeOutputDoesNotWait) {
  const std::string payload(16 * 1024, 'x');
  publisher.send("pub t " + payload);
  for (int i = 0; i < 10; ++i) world.turn();
  EXPECT_EQ(served(), kSubscribers);
  publisher.send("pub t " + payload);
  world.turn();
  EXPECT_EQ(served(), kSubscribers);
}

TEST_F(LingerTest, AConnectionThatEndsMeanwhileIsForgotten) {
  busy_turn(0);
  (void)served();
  subscribers.back()->reset();
  busy_turn(1);
  subscribers.back() = std::make_unique<Client>(world);
  subscribers.back()->ask("attach another");
  world.run();
  EXPECT_EQ(subscribers.back()->read(), "");
  (void)served();
  EXPECT_EQ(seen.front(), messages(0, 2));
}

}  // namespace
}  // namespace hermod::broker
