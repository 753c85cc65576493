// SPDX-License-Identifier: Apache-2.0
// Policies of queues through a shard: its clock lets messages end, its clients are told what is
// refused, its users are counted together, and $SYS says what was dropped and why.
#include "mqtt_client.hpp"

namespace hermod::broker {
namespace {

using mqtt::Version;
using std::chrono::seconds;

/// Believes everybody.
class Believer final : public core::Authorizer {
 public:
  std::optional<core::Login> authenticate(const core::Credentials& credentials,
                                          core::LoginTicket ticket) override {
    return core::Login{ticket, model::Reason::kOk, credentials.given};
  }
  core::Verdict authorize(const core::Actor&, core::Action, std::string_view) override {
    return core::Verdict::kAllow;
  }
};

/// Leaves a session with a subscription to t.
void leave(World& world, std::string_view who, std::string_view words = "") {
  Client away{world};
  away.ask(fmt::format("attach {} keep {}\nsub t q1", who, words));
  away.ask("bye");
}
/// Publishes one to t at least once, and returns the answer.
std::string publish(Client& publisher, int number) {
  const std::string answer = publisher.ask(fmt::format("pub1 t {}", number));
  return answer.substr(answer.find(' ') + 1);
}

TEST(QueuePolicies, queue_overflow_DropHeadKeepsTheNewest) {
  World world;
  world.settings.core.queue_overflow = core::Overflow::kDropHead;
  world.settings.core.queue_messages_max = 3;
  leave(world, "a");
  Client publisher{world};
  publisher.ask("attach p");
  for (int i = 0; i < 8; ++i) EXPECT_EQ(publish(publisher, i), "ok\n");
  world.run();
  EXPECT_EQ(world.journal().places(), 3u);
  Client again{world};
  const std::string got = again.ask("attach a keep\ncredit 100");
  EXPECT_EQ(got.find("t=4"), std::string::npos) << got;
  EXPECT_NE(got.find("t=5 q1"), std::string::npos) << got;
  EXPECT_NE(got.find("t=7 q1"), std::string::npos) << got;
  EXPECT_EQ(world.shard().core().counters().dropped_head, 5u);
}

TEST(QueuePolicies, queue_overflow_RejectTellsThePublisher) {
  World world{1, {}, &mqtt::protocol()};
  world.settings.core.queue_overflow = core::Overflow::kReject;
  world.settings.core.queue_messages_max = 2;
  MqttClient live{world, Version::kV5};
  EXPECT_EQ(live.connects({.client_id = "live"}), "connack:0 ");
  EXPECT_EQ(live.subscribes("t", 1), "suback:1 ");
  {
    MqttClient away{world};
    EXPECT_EQ(away.connects({.clean_session = false, .client_id = "away"}), "connack:0 ");
    EXPECT_EQ(away.subscribes("t", 1), "suback:1 ");
    away.put(mqtt::wire::disconnect());
    world.run();
  }
  MqttClient publisher{world, Version::kV5};
  EXPECT_EQ(publisher.connects({.client_id = "p"}), "connack:0 ");
  EXPECT_EQ(publisher.publishes("t", "1", {.qos = 1, .id = 1}), "puback:1:0 ");
  EXPECT_EQ(publisher.publishes("t", "2", {.qos = 1, .id = 2}), "puback:2:0 ");
  EXPECT_EQ(publisher.publishes("t", "3", {.qos = 1, .id = 3}), "puback:3:97 ");
  EXPECT_EQ(publisher.publishes("t", "4"), "");
  EXPECT_EQ(publisher.publishes("other", "5", {.qos = 1, .id = 4}), "puback:4:10 ");
  EXPECT_EQ(live.hear(), "t=1 t=2 t=4 ");
  EXPECT_EQ(world.shard().core().own_counters().refused_full, 1u);
}

TEST(QueuePolicies, queue_ttl_EndsTheWaitOfWhoIsAway) {
  World world;
  world.settings.core.queue_ttl = seconds{10};
  world.settings.core.queue_messages_max = 2;
  leave(world, "a");
  const core::Core& core = world.shard().core();
  Client publisher{world};
  publisher.ask("attach p");
  for (int round = 1; round <= 3; ++round) {  // each finds the room that the one before has left
    EXPECT_EQ(publish(publisher, round), "ok\n");
    world.pass(seconds{5});
    EXPECT_EQ(publish(publisher, round), "ok\n");
    world.pass(seconds{6});
    EXPECT_EQ(world.journal().places(), 1u);
    world.pass(seconds{5});
    EXPECT_EQ(world.journal().places(), 0u);
  }
  EXPECT_EQ(core.counters().expired, 6u);
  EXPECT_EQ(core.counters().dropped_full(), 0u);
  EXPECT_EQ(core.next_message_expiry(), kNever);
}

TEST(QueuePolicies, AMessagesOwnExpiryEndsItToo) {
  World world{1, {}, &mqtt::protocol()};
  {
    MqttClient away{world};
    EXPECT_EQ(away.connects({.clean_session = false, .client_id = "away"}), "connack:0 ");
    EXPECT_EQ(away.subscribes("t", 2), "suback:2 ");
    away.put(mqtt::wire::disconnect());
    world.run();
  }
  MqttClient publisher{world, Version::kV5};
  EXPECT_EQ(publisher.connects({.client_id = "p"}), "connack:0 ");
  const mqtt::wire::v5::Properties list{
      {.id = mqtt::PropertyId::kMessageExpiryInterval, .number = 20}};
  EXPECT_EQ(publisher.publishes("t", "1", {.qos = 1, .id = 1}, list), "puback:1:0 ");
  world.pass(seconds{19});
  EXPECT_EQ(world.journal().places(), 1u);
  world.pass(seconds{2});
  EXPECT_EQ(world.journal().places(), 0u);
  EXPECT_EQ(world.shard().core().counters().expired, 1u);
}

TEST(QueuePolicies, user_messages_max_CountsAllSessionsOfAUser) {
  Believer believer;
  World world{1, {}, nullptr, &believer};
  world.settings.core.user_messages_max = 5;
  leave(world, "a", "user=anna");
  leave(world, "b", "user=ben");
  leave(world, "c");
  Client slow{world};  // ends with its connection, and counts as well
  slow.ask("attach d user=anna\nsub t q1");
  Client publisher{world};
  publisher.ask("attach p user=anna");
  for (int i = 0; i < 8; ++i) EXPECT_EQ(publish(publisher, i), "ok\n");
  core::Core& core = world.shard().core();
  EXPECT_EQ(core.usage_of("anna")->waiting, 5u);
  EXPECT_EQ(core.usage_of("ben")->waiting, 5u);
  EXPECT_EQ(core.subscriber(core.find("c")).queue.waiting(), 8u);
  EXPECT_EQ(core.counters().dropped_user, 11u + 3u);
  slow.ask("bye");
  EXPECT_LT(core.usage_of("anna")->waiting, 5u);
  EXPECT_EQ(publish(publisher, 8), "ok\n");
  EXPECT_EQ(core.counters().dropped_user, 14u + 1u);  // ben's
}

TEST(QueuePolicies, user_bytes_max_CountsTheirOctets) {
  Believer believer;
  World world{1, {}, nullptr, &believer};
  world.settings.core.user_bytes_max = 10'000;
  leave(world, "a", "user=anna");
  leave(world, "b", "user=anna");
  Client publisher{world};
  publisher.ask("attach p");
  for (int i = 0; i < 3; ++i) publisher.ask("pub1 t " + std::string(2'000, 'x'));
  const core::Core& core = world.shard().core();
  EXPECT_GE(core.counters().dropped_user, 2u);
  EXPECT_LE(core.usage_of("anna")->bytes, 10'000u);
}

TEST(QueuePolicies, StatusSaysWhatWasDroppedAndWhy) {
  Settings settings;
  settings.sys_interval_s = 10;
  World world{1, {}, nullptr, nullptr, settings};
  world.settings.core.queue_messages_max = 2;
  world.settings.core.queue_ttl = seconds{5};
  leave(world, "a");
  Client publisher{world};
  publisher.ask("attach p");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(publish(publisher, i), "ok\n");
  publisher.ask("pub t 5");
  world.pass(seconds{21});
  const auto value = [&](std::string_view topic) {
    const std::string name = fmt::format("$SYS/broker/{}", topic);
    const model::Message* found = world.shard().core().retained().find(name, world.network.now());
    return found == nullptr ? "none" : std::string{as_text(found->payload)};
  };
  EXPECT_EQ(value("dropped/queue_messages"), "3");
  EXPECT_EQ(value("dropped/queue_bytes"), "0");
  EXPECT_EQ(value("dropped/user_quota"), "0");
  EXPECT_EQ(value("dropped/oldest"), "0");
  EXPECT_EQ(value("dropped/expired"), "2");
  EXPECT_EQ(value("dropped/damaged"), "0");
  EXPECT_EQ(value("dropped/away"), "1");
  EXPECT_EQ(value("dropped/refused"), "0");
  EXPECT_EQ(value("publish/messages/dropped"), "5");
}

}  // namespace
}  // namespace hermod::broker
