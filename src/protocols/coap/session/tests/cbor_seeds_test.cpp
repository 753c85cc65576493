// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what the vectors say. To bring it up to date:
//   cmake --build --preset release --target coap_cbor_seeds
//   build/release/coap_cbor_seeds fuzz/corpus/coap_cbor
#include "cbor_seeds.hpp"

#include <gtest/gtest.h>

namespace hermod::coap::test {
namespace {

TEST(CborSeeds, CorpusIsGeneratedFromTheVectors) {
  EXPECT_EQ(testkit::read_seeds(COAP_CBOR_CORPUS), cbor_seeds());
}

}  // namespace
}  // namespace hermod::coap::test
