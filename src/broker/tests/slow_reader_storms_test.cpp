// SPDX-License-Identifier: Apache-2.0
// R7: one of many subscribers does not read. The others get everything, and what becomes of its own
// messages is known to the last one.
#include "storms.hpp"

namespace hermod::broker {
namespace {

struct Way {
  std::uint8_t qos;
  bool lasting;
};

class SlowReader : public testing::TestWithParam<Way> {
 protected:
  static constexpr std::size_t kQueueMax = 200;

  std::unique_ptr<MqttClient> subscriber(std::string_view id) {
    auto made = std::make_unique<MqttClient>(world);
    EXPECT_EQ(made->connects({.clean_session = !GetParam().lasting, .client_id = id}),
              "connack:0 ");
    EXPECT_EQ(made->subscribes("t", GetParam().qos), fmt::format("suback:{} ", GetParam().qos));
    return made;
  }
  [[nodiscard]] const core::Queue& queue_of(std::string_view id) {
    core::Core& core = world.shard().core();
    return core.subscriber(core.find(id)).queue;
  }

  World world{1, {.stream_buffer_bytes = 16u << 10, .backlog = 1'100}, &mqtt::protocol()};
};

TEST_P(SlowReader, R7_CostsTheOthersNothingAndIsCountedExactly) {
  const std::size_t others = storm(50, 999);
  const std::size_t count = storm(3'000, 10'000);
  constexpr std::size_t kRound = 20;
  world.settings.core.queue_messages_max = kQueueMax;
  world.settings.connections.output_soft_bytes = 8u << 10;
  world.settings.listeners[World::kLines].limits.inflight_max = 60'000;  // nobody acknowledges
  std::vector<std::unique_ptr<MqttClient>> readers;
  for (std::size_t i = 0; i < others; ++i) readers.push_back(subscriber(fmt::format("r{}", i)));
  const auto slow = subscriber("slow");
  MqttClient publisher{world};
  EXPECT_EQ(publisher.connects({.client_id = "p"}), "connack:0 ");
  const std::string payload(60, 'x');
  const wire::Octets round =
      wire::repeat(wire::publish("t", payload, {.qos = GetParam().qos, .id = 1}), kRound);
  for (std::size_t sent = 0; sent < count; sent += kRound) {
    (void)publisher.asks(round);
    for (const auto& reader : readers) (void)reader->hear();
    ASSERT_LE(queue_of("slow").waiting(), kQueueMax);
  }
  constexpr std::size_t kAnswers = 2;  // CONNACK, SUBACK
  for (const auto& reader : readers) EXPECT_EQ(reader->packets(), kAnswers + count);
  const std::uint64_t dropped = world.shard().core().counters().dropped_full();
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(queue_of("slow").waiting(), kQueueMax);
  // What was on its way and what waited comes when it reads at last.
  for (std::size_t before = 0; before != slow->packets();) {
    before = slow->packets();
    (void)slow->hear();
  }
  EXPECT_EQ(slow->packets() - kAnswers + dropped, count);
  EXPECT_EQ(world.shard().core().counters().dropped_full(), dropped);
}

INSTANTIATE_TEST_SUITE_P(Storms, SlowReader,
                         testing::Values(Way{0, false}, Way{0, true}, Way{1, false}, Way{1, true}));

}  // namespace
}  // namespace hermod::broker
