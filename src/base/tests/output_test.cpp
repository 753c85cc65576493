// SPDX-License-Identifier: Apache-2.0
// The output's promises, then against a model: a string of octets that waits, under random appends,
// shared pieces and partial writes.
#include "hermod/base/output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "hermod/base/rng.hpp"

namespace hermod {
namespace {

SharedBytes shared(std::string_view text) {
  return SharedBytes::copy_of(as_bytes(text));
}

std::string waiting(const Output& output) {
  std::array<Bytes, 4096> pieces;
  const std::size_t count = output.gather(pieces);
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += as_text(pieces[i]);
  return all;
}

TEST(Output, KeepsTheOrderOfCopiedAndShared) {
  Output output;
  output.append(as_bytes("one "));
  output.append_shared(shared("two "));
  output.append_shared(shared("three "));
  output.append(as_bytes("four"));
  EXPECT_EQ(output.size(), 18u);
  EXPECT_EQ(waiting(output), "one two three four");
}

TEST(Output, GathersOnlyWhatFits) {
  Output output;
  output.append(as_bytes("a"));
  output.append_shared(shared("b"));
  output.append(as_bytes("c"));
  for (std::size_t room = 0; room <= 3; ++room) {
    std::array<Bytes, 3> pieces;
    EXPECT_EQ(output.gather(std::span(pieces).first(room)), room);
    for (std::size_t i = 0; i < room; ++i) EXPECT_EQ(as_text(pieces[i]), "abc"[i] + std::string());
  }
}

TEST(Output, SharedOctetsAreReferredTo) {
  Output output;
  const SharedBytes octets = shared("payload");
  output.append_shared(octets);
  std::array<Bytes, 2> pieces;
  ASSERT_EQ(output.gather(pieces), 1u);
  EXPECT_EQ(pieces[0].data(), octets.bytes().data());
}

TEST(Output, SharedOctetsAreReleasedWhenWritten) {
  class Home : public ForeignOwner {
   public:
    void give_back(void*) override { ++returned; }
    int returned = 0;
  };
  Home home;
  Output output;
  output.append_shared(SharedBytes::foreign(as_bytes("first"), home, nullptr));
  output.append_shared(SharedBytes::foreign(as_bytes("second"), home, nullptr));
  output.consume(4);
  EXPECT_EQ(home.returned, 0);
  output.consume(1);
  EXPECT_EQ(home.returned, 1);
  output.clear();
  EXPECT_EQ(home.returned, 2);
  EXPECT_TRUE(output.empty());
}

TEST(Output, ReserveAndCommit) {
  Output output;
  std::uint8_t* room = output.reserve(3000);
  std::memset(room, 'x', 3000);
  output.commit(10);
  EXPECT_EQ(waiting(output), "xxxxxxxxxx");
  output.append({});
  output.append_shared(SharedBytes{});
  EXPECT_EQ(output.size(), 10u);
}

TEST(Output, MemoryStaysUntilShrunk) {
  Output output;
  output.append(std::vector<std::uint8_t>(5000, 1));
  const std::size_t held = output.capacity();
  EXPECT_GE(held, 5000u);
  output.consume(5000);
  EXPECT_EQ(output.capacity(), held);
  output.shrink(held);
  EXPECT_EQ(output.capacity(), held);
  output.shrink(held - 1);
  EXPECT_EQ(output.capacity(), 0u);
  output.append(as_bytes("again"));
  EXPECT_EQ(waiting(output), "again");
}

TEST(Output, SteadyStateDoesNotGrow) {
  Output output;
  const std::vector<std::uint8_t> packet(100, 7);
  output.append(packet);
  for (int i = 0; i < 10000; ++i) {  // never empty: room at the front must be used again
    output.append(packet);
    output.consume(100);
  }
  EXPECT_LE(output.capacity(), 2048u);
}

TEST(OutputDeathTest, MoreThanWaitsCannotBeConsumed) {
  Output output;
  output.append(as_bytes("abc"));
  EXPECT_DEATH(output.consume(4), "broken invariant");
  EXPECT_DEATH(output.shrink(0), "broken invariant");
}

class Model {
 public:
  explicit Model(std::uint64_t seed) : rng_(seed) {}

  void step() {
    switch (rng_.below(10)) {
      case 0:
      case 1:
      case 2: {
        const std::string text = random_text();
        output_.append(as_bytes(text));
        waiting_ += text;
        break;
      }
      case 3:
      case 4: {
        const std::string text = random_text();
        output_.append_shared(shared(text));
        waiting_ += text;
        break;
      }
      case 5:
        reserve();
        break;
      case 6:
        if (rng_.below(20) == 0) {
          output_.clear();
          waiting_.clear();
        }
        break;
      default:
        consume();
    }
  }

  void check() const {
    EXPECT_EQ(output_.size(), waiting_.size());
    EXPECT_EQ(output_.empty(), waiting_.empty());
    EXPECT_EQ(waiting(output_), waiting_);
  }

 private:
  std::string random_text() {
    std::string text(rng_.below(std::uint64_t{1} << rng_.below(12)), ' ');
    for (char& letter : text) letter = static_cast<char>('a' + rng_.below(26));
    return text;
  }

  void reserve() {  // writes less than it asked room for
    const std::string text = random_text();
    std::memcpy(output_.reserve(text.size() + rng_.below(500)), text.data(), text.size());
    output_.commit(text.size());
    waiting_ += text;
  }

  void consume() {
    const std::size_t count =
        rng_.below(3) == 0 ? waiting_.size() : rng_.below(waiting_.size() + 1);
    output_.consume(count);
    waiting_.erase(0, count);
    if (waiting_.empty() && rng_.below(4) == 0) output_.shrink(rng_.below(8192));
  }

  SeededRng rng_;
  Output output_;
  std::string waiting_;
};

TEST(Output, AgreesWithAModel) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int i = 0; i < 300; ++i) {
      model.step();
      model.check();
      ASSERT_FALSE(::testing::Test::HasFailure()) << "step " << i;
    }
  }
}

}  // namespace
}  // namespace hermod
