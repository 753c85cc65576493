// SPDX-License-Identifier: Apache-2.0
// A network in memory for tests and the simulator: streams, datagrams and a poller with the faces
// and the manners of the kernel's, on a clock that only its user moves. One thread; everything that
// chance decides comes from one seed, so that a run replays exactly. Must not know real time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/transport/address.hpp"
#include "hermod/transport/datagram.hpp"
#include "hermod/transport/poller.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::transport {

/// How the network behaves. The defaults are a perfect one without delay.
struct MemoryOptions {
  std::uint64_t seed = 1;

  /// What one direction of a stream holds: under way and arrived but not read.
  std::size_t stream_buffer_bytes = 64 * 1024;
  /// Written octets arrive in pieces of 1 to this many octets; 0: as they were written.
  std::size_t segment_bytes_max = 0;
  /// Each piece, end and connection attempt takes this long; a stream's order is kept.
  Duration stream_delay_min{0};
  Duration stream_delay_max{0};
  /// Writes of which only a part is taken; the writer's edge comes a delay later.
  unsigned partial_write_permille = 0;
  /// Writes at which the connection breaks: both ends fail with ECONNRESET.
  unsigned reset_permille = 0;
  /// Writes from which on everything vanishes both ways and nobody is told (a half-open peer).
  unsigned silent_permille = 0;
  /// Connections a listener keeps waiting; more are refused.
  std::size_t backlog = 128;

  Duration datagram_delay_min{0};
  Duration datagram_delay_max{0};
  unsigned loss_permille = 0;
  unsigned duplicate_permille = 0;
  /// Datagrams that take `reorder_delay` longer; the others of a socket arrive in the order sent.
  unsigned reorder_permille = 0;
  Duration reorder_delay = std::chrono::milliseconds(5);
  /// Datagrams that wait unread in a socket; more are lost.
  std::size_t datagrams_waiting_max = 1024;
};

/// What happened to datagrams so far.
struct MemoryCounters {
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagrams_lost = 0;  ///< by chance
  std::uint64_t datagrams_duplicated = 0;
  std::uint64_t datagrams_reordered = 0;
  std::uint64_t datagrams_unreceived = 0;  ///< no socket there, or no room in it
};

class Wire;

/// The clock, the cables and the addresses. Outlives every socket and poller made from it.
/// Example: MemoryNetwork network({.seed = 7, .loss_permille = 100});
///          auto a = network.bind(*Address::literal("10.0.0.1", 5683));
///          ...  network.advance_to(network.next_due());
class MemoryNetwork final : public Clock {
 public:
  explicit MemoryNetwork(const MemoryOptions& options);
  ~MemoryNetwork() override;
  MemoryNetwork(const MemoryNetwork&) = delete;
  MemoryNetwork& operator=(const MemoryNetwork&) = delete;

  /// Starts at the origin of Instant.
  [[nodiscard]] Instant now() const override;
  /// When something under way arrives next; kNever when nothing is.
  [[nodiscard]] Instant next_due() const;
  /// Moves the clock forward and lets everything due until then happen, in order.
  void advance_to(Instant instant);

  /// Listens, like listen_tcp(); error in words when the address is taken. Listeners that share an
  /// address with `reuse_port` each get the connections of some peers, always the same.
  [[nodiscard]] std::expected<std::unique_ptr<StreamListener>, std::string> listen(
      const Address& at, bool reuse_port = false);
  /// Begins to connect; stands at once without delays. A refusal shows as ECONNREFUSED on read and
  /// write. Without `from` the client is on the loopback address.
  [[nodiscard]] std::unique_ptr<Stream> connect(const Address& to, const Address& from = {});
  /// Binds a datagram socket, like bind_udp().
  [[nodiscard]] std::expected<std::unique_ptr<DatagramSocket>, std::string> bind(
      const Address& at, bool reuse_port = false);

  /// Breaks a connection: this end fails with ECONNRESET now, the other a delay later.
  void reset(const Stream& stream);
  /// From now on everything on this connection vanishes, both ways, and nobody is told.
  void silence(const Stream& stream);
  /// From now on no datagram is lost, repeated or held back; what is under way stays so.
  void heal_datagrams();

  [[nodiscard]] const MemoryCounters& counters() const;

 private:
  friend class MemoryPoller;
  std::unique_ptr<Wire> wire_;
};

/// Poller over a MemoryNetwork, edge-triggered as epoll: what has happened to a source puts it on a
/// list, and wait() tells all that is then ready about the sources on the list. wait() never
/// blocks; who drives the simulation asks ready() and deadline() and moves the clock.
class MemoryPoller final : public Poller {
 public:
  /// Events handed out by one wait() at most; the others come with the next.
  static constexpr std::size_t kEventsMax = 256;

  explicit MemoryPoller(MemoryNetwork& network) : wire_(*network.wire_) {}
  ~MemoryPoller() override;
  MemoryPoller(const MemoryPoller&) = delete;
  MemoryPoller& operator=(const MemoryPoller&) = delete;

  /// False for a source that is not of this network, or is watched already.
  [[nodiscard]] bool add(Source& source, Token token) override;
  void remove(Source& source) override;
  [[nodiscard]] std::span<const Event> wait(Duration timeout) override;
  void wake() override { woken_ = true; }

  /// Whether a real wait() would return now.
  [[nodiscard]] bool ready() const { return woken_ || !ready_.empty(); }
  /// When the timeout given to the last wait() ends; kNever when it was endless. The origin before
  /// the first wait(): the owner wants its first turn.
  [[nodiscard]] Instant deadline() const { return deadline_; }

 private:
  friend class Endpoint;

  Wire& wire_;
  std::set<int> watched_;
  std::deque<int> ready_;  ///< numbers of endpoints, each once
  std::vector<Event> events_;
  Instant deadline_{};
  bool woken_ = false;
};

}  // namespace hermod::transport
