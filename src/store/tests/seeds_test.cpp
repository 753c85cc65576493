// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what the samples say. To bring it up to date:
//   cmake --build --preset release --target store_seeds
//   build/release/store_seeds fuzz/corpus/store_record
// If it differs without intent, the format has changed: bodies of an earlier version must be read
// for ever.
#include <gtest/gtest.h>

#include "record_seeds.hpp"

namespace hermod::store {
namespace {

TEST(StoreSeeds, CorpusIsGeneratedFromTheSamples) {
  EXPECT_EQ(testkit::read_seeds(STORE_CORPUS), samples::record_seeds());
}

}  // namespace
}  // namespace hermod::store
