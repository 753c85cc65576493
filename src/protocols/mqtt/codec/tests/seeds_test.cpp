// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what the vectors say. To bring it up to date:
//   cmake --build --preset release --target mqtt_codec_seeds
//   build/release/mqtt_codec_seeds fuzz/corpus/mqtt_codec
#include <gtest/gtest.h>

#include "hermod/testkit/seeds.hpp"
#include "mqtt_seeds.hpp"

namespace hermod::mqtt {
namespace {

TEST(SeedsTest, CorpusIsGeneratedFromTheVectors) {
  const testkit::Seeds expected = vector_seeds();
  std::size_t vectors = 0;
  for (const Version version : {Version::kV31, Version::kV311, Version::kV5}) {
    vectors += wire_vectors(version).size();
  }
  ASSERT_EQ(expected.size(), vectors) << "two vectors have one name";
  const testkit::Seeds corpus = testkit::read_seeds(MQTT_CODEC_CORPUS);
  for (const auto& [name, content] : expected) {
    ASSERT_TRUE(corpus.contains(name)) << name << " is missing";
    EXPECT_EQ(corpus.at(name), content) << name;
  }
  for (const auto& [name, content] : corpus) {
    EXPECT_TRUE(expected.contains(name)) << name << " comes from no vector";
  }
}

}  // namespace
}  // namespace hermod::mqtt
