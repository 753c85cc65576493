// SPDX-License-Identifier: Apache-2.0
// $SYS of running shards: the numbers after a known traffic, on one shard and on several, and that
// nobody but the broker publishes there.
#include <gmock/gmock.h>

#include "mqtt_client.hpp"

namespace hermod::broker {
namespace {

using mqtt::Version;
using mqtt::wire::operator+;
using std::chrono::seconds;

Settings with_status() {
  Settings settings;
  settings.sys_interval_s = 10;
  settings.version = "1.2.3";
  return settings;
}

class StatusOn : public testing::TestWithParam<std::uint16_t> {
 protected:
  /// What is retained there; "none" when nothing is.
  [[nodiscard]] std::string value(std::string_view topic) {
    const std::string name = fmt::format("$SYS/broker/{}", topic);
    core::Core& owner = world.shard(world.shard().core().owner_of(name)).core();
    const model::Message* found = owner.retained().find(name, world.network.now());
    return found == nullptr ? "none" : std::string{as_text(found->payload)};
  }
  World world{GetParam(), {}, &mqtt::protocol(), nullptr, with_status()};
};

TEST_P(StatusOn, EverythingIsThereFromTheStart) {
  world.run();
  EXPECT_EQ(value("version"), "hermod version 1.2.3");
  EXPECT_EQ(value("uptime"), "0 seconds");
  EXPECT_EQ(value("clients/connected"), "0");
  EXPECT_EQ(value("threads"), fmt::format("{}", GetParam()));
  EXPECT_EQ(value("load/bytes/sent/15min"), "0.00");
  EXPECT_EQ(value("retained messages/count"), "0");
  world.pass(seconds{10});
  EXPECT_EQ(value("uptime"), "10 seconds");
  world.pass(seconds{35});
  EXPECT_EQ(value("uptime"), "40 seconds");
}

TEST_P(StatusOn, NumbersAreThoseOfTheTraffic) {
  world.run();
  MqttClient subscriber{world};
  EXPECT_EQ(subscriber.connects({.client_id = "s"}), "connack:0 ");
  EXPECT_EQ(subscriber.subscribes("a/#", 1), "suback:1 ");
  EXPECT_EQ(subscriber.subscribes("b"), "suback:0 ");
  {
    MqttClient away{world};
    EXPECT_EQ(away.connects({.clean_session = false, .client_id = "away"}), "connack:0 ");
    EXPECT_EQ(away.subscribes("a/b", 1), "suback:1 ");
    away.put(wire::disconnect());
    world.run();
  }
  MqttClient publisher{world};
  EXPECT_EQ(publisher.connects({.client_id = "p"}), "connack:0 ");
  for (std::uint16_t id = 1; id <= 4; ++id) {
    EXPECT_EQ(publisher.publishes("a/b", "12345", {.qos = 1, .id = id}),
              fmt::format("puback:{}:0 ", id));
  }
  (void)publisher.publishes("b", "123");
  EXPECT_EQ(publisher.publishes("kept", "1234", {.qos = 1, .id = 5, .retain = true}),
            "puback:5:0 ");
  EXPECT_EQ(subscriber.hear(), "a/b=12345 a/b=12345 a/b=12345 a/b=12345 b=123 ");
  for (std::uint16_t id = 1; id <= 3; ++id) subscriber.put(wire::puback(id));
  world.run();
  world.pass(seconds{10});

  EXPECT_EQ(value("clients/connected"), "2");
  EXPECT_EQ(value("clients/total"), "3");
  EXPECT_EQ(value("clients/disconnected"), "1");
  EXPECT_EQ(value("clients/maximum"), "2");
  EXPECT_EQ(value("subscriptions/count"), "3");
  EXPECT_EQ(value("publish/messages/received"), "6");
  EXPECT_EQ(value("publish/bytes/received"), "27");
  EXPECT_EQ(value("publish/messages/sent"), "5");
  EXPECT_EQ(value("publish/bytes/sent"), "23");
  EXPECT_EQ(value("retained messages/count"), "1");
  EXPECT_EQ(value("messages/inflight"), "1");
  EXPECT_EQ(value("messages/stored"),
            "6");  // one retained, four for the one away, one unsettled
  EXPECT_EQ(value("store/messages/count"), "6");
  EXPECT_EQ(value("load/publish/received/1min"), "5.53");
  EXPECT_EQ(value("load/sockets/1min"), "2.76");
  EXPECT_EQ(value("load/connections/1min"), "2.76");
  EXPECT_EQ(value("connections/mqtt"), "2");
}

TEST_P(StatusOn, PacketsAndOctetsAreCounted) {
  world.run();
  MqttClient client{world};
  (void)client.connects({.client_id = "c"});
  wire::Octets sent = wire::connect({.client_id = "c"});
  wire::Octets back = wire::connack();
  for (std::uint16_t id = 1; id <= 10; ++id) {
    sent = sent + wire::publish("t", "x", {.qos = 2, .id = id}) + wire::pubrel(id);
    back = back + wire::pubrec(id) + wire::pubcomp(id);
    (void)client.publishes("t", "x", {.qos = 2, .id = id});
    (void)client.asks(wire::pubrel(id));
  }
  sent = sent + wire::pingreq();
  back = back + wire::pingresp();
  EXPECT_EQ(client.asks(wire::pingreq()), "pong ");
  world.pass(seconds{10});
  EXPECT_EQ(value("messages/received"), "22");
  EXPECT_EQ(value("bytes/received"), fmt::format("{}", sent.size()));
  EXPECT_EQ(value("messages/sent"), "22");
  EXPECT_EQ(value("bytes/sent"), fmt::format("{}", back.size()));
}

TEST_P(StatusOn, OnlyWhatChangesIsPublishedAgain) {
  world.run();
  MqttClient watcher{world};
  (void)watcher.connects({.client_id = "w"});
  const std::string retained = watcher.subscribes("$SYS/#");
  EXPECT_EQ(watcher.packets(), 2 + 68u);
  EXPECT_THAT(retained, testing::HasSubstr("$SYS/broker/version=hermod version 1.2.3 "));
  world.pass(seconds{10});
  std::string live = watcher.hear();
  EXPECT_THAT(live, testing::HasSubstr("$SYS/broker/uptime=10 seconds "));
  EXPECT_THAT(live, testing::HasSubstr("$SYS/broker/clients/connected=1 "));
  EXPECT_THAT(live, testing::Not(testing::HasSubstr("version")));
  EXPECT_THAT(live, testing::Not(testing::HasSubstr("clients/expired")));
}

TEST_P(StatusOn, NobodyElsePublishesThere) {
  world.run();
  MqttClient client{world, Version::kV5};
  (void)client.connects({.client_id = "c"});
  MqttClient old{world};
  (void)old.connects({.client_id = "o"});
  for (const std::string_view topic : {"$SYS/broker/version", "$SYS/mine", "$SYS", "$SYSTEM"}) {
    EXPECT_EQ(client.publishes(topic, "x", {.qos = 1, .id = 1, .retain = true}), "puback:1:87 ");
    EXPECT_EQ(client.publishes(topic, "x", {.qos = 2, .id = 1, .retain = true}), "pubrec:1:87 ");
    EXPECT_EQ(client.publishes(topic, "x", {.retain = true}), "");
    // Before MQTT 5 nothing says so: acknowledged and dropped, as mosquitto does it.
    EXPECT_EQ(old.publishes(topic, "x", {.qos = 1, .id = 1, .retain = true}), "puback:1:0 ");
  }
  EXPECT_EQ(value("version"), "hermod version 1.2.3");
  PeerClient peer{world};  // whatever the protocol
  EXPECT_THAT(peer.ask("put $SYS/broker/version x"), testing::HasSubstr(" not authorized"));
  EXPECT_EQ(value("version"), "hermod version 1.2.3");
  // Neither does a will.
  (void)MqttClient{world}.connects(
      {.client_id = "w",
       .will = mqtt::WillView{.topic = "$SYS/broker/version", .payload = {}, .retain = true}});
  world.run();
  EXPECT_EQ(value("version"), "hermod version 1.2.3");
  EXPECT_EQ(client.publishes("$other", "x", {.qos = 1, .id = 2}), "puback:2:10 ");  // not ours
}

// However full the table of clients' values is, $SYS has room, and goes on.
TEST_P(StatusOn, AFullTableOfRetainedValuesDoesNotStopIt) {
  world.settings.core.retained_messages_max = 1;
  world.run();
  MqttClient client{world};
  (void)client.connects({.client_id = "c"});
  for (std::uint16_t id = 1; id <= 50; ++id) {
    (void)client.publishes(fmt::format("t/{}", id), "x", {.qos = 1, .id = id, .retain = true});
  }
  world.pass(seconds{10});
  EXPECT_EQ(value("uptime"), "10 seconds");
  EXPECT_EQ(value("retained messages/count"), fmt::format("{}", GetParam()));
  world.pass(seconds{10});
  EXPECT_EQ(value("uptime"), "20 seconds");
}

TEST_P(StatusOn, DeclaredTopicsAreCountedWhereverTheyAre) {
  world.run();
  EXPECT_EQ(value("declared topics/count"), "0");
  PeerClient peer{world};
  for (int i = 0; i < 5; ++i) (void)peer.ask(fmt::format("declare t/{}", i));
  (void)peer.ask("undeclare t/3");
  world.pass(seconds{10});
  EXPECT_EQ(value("declared topics/count"), "4");
  EXPECT_EQ(value("retained messages/count"), "0");
}

TEST_P(StatusOn, SharedSubscriptionsAreCountedByMember) {
  world.run();
  std::vector<std::unique_ptr<MqttClient>> members;
  for (int i = 0; i < 3; ++i) {
    members.push_back(std::make_unique<MqttClient>(world));
    (void)members.back()->connects({.client_id = fmt::format("m{}", i)});
    EXPECT_EQ(members.back()->subscribes("$share/g/t"), "suback:0 ");
  }
  world.pass(seconds{10});
  EXPECT_EQ(value("shared_subscriptions/count"), "3");
  EXPECT_EQ(value("subscriptions/count"), "0");
}

TEST_P(StatusOn, WhoStaysAwayTooLongIsCounted) {
  world.run();
  {
    MqttClient client{world, Version::kV5};
    (void)client.connects({.client_id = "c"},
                          {wire::v5::number(mqtt::PropertyId::kSessionExpiryInterval, 5)});
  }
  world.pass(seconds{10});
  EXPECT_EQ(value("clients/expired"), "1");
  EXPECT_EQ(value("clients/total"), "0");
}

// More subscribers than a shard looks at in a turn.
TEST_P(StatusOn, ACensusOfManyTakesSeveralTurns) {
  world.run();
  for (int i = 0; i < 20'000; ++i) {
    MqttClient client{world};
    client.put(wire::connect({.clean_session = false, .client_id = std::to_string(i)}));
    if (i % 50 == 0) world.run();
  }
  world.run();
  world.pass(seconds{10});
  EXPECT_EQ(value("clients/disconnected"), "20000");
  EXPECT_EQ(value("uptime"), "10 seconds");
}

// The last value is what everybody reads: over any protocol.
TEST_P(StatusOn, ItIsReadLikeAnyTopic) {
  world.run();
  PeerClient peer{world};
  EXPECT_EQ(peer.ask("get $SYS/broker/version"), "#1 ok hermod version 1.2.3\n");
  world.pass(seconds{10});
  EXPECT_EQ(peer.ask("get $SYS/broker/connections/lines"), "#2 ok 1\n");
}

INSTANTIATE_TEST_SUITE_P(Shards, StatusOn, testing::Values(1, 3));

TEST(Status, WithoutAnIntervalThereIsNone) {
  World world;
  world.pass(seconds{60});
  PeerClient reader{world};
  EXPECT_EQ(reader.ask("get $SYS/broker/uptime"), "#1 not found\n");
  EXPECT_EQ(world.shard().core().counters().published, 0u);
}

}  // namespace
}  // namespace hermod::broker
