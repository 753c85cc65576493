// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/options.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace hermod::load {
namespace {

std::string error_of(const Options& options) {
  const auto resolved = resolve(options);
  return resolved ? "" : resolved.error();
}

Options with(const std::function<void(Options&)>& change, Scenario scenario = Scenario::kFanOut) {
  Options options{.scenario = scenario};
  change(options);
  return options;
}

TEST(Options, HaveDefaultsByScenario) {
  const auto fan_out = resolve({.scenario = Scenario::kFanOut});
  ASSERT_TRUE(fan_out);
  EXPECT_EQ(fan_out->publishers, 1u);
  EXPECT_EQ(fan_out->subscribers, 100u);
  EXPECT_EQ(fan_out->window, 256u);
  EXPECT_EQ(fan_out->url.to_text(), "mqtt://127.0.0.1:1883");

  const auto get = resolve({.scenario = Scenario::kCoapGet});
  ASSERT_TRUE(get);
  EXPECT_EQ(get->clients, 8u);
  EXPECT_EQ(get->window, 16u);
  EXPECT_EQ(get->url.to_text(), "coap://127.0.0.1:5683");
}

TEST(Options, LeaveThePortOfAStartedServerOpen) {
  const auto options = resolve(with([](Options& o) { o.spawn = "server {port}"; }));
  ASSERT_TRUE(options);
  EXPECT_EQ(options->url.port, 0);
}

TEST(Options, PairsHaveAsManySubscribersAsPublishers) {
  const auto options = resolve(with([](Options& o) { o.subscribers = 7; }, Scenario::kPairs));
  ASSERT_TRUE(options);
  EXPECT_EQ(options->publishers, 7u);
  EXPECT_EQ(error_of(with(
                [](Options& o) {
                  o.publishers = 2;
                  o.subscribers = 3;
                },
                Scenario::kPairs)),
            "--subscribers is as many as the publishers in pairs");
}

struct Wrong {
  std::function<void(Options&)> change;
  Scenario scenario;
  std::string begins;
};

TEST(Options, WrongValuesAreNamed) {
  const Wrong cases[] = {
      {[](Options& o) { o.qos = 3; }, Scenario::kFanOut, "--qos is 0, 1 or 2"},
      {[](Options& o) { o.qos = 1; }, Scenario::kCoapGet, "--qos belongs to MQTT"},
      {[](Options& o) { o.mqtt = MqttVersion::k5; }, Scenario::kCoapGet, "--mqtt means nothing"},
      {[](Options& o) { o.topics = 5; }, Scenario::kConnect, "--topics means nothing in connect"},
      {[](Options& o) { o.exact = true; }, Scenario::kIdle, "--exact means nothing in idle"},
      {[](Options& o) { o.lasting = true; }, Scenario::kConnect,
       "--lasting means nothing in connect"},
      {[](Options& o) { o.topics = 1'000'001; }, Scenario::kFanIn, "--topics is at most 1000000"},
      {[](Options& o) { o.filters = 1; }, Scenario::kConnect, "--filters means nothing"},
      {[](Options& o) { o.filters = 1'000'001; }, Scenario::kFanIn, "--filters is at most"},
      {[](Options& o) { o.churn = 1; }, Scenario::kCoapPut, "--churn means nothing in coap-put"},
      {[](Options& o) { o.churn = 100'001; }, Scenario::kPairs, "--churn is at most 100000"},
      {[](Options& o) { o.neighbour = NeighbourKind::kSlow; }, Scenario::kIdle,
       "--neighbour means nothing in idle"},
      {[](Options& o) { o.groups = 1; }, Scenario::kPairs, "--groups means nothing in pairs"},
      {[](Options& o) { o.groups = 1; }, Scenario::kConnect, "--groups means nothing in connect"},
      {[](Options& o) { o.groups = 101; }, Scenario::kFanOut, "--groups is at most the 100 sub"},
      {[](Options& o) { o.topics = 49; }, Scenario::kPairs, "--topics is at least the 50 publish"},
      {[](Options& o) {
         o.topics = 1'000'000;
         o.exact = true;
       },
       Scenario::kFanOut, "--exact would take 100000000 subscriptions"},
      {[](Options& o) { o.payload_bytes = 11; }, Scenario::kFanOut, "--payload is 12 to"},
      {[](Options& o) { o.payload_bytes = 1025; }, Scenario::kCoapPut, "--payload is 12 to 1024"},
      {[](Options& o) { o.inflight = 0; }, Scenario::kFanIn, "--inflight is 1 to 65535"},
      {[](Options& o) { o.window = 65536; }, Scenario::kFanIn, "--window is at most 65535"},
      {[](Options& o) { o.window = 1; }, Scenario::kIdle, "--window means nothing in idle"},
      {[](Options& o) { o.clients = 1; }, Scenario::kFanOut, "--clients means nothing in fan-out"},
      {[](Options& o) { o.publishers = 1; }, Scenario::kConnect, "--publishers means nothing"},
      {[](Options& o) { o.rate = 10; }, Scenario::kPairs, "--rate belongs to latency"},
      {[](Options& o) { o.rate = -1; }, Scenario::kLatency, "--rate is above 0"},
      {[](Options& o) { o.messages = 5; }, Scenario::kIdle, "--messages has no use here"},
      {[](Options& o) { o.threads = 0; }, Scenario::kFanOut, "--threads is 1 to 256"},
      {[](Options& o) { o.repeat = 0; }, Scenario::kFanOut, "--repeat is 1 to 1000"},
      {[](Options& o) { o.duration = Duration{0}; }, Scenario::kFanOut, "--duration is above 0"},
      {[](Options& o) { o.warmup = Duration{-1}; }, Scenario::kFanOut, "--warmup is not negative"},
      {[](Options& o) { o.drain = Duration{-1}; }, Scenario::kFanOut, "--drain is not negative"},
      {[](Options& o) { o.server_cpus = {0}; }, Scenario::kFanOut, "--server-cpu needs --pid"},
      {[](Options& o) { o.url = *parse_url("coap://h"); }, Scenario::kFanOut,
       "--url starts with mqtt:// for fan-out"},
      {[](Options& o) { o.url = *parse_url("mqtt://h"); }, Scenario::kCoapGet,
       "--url starts with coap:// for coap-get"},
      {[](Options& o) {
         o.pid = 1;
         o.spawn = "some server";
       },
       Scenario::kFanOut, "--pid and --spawn exclude each other"},
      {[](Options& o) {
         o.pid = 1;
         o.repeat = 2;
       },
       Scenario::kIdle, "--repeat needs --spawn in idle"},
  };
  for (const Wrong& wrong : cases) {
    const std::string error = error_of(with(wrong.change, wrong.scenario));
    EXPECT_TRUE(error.starts_with(wrong.begins)) << wrong.begins << " / " << error;
  }
}

TEST(Options, ScenariosHaveNames) {
  for (int i = 0; i <= static_cast<int>(Scenario::kCoapObserve); ++i) {
    const auto scenario = static_cast<Scenario>(i);
    EXPECT_EQ(scenario_named(to_text(scenario)), scenario);
  }
  const auto unknown = scenario_named("fanout");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().find("fan-out"), std::string::npos);
}

TEST(Options, VersionsHaveNames) {
  for (const auto version : {MqttVersion::k311, MqttVersion::k5}) {
    EXPECT_EQ(mqtt_version_named(to_text(version)), version);
  }
  EXPECT_EQ(mqtt_version_named("5.0"), MqttVersion::k5);
  EXPECT_EQ(mqtt_version_named("311"), MqttVersion::k311);
  EXPECT_EQ(mqtt_version_named("4").error(), "--mqtt is 3.1.1 or 5, not '4'");
}

TEST(Options, NeighboursHaveNames) {
  for (int i = 0; i <= static_cast<int>(NeighbourKind::kMalicious); ++i) {
    const auto neighbour = static_cast<NeighbourKind>(i);
    EXPECT_EQ(neighbour_named(to_text(neighbour)), neighbour);
  }
  EXPECT_EQ(neighbour_named("loud").error(),
            "--neighbour is one of none, slow, huge, malicious, not 'loud'");
}

TEST(Options, CommandLineSaysTheShapeOfTheLoad) {
  EXPECT_EQ(command_line({.scenario = Scenario::kFanIn,
                          .url = *parse_url("mqtt://h"),
                          .topics = 10,
                          .exact = true,
                          .groups = 1,
                          .lasting = true,
                          .filters = 7,
                          .churn = 8,
                          .neighbour = NeighbourKind::kHuge,
                          .mqtt = MqttVersion::k5}),
            "hermod bench fan-in --url mqtt://h --topics 10 --exact --groups 1 --lasting --filters "
            "7 --churn 8 "
            "--neighbour huge --mqtt 5");
}

TEST(Options, CommandLineSaysWhatDiffersFromTheDefaults) {
  Options options{.scenario = Scenario::kFanIn,
                  .url = *parse_url("mqtt://127.0.0.1:1883"),
                  .window = 64,
                  .qos = 1};
  EXPECT_EQ(command_line(options),
            "hermod bench fan-in --url mqtt://127.0.0.1:1883 --window 64 --qos 1 --inflight 20");
  options.qos = 0;
  options.window = 0;
  options.spawn = "it's -p {port}";
  options.cpus = {1, 2};
  options.server_cpus = {0};
  options.duration = std::chrono::milliseconds{1500};
  options.json = true;
  EXPECT_EQ(command_line(options),
            "hermod bench fan-in --url mqtt://127.0.0.1:1883 --spawn 'it'\\''s -p {port}' "
            "--duration 1.5 --cpu 1,2 --server-cpu 0 --json");
}

TEST(Url, TakesWhatPeopleWrite) {
  EXPECT_EQ(*parse_url("mqtt://host"), (Url{Url::Scheme::kMqtt, "host", 0, ""}));
  EXPECT_EQ(*parse_url("mqtt://[::1]:1884"), (Url{Url::Scheme::kMqtt, "::1", 1884, ""}));
  EXPECT_EQ(*parse_url("coap://h:5/a/b?c"), (Url{Url::Scheme::kCoap, "h", 5, "a/b?c"}));
  for (const char* text : {"mqtt://host", "mqtt://[::1]:1884", "coap://h:5/a/b?c"}) {
    EXPECT_EQ(parse_url(text)->to_text(), text);
  }
}

TEST(Url, RefusesTheRestWithAReason) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0.1:1883", "neither mqtt:// nor coap://"},
      {"http://h", "neither mqtt:// nor coap://"},
      {"mqtt://", "the host is missing"},
      {"mqtt://:1883", "the host is missing"},
      {"mqtt://h/topic", "has no path here"},
      {"mqtt://h:", "the port is no number"},
      {"mqtt://h:65536", "the port is no number"},
      {"mqtt://h:1x", "the port is no number"},
      {"mqtt://[::1", "the bracket is not closed"},
      {"mqtt://[::1]1883", "behind the bracket"},
  };
  for (const auto& [text, reason] : cases) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_NE(url.error().find(reason), std::string::npos) << url.error();
  }
}

}  // namespace
}  // namespace hermod::load
