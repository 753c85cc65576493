// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what the vectors say. To bring it up to date:
//   cmake --build --preset release --target sasl_seeds
//   build/release/sasl_seeds fuzz/corpus/sasl
#include <gtest/gtest.h>

#include "scram_vectors.hpp"

namespace hermod::sasl {
namespace {

TEST(SaslSeeds, CorpusIsGeneratedFromTheVectors) {
  EXPECT_EQ(testkit::read_seeds(SASL_CORPUS), vectors::seeds());
}

}  // namespace
}  // namespace hermod::sasl
