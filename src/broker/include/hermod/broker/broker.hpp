// SPDX-License-Identifier: Apache-2.0
// The broker: its shards, a thread for each, and the sockets they listen on.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/broker/settings.hpp"
#include "hermod/store/posix_disk.hpp"
#include "hermod/transport/address.hpp"
#include "hermod/transport/datagram.hpp"

namespace hermod::broker {

/// Example:
///     auto broker = Broker::open(settings, log);      // binds; error in words
///     (*broker)->start();
///     ... wait for a signal ...
///     (*broker)->stop();
class Broker {
 public:
  /// Makes the shards and binds every listener; nothing is served yet. `log` is used from all
  /// shards and outlives the broker.
  [[nodiscard]] static std::expected<std::unique_ptr<Broker>, std::string> open(Settings settings,
                                                                                Log& log);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// Starts the threads.
  void start();
  /// Ends every connection, then the threads. From the thread that called start().
  void stop();
  /// Something has been replaced in a listener's directory: the shards look at it now. From any
  /// thread, between start() and stop().
  void notice_changes();

  /// The addresses listened on, by listener; the real port where 0 was asked for,
  /// family kNone for a Unix socket.
  [[nodiscard]] const std::vector<transport::Address>& addresses() const { return addresses_; }

 private:
  class Thread;
  explicit Broker(Settings settings);
  [[nodiscard]] std::expected<void, std::string> open_store(Log& log);
  [[nodiscard]] std::expected<void, std::string> recover(Log& log);
  [[nodiscard]] std::expected<void, std::string> bind();
  [[nodiscard]] std::expected<void, std::string> bind_stream(std::uint16_t index);
  /// `first` becomes the first shard's socket.
  [[nodiscard]] std::expected<void, std::string> bind_datagram(
      std::uint16_t index, const transport::DatagramSocket*& first);
  [[nodiscard]] std::expected<void, std::string> join_group(
      std::uint16_t index, const transport::DatagramSocket& through);

  Settings settings_;
  std::vector<transport::Address> addresses_;
  std::unique_ptr<Mailroom> mailroom_;
  Sources sources_;
  std::unique_ptr<identity::HashingPool> pool_;  // outlives the threads
  std::unique_ptr<store::PosixDisk> disk_;       // nothing: ephemeral
  SystemRng rng_;
  std::unique_ptr<store::Store> store_;  // outlives the threads
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace hermod::broker
