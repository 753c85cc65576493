// SPDX-License-Identifier: Apache-2.0
// A broker with a store and several threads: its writer and its shards at work on one folder, over
// several lives. What was acknowledged comes, in order; at exactly once, once.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "clients.hpp"

namespace hermod::threads {
namespace {

constexpr int kLives = 3;
constexpr int kMessages = 200;
constexpr int kPairs = 4;

class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "hermod-store-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no folder");
    path_ = path;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

MqttPeers connect_lasting(Net& net, const Served& served, std::string_view stem) {
  MqttPeers peers;
  for (int i = 0; i < kPairs; ++i) {
    peers.push_back(std::make_unique<MqttPeer>(
        net, served.mqtt(), MqttOptions{.id = fmt::format("{}{}", stem, i), .clean = false}));
  }
  EXPECT_TRUE(net.until(
      [&] { return std::ranges::all_of(peers, [](const auto& peer) { return peer->accepted; }); }));
  return peers;
}

// In each life every publisher says its numbers at QoS 1 and 2, and all subscribers go; the next
// life has what waits for them.
TEST(StoreThreads, WhatWasAcknowledgedOutlivesTheBroker) {
  const Folder folder;
  {
    Net net;
    const Served served{2, 0, folder.path()};
    MqttPeers subscribers = connect_lasting(net, served, "subscriber");
    subscribe(net, subscribers, "m/#", 2);
  }
  for (int life = 0; life < kLives; ++life) {
    {
      Net net;
      const Served served{2, 0, folder.path()};
      MqttPeers publishers = connect_lasting(net, served, "publisher");
      for (int i = 0; i < kMessages; ++i) {
        for (int p = 0; p < kPairs; ++p) {
          publishers[p]->publish(fmt::format("m/{}", p), std::to_string(i),
                                 static_cast<std::uint8_t>(1 + p % 2), i % 50 == 0);
        }
      }
      EXPECT_TRUE(net.until([&] {
        return std::ranges::all_of(publishers,
                                   [](const auto& peer) { return peer->published == kMessages; });
      }));
    }
    Net net;
    const Served served{2, 0, folder.path()};
    MqttPeers subscribers = connect_lasting(net, served, "subscriber");
    EXPECT_TRUE(net.until([&] {
      return std::ranges::all_of(subscribers, [](const auto& peer) {
        return peer->received.size() >= kPairs * kMessages && peer->unreleased() == 0;
      });
    }));
    // Whose ping is answered, his acknowledgements have been read.
    for (const auto& subscriber : subscribers) subscriber->send(mqtt::Pingreq{});
    EXPECT_TRUE(net.until([&] {
      return std::ranges::all_of(subscribers, [](const auto& peer) { return peer->pings == 1; });
    }));
    for (const auto& subscriber : subscribers) {
      EXPECT_EQ(subscriber->received.size(), kPairs * kMessages);
      std::map<std::string, int> next;
      for (const Received& message : subscriber->received) {
        EXPECT_EQ(std::stoi(message.payload), next[message.topic]++) << message.topic;
      }
    }
  }
}

}  // namespace
}  // namespace hermod::threads
