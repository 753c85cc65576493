// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus in the tree is what the conversations say. To bring it up to date:
//   cmake --build --preset release --target mqtt_session_seeds
//   build/release/mqtt_session_seeds fuzz/corpus/mqtt_session
#include <gtest/gtest.h>

#include "session_seeds.hpp"

namespace hermod::mqtt {
namespace {

TEST(SessionSeeds, CorpusIsGeneratedFromTheConversations) {
  EXPECT_EQ(testkit::read_seeds(MQTT_SESSION_CORPUS), session_seeds());
}

}  // namespace
}  // namespace hermod::mqtt
