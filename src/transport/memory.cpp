// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hermod/base/assert.hpp"
#include "memory_datagram.hpp"
#include "memory_stream.hpp"
#include "memory_wire.hpp"

namespace hermod::transport {

void Wire::at(Instant due, std::move_only_function<void()> action) {
  if (due <= now_) return action();
  under_way_.emplace(std::pair{due, sequence_++}, std::move(action));
}

void Wire::advance_to(Instant instant) {
  HERMOD_ASSERT(instant >= now_);
  while (!under_way_.empty() && under_way_.begin()->first.first <= instant) {
    auto next = under_way_.extract(under_way_.begin());
    now_ = next.key().first;
    next.mapped()();
  }
  now_ = instant;
}

Instant Wire::next_due() const {
  return under_way_.empty() ? kNever : under_way_.begin()->first.first;
}

bool Wire::chance(unsigned permille) {
  return permille != 0 && rng_.below(1000) < permille;
}

Duration Wire::delay(Duration min, Duration max) {
  if (max <= min) return min;
  const auto spread = static_cast<std::uint64_t>((max - min).count()) + 1;
  return min + Duration(static_cast<Duration::rep>(rng_.below(spread)));
}

Duration Wire::stream_delay() {
  return delay(options.stream_delay_min, options.stream_delay_max);
}

std::size_t Wire::some(std::size_t most) {
  return 1 + rng_.below(most);
}

int Wire::enter(Endpoint& endpoint) {
  endpoints_.emplace(next_number_, &endpoint);
  return next_number_--;
}

Endpoint* Wire::find(int number) const {
  const auto found = endpoints_.find(number);
  return found == endpoints_.end() ? nullptr : found->second;
}

Address Wire::choose_port(const Bindings& bindings, const Address& at) {
  if (at.port() != 0) return at;
  constexpr std::uint16_t kFirst = 49152;  // RFC 6335 §6: dynamic ports
  for (;;) {
    const auto port = static_cast<std::uint16_t>(kFirst + next_port_++ % (65536 - kFirst));
    if (const Address out = at.with_port(port); !bindings.contains(out)) return out;
  }
}

bool Wire::take(Bindings& bindings, const Address& at, bool shared, int number) {
  Binding& binding = bindings[at];
  if (!binding.numbers.empty() && !(shared && binding.shared)) return false;
  binding.numbers.push_back(number);
  binding.shared = shared;
  return true;
}

void Wire::give_back(Bindings& bindings, const Address& at, int number) {
  const auto found = bindings.find(at);
  if (found == bindings.end()) return;
  std::erase(found->second.numbers, number);
  if (found->second.numbers.empty()) bindings.erase(found);
}

int Wire::route(const Bindings& bindings, const Address& to, const Address& from) {
  auto found = bindings.find(to);
  if (found == bindings.end()) {
    const bool v6 = to.family() == Address::Family::kV6;
    found = bindings.find(v6 ? Address::v6({}, to.port()) : Address::v4({}, to.port()));
  }
  if (found == bindings.end()) return 0;
  const auto& numbers = found->second.numbers;
  return numbers[AddressHash{}(from) % numbers.size()];
}

Address loopback_like(const Address& other) {
  if (other.family() == Address::Family::kV4) return Address::v4({127, 0, 0, 1}, 0);
  std::array<std::uint8_t, 16> octets{};
  octets.back() = 1;
  return Address::v6(octets, 0);
}

MemoryNetwork::MemoryNetwork(const MemoryOptions& options)
    : wire_(std::make_unique<Wire>(options)) {}

MemoryNetwork::~MemoryNetwork() = default;

Instant MemoryNetwork::now() const {
  return wire_->now();
}

Instant MemoryNetwork::next_due() const {
  return wire_->next_due();
}

void MemoryNetwork::advance_to(Instant instant) {
  wire_->advance_to(instant);
}

std::expected<std::unique_ptr<StreamListener>, std::string> MemoryNetwork::listen(const Address& at,
                                                                                  bool reuse_port) {
  const Address local = wire_->choose_port(wire_->listeners, at);
  auto listener = std::make_unique<MemoryListener>(*wire_, local);
  if (!Wire::take(wire_->listeners, local, reuse_port, listener->number())) {
    return std::unexpected(
        fmt::format("cannot listen on {}: the address is taken", local.to_text()));
  }
  return listener;
}

std::unique_ptr<Stream> MemoryNetwork::connect(const Address& to, const Address& from) {
  const bool named = from.family() != Address::Family::kNone;
  const Address local = wire_->choose_port(wire_->listeners, named ? from : loopback_like(to));
  auto stream = std::make_unique<MemoryStream>(*wire_, local, to);
  stream->begin();
  return stream;
}

std::expected<std::unique_ptr<DatagramSocket>, std::string> MemoryNetwork::bind(const Address& at,
                                                                                bool reuse_port) {
  const Address local = wire_->choose_port(wire_->datagram_sockets, at);
  auto socket = std::make_unique<MemoryDatagramSocket>(*wire_, local);
  if (!Wire::take(wire_->datagram_sockets, local, reuse_port, socket->number())) {
    return std::unexpected(
        fmt::format("cannot bind UDP to {}: the address is taken", local.to_text()));
  }
  return socket;
}

void MemoryNetwork::reset(const Stream& stream) {
  auto* end = dynamic_cast<MemoryStream*>(wire_->find(stream.descriptor()));
  HERMOD_ASSERT(end != nullptr);
  end->reset();
}

void MemoryNetwork::silence(const Stream& stream) {
  auto* end = dynamic_cast<MemoryStream*>(wire_->find(stream.descriptor()));
  HERMOD_ASSERT(end != nullptr);
  end->silence();
}

void MemoryNetwork::heal_datagrams() {
  wire_->options.loss_permille = 0;
  wire_->options.duplicate_permille = 0;
  wire_->options.reorder_permille = 0;
}

const MemoryCounters& MemoryNetwork::counters() const {
  return wire_->counters;
}

}  // namespace hermod::transport
