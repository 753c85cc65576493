// SPDX-License-Identifier: Apache-2.0
#include "hermod/session/effects.hpp"

#include <gtest/gtest.h>

namespace hermod::session {
namespace {

class EffectsTest : public testing::Test {
 protected:
  template <typename E>
  const E& at(std::size_t index) {
    return std::get<E>(list_.at(index).effect);
  }

  Output output_;
  EffectList list_;
  Effects effects_{{7, 3}, output_, list_};
};

TEST_F(EffectsTest, RecordsSayWhoWantsThem) {
  effects_.close(model::Reason::kTimeout);
  ASSERT_EQ(list_.size(), 1u);
  EXPECT_EQ(list_[0].connection, (ConnectionId{7, 3}));
  EXPECT_EQ(at<Close>(0).reason, model::Reason::kTimeout);
}

TEST_F(EffectsTest, APublicationIsMadeInItsPlace) {
  Publish& publish = effects_.append<Publish>();
  publish.message.destination.address = "a/b";
  publish.ticket = 5;
  EXPECT_EQ(at<Publish>(0).message.destination.address, "a/b");
  EXPECT_EQ(at<Publish>(0).ticket, 5u);
  model::Message message;
  message.retain = true;
  effects_.publish(message, 6);
  EXPECT_TRUE(at<Publish>(1).message.retain);
  EXPECT_EQ(at<Publish>(1).ticket, 6u);
}

TEST_F(EffectsTest, ConsecutiveTagsAreSettledTogether) {
  effects_.accept(10, 1);
  effects_.accept(11, 0);
  effects_.accept(12, 1);
  effects_.accept(14, 1);
  effects_.accept(13, 1);
  ASSERT_EQ(list_.size(), 3u);
  EXPECT_EQ(at<Settle>(0).first, 10u);
  EXPECT_EQ(at<Settle>(0).last, 12u);
  EXPECT_EQ(at<Settle>(0).credit, 2u);
  EXPECT_EQ(at<Settle>(1).first, 14u);
  EXPECT_EQ(at<Settle>(2).last, 13u);
}

TEST_F(EffectsTest, OtherOutcomesAndOtherEffectsKeepTagsApart) {
  effects_.push(Settle{1, 1, model::Outcome::kReject, 1});
  effects_.accept(2, 1);
  effects_.credit(1);
  effects_.accept(3, 1);
  EXPECT_EQ(list_.size(), 4u);
}

TEST_F(EffectsTest, CreditAddsUp) {
  effects_.credit(2);
  effects_.credit(3);
  ASSERT_EQ(list_.size(), 1u);
  EXPECT_EQ(at<Credit>(0).count, 5u);
}

TEST_F(EffectsTest, WhatAnotherConnectionWantsIsNotJoined) {
  Effects other({8, 1}, output_, list_);
  effects_.accept(1, 1);
  other.accept(2, 1);
  other.credit(1);
  effects_.credit(1);
  EXPECT_EQ(list_.size(), 4u);
}

}  // namespace
}  // namespace hermod::session
