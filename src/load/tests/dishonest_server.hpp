// SPDX-License-Identifier: Apache-2.0
// An MQTT server for tests that drops, doubles and swaps QoS 0 messages by plan, so that the counts
// of the load can be compared with what was done.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/transport/epoll.hpp"
#include "hermod/transport/tcp.hpp"

namespace hermod::load {

/// What happens to a message.
enum class Fate : std::uint8_t { kDeliver, kDrop, kDouble, kSwapWithNext };

class DishonestServer {
 public:
  /// `fate` is asked for message 0, 1, 2 ... in the order of their arrival.
  explicit DishonestServer(std::function<Fate(std::uint64_t)> fate);

  [[nodiscard]] std::uint16_t port() const { return listener_->local().port(); }
  void run();
  void stop();

 private:
  struct Peer {
    std::unique_ptr<transport::Stream> stream;
    std::vector<std::uint8_t> input;
  };
  void accept_all();
  void read_all(Peer& peer);
  void on_packet(Peer& peer, Bytes packet);
  void on_publish(Bytes packet);
  void send(Peer& peer, Bytes bytes);

  std::function<Fate(std::uint64_t)> fate_;
  std::unique_ptr<transport::EpollPoller> poller_;
  std::unique_ptr<transport::StreamListener> listener_;
  std::vector<std::unique_ptr<Peer>> peers_;
  Peer* subscriber_ = nullptr;
  std::uint64_t count_ = 0;
  std::vector<std::uint8_t> held_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace hermod::load
