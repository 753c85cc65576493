// SPDX-License-Identifier: Apache-2.0
#include "memory_datagram.hpp"

#include <algorithm>
#include <utility>

#include "hermod/base/assert.hpp"

namespace hermod::transport {

MemoryDatagramSocket::MemoryDatagramSocket(Wire& wire, const Address& local)
    : Endpoint(wire), local_(local) {}

MemoryDatagramSocket::~MemoryDatagramSocket() {
  Wire::give_back(wire_.datagram_sockets, local_, number());
}

std::span<const Datagram> MemoryDatagramSocket::receive() {
  batch_.clear();
  received_.clear();
  while (!inbox_.empty() && batch_.size() < kBatch) {
    batch_.push_back(std::move(inbox_.front()));
    inbox_.pop_front();
  }
  for (const Packet& packet : batch_) {
    received_.push_back({.bytes = packet.octets,
                         .from = packet.from,
                         .local = local_.is_any() ? packet.to : Address{}});
  }
  return received_;
}

std::uint8_t* MemoryDatagramSocket::reserve(std::size_t count_max) {
  HERMOD_ASSERT(count_max <= kSizeMax);
  return reserved_.data();
}

void MemoryDatagramSocket::commit(std::size_t count, const Address& to, const Address& local) {
  HERMOD_ASSERT(count <= kSizeMax);
  Address from = local_;
  if (local_.is_any()) {
    const bool chosen = local.family() != Address::Family::kNone;
    from = (chosen ? local : loopback_like(local_)).with_port(local_.port());
  }
  const auto end = reserved_.begin() + static_cast<std::ptrdiff_t>(count);
  outbox_.push_back({.octets = {reserved_.begin(), end}, .from = from, .to = to});
  if (outbox_.size() == kBatch) flush();
}

void MemoryDatagramSocket::flush() {
  for (const Packet& packet : outbox_) send(packet);
  outbox_.clear();
}

void MemoryDatagramSocket::send(const Packet& packet) {
  const MemoryOptions& options = wire_.options;
  ++wire_.counters.datagrams_sent;
  if (wire_.chance(options.loss_permille)) {
    ++wire_.counters.datagrams_lost;
    return;
  }
  const bool twice = wire_.chance(options.duplicate_permille);
  if (twice) ++wire_.counters.datagrams_duplicated;
  for (int copy = twice ? 2 : 1; copy > 0; --copy) {
    Instant due = wire_.now() + wire_.delay(options.datagram_delay_min, options.datagram_delay_max);
    if (wire_.chance(options.reorder_permille)) {
      ++wire_.counters.datagrams_reordered;
      due += options.reorder_delay;
    } else {
      due = last_arrival_ = std::max(last_arrival_, due);
    }
    wire_.at(due, [&wire = wire_, packet] { arrive(wire, packet); });
  }
}

void MemoryDatagramSocket::arrive(Wire& wire, Packet packet) {
  const int number = Wire::route(wire.datagram_sockets, packet.to, packet.from);
  auto* socket = dynamic_cast<MemoryDatagramSocket*>(wire.find(number));
  if (socket == nullptr || socket->inbox_.size() >= wire.options.datagrams_waiting_max) {
    ++wire.counters.datagrams_unreceived;
    return;
  }
  socket->inbox_.push_back(std::move(packet));
  socket->notify();
}

}  // namespace hermod::transport
