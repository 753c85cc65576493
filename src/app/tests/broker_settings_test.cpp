// SPDX-License-Identifier: Apache-2.0
// What a configuration becomes for the broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/serve.hpp"
#include "config/reader.hpp"
#include "protocols.hpp"

namespace hermod::app {
namespace {

broker::Settings settings(std::string_view text, unsigned cores = 4) {
  const auto names = protocol_names();
  const ConfigReading reading = read_config_text(text, "h.conf", names);
  EXPECT_FALSE(reading.refused());
  auto made = broker_settings(reading.config, cores);
  EXPECT_TRUE(made) << (made ? "" : made.error());
  return made ? std::move(*made) : broker::Settings{};
}

TEST(BrokerSettings, ThreadsAreThoseAskedForOrOneACore) {
  EXPECT_EQ(settings("").threads, 4);
  EXPECT_EQ(settings("threads 3").threads, 3);
  EXPECT_EQ(settings("", 1000).threads, 64);
}

TEST(BrokerSettings, LimitsOfTheWholeBrokerAreDividedAmongShards) {
  const auto made = settings(
      "threads 3\nmax_sessions 10\nmax_retained_messages 9\nmax_retained_bytes 4\n"
      "max_declared_topics 7\nmax_declared_bytes 8\nmax_queued_messages 100\n"
      "max_queued_messages_per_user 20\nlistener 1883\nmax_connections 10\n");
  EXPECT_EQ(made.core.subscribers_max, 4u);
  EXPECT_EQ(made.core.retained_messages_max, 3u);
  EXPECT_EQ(made.core.retained_bytes_max, 2u);
  EXPECT_EQ(made.core.declared_topics_max, 3u);
  EXPECT_EQ(made.core.declared_bytes_max, 3u);
  EXPECT_EQ(made.core.queue_messages_max, 100u);  // of one client
  EXPECT_EQ(made.core.user_messages_max, 7u);
  EXPECT_EQ(made.core.user_bytes_max, SIZE_MAX);
  EXPECT_EQ(made.connections.connections_max, 4u);
}

TEST(BrokerSettings, ConnectionsAreLimitedOnlyWhenEveryListenerIs) {
  const std::size_t own = broker::ConnectionLimits{}.connections_max;
  EXPECT_EQ(settings("listener 1883").connections.connections_max, own);
  EXPECT_EQ(settings("threads 1\nlistener 1\nmax_connections 5\nlistener 2\n")
                .connections.connections_max,
            own);
  EXPECT_EQ(settings("threads 1\nlistener 1\nmax_connections 5\nlistener 2\nmax_connections 6\n"
                     "listener 3\nprotocol coap\n")
                .connections.connections_max,
            11u);
}

TEST(BrokerSettings, ListenersBecomeOneForEachAddress) {
  const auto made = settings(
      "listener 1883 127.0.0.1\nmax_qos 1\nlistener 5683\nprotocol coap\nsocket_domain ipv4\n"
      "max_packet_size 1000\nallow_anonymous true\n");
  ASSERT_EQ(made.listeners.size(), 2u);
  EXPECT_EQ(made.listeners[0].protocol->name(), "mqtt");
  EXPECT_EQ(made.listeners[0].address.to_text(), "127.0.0.1:1883");
  EXPECT_EQ(made.listeners[0].limits.guarantee_max, model::Guarantee::kAtLeastOnce);
  EXPECT_EQ(made.listeners[0].limits.packet_bytes_max, 1000u);
  EXPECT_TRUE(made.listeners[0].allow_anonymous);
  EXPECT_EQ(made.listeners[1].protocol->name(), "coap");
  EXPECT_EQ(made.listeners[1].address.to_text(), "0.0.0.0:5683");
  EXPECT_EQ(made.listeners[1].limits.guarantee_max, model::Guarantee::kExactlyOnce);
}

TEST(BrokerSettings, WithoutAConfigurationOnlyThisMachineIsServed) {
  const auto made = settings("");
  ASSERT_GE(made.listeners.size(), 2u);
  for (const auto& listener : made.listeners) EXPECT_TRUE(listener.address.is_loopback());
}

TEST(BrokerSettings, AddressesThatDoNotFitTheirDomainAreNamed) {
  const auto names = protocol_names();
  const auto reading =
      read_config_text("listener 1883 127.0.0.1\nsocket_domain ipv6\n", "h.conf", names);
  const auto made = broker_settings(reading.config, 1);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), "h.conf:1: \"127.0.0.1\" has no address of the asked for socket_domain.");
}

TEST(BrokerSettings, CoapSettingsBelongToCoapListeners) {
  const auto names = protocol_names();
  const auto reading =
      read_config_text("listener 1883 127.0.0.1\ncoap_block_size 64\n", "h.conf", names);
  const auto made = broker_settings(reading.config, 1);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(),
            "h.conf:1: \"coap_block_size\" is for listeners with \"protocol coap\", and this one "
            "speaks mqtt. Take it away, or put it below the CoAP listener.");
}

TEST(BrokerSettings, GroupsAreListenersThatAnswerThroughAnother) {
  const auto made = settings(
      "listener 1883 127.0.0.1\nlistener 5683\nprotocol coap\nsocket_domain ipv4\n"
      "coap_multicast all eth0\ncoap_multicast 224.0.0.99\nallow_anonymous true\n");
  ASSERT_EQ(made.listeners.size(), 4u);  // All CoAP Nodes of IPv6 are not for this listener
  EXPECT_FALSE(made.listeners[1].group);
  for (const std::size_t i : {std::size_t{2}, std::size_t{3}}) {
    EXPECT_EQ(made.listeners[i].protocol->name(), "coap");
    EXPECT_NE(made.listeners[i].protocol, made.listeners[1].protocol);
    EXPECT_TRUE(made.listeners[i].allow_anonymous);
    ASSERT_TRUE(made.listeners[i].group);
    EXPECT_EQ(made.listeners[i].group->through, 1u);
  }
  EXPECT_EQ(made.listeners[2].address.to_text(), "224.0.1.187:5683");
  EXPECT_EQ(made.listeners[2].group->interface, "eth0");
  EXPECT_EQ(made.listeners[3].address.to_text(), "224.0.0.99:5683");
  EXPECT_EQ(made.listeners[3].group->interface, "");
}

TEST(BrokerSettings, AGroupNeedsAnAddressOfItsFamily) {
  const auto names = protocol_names();
  const auto reading = read_config_text(
      "listener 5683 127.0.0.1\nprotocol coap\ncoap_multicast ff02::fd\n", "h.conf", names);
  const auto made = broker_settings(reading.config, 1);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(),
            "h.conf:1: \"coap_multicast\" is ff02::fd, but the listener has no address of that "
            "family. Open it on another address, or for both families.");
}

TEST(Protocols, AreMqttAndCoap) {
  EXPECT_THAT(protocol_names(), testing::ElementsAre("mqtt", "coap"));
  EXPECT_EQ(find_protocol("coap")->default_port(), 5683);
  EXPECT_EQ(find_protocol("amqp"), nullptr);
}

}  // namespace
}  // namespace hermod::app
