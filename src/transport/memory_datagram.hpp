// SPDX-License-Identifier: Apache-2.0
// Datagram sockets of the network in memory, with loss, delay, duplicates and reordering.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "memory_wire.hpp"

namespace hermod::transport {

class MemoryDatagramSocket final : public DatagramSocket, public Endpoint {
 public:
  MemoryDatagramSocket(Wire& wire, const Address& local);
  ~MemoryDatagramSocket() override;

  [[nodiscard]] int descriptor() const override { return number(); }
  [[nodiscard]] std::span<const Datagram> receive() override;
  [[nodiscard]] std::uint8_t* reserve(std::size_t count_max) override;
  void commit(std::size_t count, const Address& to, const Address& local) override;
  void flush() override;
  [[nodiscard]] Address local() const override { return local_; }

  [[nodiscard]] bool is_readable() const override { return !inbox_.empty(); }
  [[nodiscard]] bool poll_writable() override { return false; }

 private:
  struct Packet {
    std::vector<std::uint8_t> octets;
    Address from;
    Address to;
  };

  void send(const Packet& packet);
  static void arrive(Wire& wire, Packet packet);

  Address local_;
  std::array<std::uint8_t, kSizeMax> reserved_{};
  std::vector<Packet> outbox_;
  std::deque<Packet> inbox_;
  std::vector<Packet> batch_;
  std::vector<Datagram> received_;
  Instant last_arrival_{};
};

}  // namespace hermod::transport
