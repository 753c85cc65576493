// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what the samples say. To bring it up to date:
//   cmake --build --preset release --target store_metadata_seeds
//   build/release/store_metadata_seeds fuzz/corpus/store_metadata
#include <gtest/gtest.h>

#include "fuzz_seeds.hpp"

namespace hermod::store {
namespace {

TEST(MetadataSeeds, CorpusIsGeneratedFromTheSamples) {
  EXPECT_EQ(testkit::read_seeds(METADATA_CORPUS), fuzz_seeds());
}

}  // namespace
}  // namespace hermod::store
