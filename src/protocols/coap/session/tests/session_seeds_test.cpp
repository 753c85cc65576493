// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what session_ops.hpp says. To bring it up to date:
//   cmake --build --preset release --target coap_session_seeds
//   build/release/coap_session_seeds fuzz/corpus/coap_session
#include <gtest/gtest.h>

#include "session_ops.hpp"

namespace hermod::coap::test {
namespace {

TEST(SessionSeeds, CorpusIsGenerated) {
  EXPECT_EQ(testkit::read_seeds(COAP_SESSION_CORPUS), session_seeds());
}

}  // namespace
}  // namespace hermod::coap::test
