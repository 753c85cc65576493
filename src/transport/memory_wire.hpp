// SPDX-License-Identifier: Apache-2.0
// Inside of the network in memory: what its sockets share. Things under way are closures ordered by
// (instant, number); they name sockets by number, because a socket can be gone when they arrive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/transport/memory.hpp"

namespace hermod::transport {

class Wire;

/// What every socket in memory is to the wire and to a poller.
class Endpoint {
 public:
  explicit Endpoint(Wire& wire);
  virtual ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] virtual bool is_readable() const = 0;
  /// Nothing comes after what can be read now.
  [[nodiscard]] virtual bool is_ended() const { return false; }
  /// Asked by a poller; "no" is remembered as the wish to be told.
  [[nodiscard]] virtual bool poll_writable() = 0;

  /// Something happened: the poller, if any, looks at this socket in its next wait().
  void notify();
  void watch(MemoryPoller& poller, Token token);
  void unwatch();
  [[nodiscard]] bool is_watched() const { return poller_ != nullptr; }
  /// Taken off the poller's list: what is ready now.
  [[nodiscard]] Event take_event();

 protected:
  Wire& wire_;

 private:
  int number_;
  MemoryPoller* poller_ = nullptr;
  Token token_ = 0;
  bool listed_ = false;
};

/// Sockets bound to one address; more than one only when all of them share it.
struct Binding {
  std::vector<int> numbers;
  bool shared = false;
};
using Bindings = std::unordered_map<Address, Binding, AddressHash>;

class Wire {
 public:
  explicit Wire(const MemoryOptions& behaviour) : options(behaviour), rng_(behaviour.seed) {}

  /// Runs `action` at `due`; at once when that is not later than now.
  void at(Instant due, std::move_only_function<void()> action);
  void advance_to(Instant instant);
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Instant next_due() const;

  [[nodiscard]] bool chance(unsigned permille);
  /// Uniform in [min, max].
  [[nodiscard]] Duration delay(Duration min, Duration max);
  [[nodiscard]] Duration stream_delay();
  /// Uniform in [1, most].
  [[nodiscard]] std::size_t some(std::size_t most);

  int enter(Endpoint& endpoint);
  void leave(int number) { endpoints_.erase(number); }
  /// nullptr when it is gone.
  [[nodiscard]] Endpoint* find(int number) const;

  /// The address with a port: the one asked for, or a free one when that is 0.
  [[nodiscard]] Address choose_port(const Bindings& bindings, const Address& at);
  /// False when the address is taken.
  static bool take(Bindings& bindings, const Address& at, bool shared, int number);
  static void give_back(Bindings& bindings, const Address& at, int number);
  /// The socket that gets what `from` sends to `to`; 0 when there is none.
  [[nodiscard]] static int route(const Bindings& bindings, const Address& to, const Address& from);

  MemoryOptions options;
  MemoryCounters counters;
  Bindings listeners;
  Bindings datagram_sockets;

 private:
  SeededRng rng_;
  Instant now_{};
  std::uint64_t sequence_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::move_only_function<void()>> under_way_;
  std::unordered_map<int, Endpoint*> endpoints_;
  int next_number_ = -2;  // -1 is "no descriptor"
  std::uint16_t next_port_ = 0;
};

/// 127.0.0.1 or ::1, without a port.
[[nodiscard]] Address loopback_like(const Address& other);

}  // namespace hermod::transport
