// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/delivery.hpp"

#include <gtest/gtest.h>

#include "hermod/testkit/allocations.hpp"

namespace hermod::model {
namespace {

TEST(EncodeSlots, WhatOneLeavesAnotherFindsByKey) {
  EncodeSlots slots;
  EXPECT_EQ(slots.find(1), nullptr);
  slots.make(1).bytes = {10};
  slots.make(2).bytes = {20};
  slots.make(2000).bytes = {30};
  ASSERT_NE(slots.find(2), nullptr);
  EXPECT_EQ(slots.find(1)->bytes, std::vector<std::uint8_t>({10}));
  EXPECT_EQ(slots.find(2)->bytes, std::vector<std::uint8_t>({20}));
  EXPECT_EQ(slots.find(2000)->bytes, std::vector<std::uint8_t>({30}));
  EXPECT_EQ(slots.find(3), nullptr);
}

TEST(EncodeSlots, ClearForgetsAndKeepsTheMemory) {
  EncodeSlots slots;
  EncodeSlots::Slot& slot = slots.make(1);
  slot.bytes.assign(1'000, 1);
  slot.offsets.assign(10, 0);
  slots.clear();
  EXPECT_EQ(slots.find(1), nullptr);

  const std::size_t before = testkit::allocation_count();
  EncodeSlots::Slot& again = slots.make(7);
  EXPECT_TRUE(again.bytes.empty());
  EXPECT_TRUE(again.offsets.empty());
  again.bytes.resize(1'000);
  again.offsets.resize(10);
  EXPECT_EQ(testkit::allocation_count(), before);
  EXPECT_EQ(slots.find(1), nullptr);
  EXPECT_EQ(slots.find(7), &again);
}

}  // namespace
}  // namespace hermod::model
