// SPDX-License-Identifier: Apache-2.0
// The least that can stand where an MQTT server is measured: it answers CONNECT, SUBSCRIBE and the
// acknowledgements, and copies PUBLISH packets from publishers to subscribers as they are, packet
// identifiers included. No sessions, no checks, no state of messages: what it reaches is the
// ceiling of the machine and of the load generator, not a goal.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "hermod/transport/epoll.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::load {

class NullServer {
 public:
  /// Listens on 127.0.0.1; port 0 lets the kernel choose. Error in words.
  [[nodiscard]] static std::expected<std::unique_ptr<NullServer>, std::string> open(
      std::uint16_t port);
  ~NullServer();
  NullServer(const NullServer&) = delete;
  NullServer& operator=(const NullServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// Serves on the calling thread until stop().
  void run();
  /// From any thread.
  void stop();

 private:
  class Peer;
  NullServer() = default;
  void accept_all();
  void on_event(const transport::Event& event);
  void drop(std::size_t index);
  void flush_touched();

  std::unique_ptr<transport::EpollPoller> poller_;
  std::unique_ptr<transport::StreamListener> listener_;
  std::vector<std::unique_ptr<Peer>> peers_;  // by token; empty places are used again
  std::vector<std::size_t> free_;
  std::vector<std::size_t> touched_;  // peers with something to write
  std::vector<std::uint8_t> scratch_;
  std::uint64_t subscriptions_ = 1;  // changes with every subscription and every leave
  std::atomic<bool> stopping_ = false;
};

}  // namespace hermod::load
