// SPDX-License-Identifier: Apache-2.0
// Not quality of randomness in general, but what tables and placement rely on: every octet, the
// length and the key count, and equal shares come out.
#include "hermod/base/hash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace hermod {
namespace {

constexpr std::uint64_t kKey = 42;

TEST(Hash, IsAFunctionOfTextAndKey) {
  const std::string topic = "Temperature/Kitchen";
  const std::string elsewhere = "x" + topic;  // the same octets at another alignment
  EXPECT_EQ(keyed_hash(topic, kKey), keyed_hash(std::string_view(elsewhere).substr(1), kKey));
  EXPECT_NE(keyed_hash(topic, kKey), keyed_hash(topic, kKey + 1));
  EXPECT_EQ(KeyedHash{kKey}(topic), keyed_hash(topic, kKey));
}

TEST(Hash, EveryBitOfEveryOctetCounts) {
  for (std::size_t size = 1; size <= 70; ++size) {
    std::set<std::uint64_t> seen = {keyed_hash(std::string(size, 'a'), kKey)};
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      std::string changed(size, 'a');
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      EXPECT_TRUE(seen.insert(keyed_hash(changed, kKey)).second) << size << " " << bit;
    }
  }
}

TEST(Hash, LengthCounts) {
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size <= 100; ++size) {
    EXPECT_TRUE(seen.insert(keyed_hash(std::string(size, '\0'), kKey)).second) << size;
  }
}

TEST(Hash, FillsShardsEvenly) {
  std::array<int, 16> low{};
  std::array<int, 16> high{};
  for (int i = 0; i < 16000; ++i) {
    const std::uint64_t hash = keyed_hash("sensor/" + std::to_string(i), kKey);
    ++low[hash % 16];
    ++high[hash >> 60];
  }
  for (const auto& counts : {low, high}) {  // expected 1000 each, standard deviation 31
    EXPECT_GT(*std::ranges::min_element(counts), 840);
    EXPECT_LT(*std::ranges::max_element(counts), 1160);
  }
}

}  // namespace
}  // namespace hermod
