// SPDX-License-Identifier: Apache-2.0
// The hot paths allocate nothing once the shard's list and the connection's output have their size,
// in every version; in MQTT 5 as long as there are no properties.
#include "hermod/testkit/allocations.hpp"

#include <gtest/gtest.h>

#include <array>

#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Effects;

class Allocations : public testing::TestWithParam<Version> {
 protected:
  Allocations() {
    session_.on_open({}, effects_);
    const wire::Octets connect = GetParam() == Version::kV5 ? wire::v5::connect() : wire::connect();
    EXPECT_EQ(session_.on_bytes(connect, Intake::kEverything, {}, effects_), connect.size());
    const auto ticket = std::get<session::Attach>(list_.at(0).effect).ticket;
    answer({.ticket = ticket});
  }
  void answer(const session::Answer& answer) {
    list_.clear();
    session_.on_answers({&answer, 1}, {}, effects_);
  }
  static wire::Octets publish(const wire::PublishOptions& options = {}) {
    return GetParam() == Version::kV5 ? wire::v5::publish("a/b", "payload", options)
                                      : wire::publish("a/b", "payload", options);
  }
  void take(Bytes packets) {
    list_.clear();
    ASSERT_EQ(session_.on_bytes(packets, Intake::kEverything, {}, effects_), packets.size());
  }

  session::SessionLimits limits_;
  ServerSession session_{limits_};
  Output output_;
  session::EffectList list_;
  Effects effects_{{1, 1}, output_, list_};
};

template <typename Round>
std::size_t allocations_of_second(Round round) {
  round();
  const std::size_t before = testkit::allocation_count();
  round();
  return testkit::allocation_count() - before;
}

TEST_P(Allocations, ReceivingAllocatesNothing) {
  const wire::Octets packets = repeat(publish(), 64);
  const wire::Octets one = publish({.qos = 1, .id = 3});
  const wire::Octets two = publish({.qos = 2, .id = 4});
  const wire::Octets release = wire::pubrel(4);
  EXPECT_EQ(allocations_of_second([&] {
              take(packets);
              take(one);
              answer({.ticket = std::get<session::Publish>(list_.at(0).effect).ticket});
              take(two);
              answer({.ticket = std::get<session::Publish>(list_.at(0).effect).ticket});
              take(release);
              output_.clear();
            }),
            0u);
}

TEST_P(Allocations, DeliveringAllocatesNothing) {
  const model::Message message = message_of("a/b", "payload");
  std::array<model::Delivery, 16> items;
  model::EncodeSlots slots;
  model::Tag tag = 1;
  std::uint16_t id = 1;
  EXPECT_EQ(
      allocations_of_second([&] {
        for (const Guarantee guarantee : {Guarantee::kAtMostOnce, Guarantee::kAtLeastOnce}) {
          items.fill({.message = &message, .guarantee = guarantee});
          slots.clear();
          for (model::EncodeSlots* shared : {&slots, static_cast<model::EncodeSlots*>(nullptr)}) {
            session_.on_deliveries({.items = items, .first_tag = tag, .slots = shared}, {},
                                   effects_);
            tag += items.size();
            if (guarantee == Guarantee::kAtMostOnce) continue;
            for (std::size_t i = 0; i < items.size(); ++i, ++id) {
              const std::uint8_t puback[] = {0x40, 2, static_cast<std::uint8_t>(id >> 8),
                                             static_cast<std::uint8_t>(id)};
              take(puback);
            }
          }
        }
        output_.clear();
      }),
      0u);
}

// What a busy time needed is allocated anew after a quiet one: it was not kept.
TEST_P(Allocations, AQuietConnectionGivesTheMemoryOfItsExchangesBack) {
  const model::Message message = message_of("a/b", "payload");
  const model::Delivery delivery{.message = &message, .guarantee = Guarantee::kAtLeastOnce};
  model::Tag tag = 0;
  const auto exchange = [&] {
    session_.on_deliveries({.items = {&delivery, 1}, .first_tag = ++tag}, {}, effects_);
    take(wire::puback(static_cast<std::uint16_t>(tag)));
    output_.clear();
  };
  const auto allocations = [&] {
    const std::size_t before = testkit::allocation_count();
    session_.on_deliveries({.items = {&delivery, 1}, .first_tag = ++tag}, {}, effects_);
    const std::size_t count = testkit::allocation_count() - before;
    output_.clear();
    return count;
  };
  exchange();
  session_.on_deadline({}, effects_);
  EXPECT_GT(allocations(), 0u);
  session_.on_deadline({}, effects_);  // one is under way
  EXPECT_EQ(allocations(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Versions, Allocations, testing::Values(Version::kV311, Version::kV5),
                         [](const auto& version) {
                           return std::string(version.param == Version::kV5 ? "Mqtt5" : "Mqtt311");
                         });

}  // namespace
}  // namespace hermod::mqtt
