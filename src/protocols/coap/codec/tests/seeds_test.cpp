// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what the vectors say. To bring it up to date:
//   cmake --build --preset release --target coap_codec_seeds
//   build/release/coap_codec_seeds fuzz/corpus/coap_codec
// and the same with coap_link.
#include <gtest/gtest.h>

#include <iterator>

#include "coap_seeds.hpp"
#include "link_vectors.hpp"

namespace hermod::coap::test {
namespace {

TEST(Seeds, CorpusIsGeneratedFromTheVectors) {
  const testkit::Seeds expected = vector_seeds();
  ASSERT_EQ(expected.size(), std::size(kValid) + std::size(kMalformed)) << "a name stands twice";
  EXPECT_EQ(testkit::read_seeds(COAP_CODEC_CORPUS), expected);
}

TEST(Seeds, CorpusOfLinksIsGeneratedFromTheVectors) {
  const testkit::Seeds expected = link_seeds();
  ASSERT_EQ(expected.size(), std::size(kLinks) + std::size(kBadLinks) + std::size(kLinkQueries))
      << "a name stands twice";
  EXPECT_EQ(testkit::read_seeds(COAP_LINK_CORPUS), expected);
}

}  // namespace
}  // namespace hermod::coap::test
