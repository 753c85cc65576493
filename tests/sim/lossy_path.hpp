// SPDX-License-Identifier: Apache-2.0
// One direction of a network of its own between two sockets: loss that is independent from datagram
// to datagram, delay, overtaking and repetition, all from one seed. It says at once what will
// become of a datagram, which no socket could.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "coap_message.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/base/time.hpp"

namespace hermod::sim {

/// What may happen to a datagram. What is repeated comes once more, later, and neither of the two
/// is lost.
struct PathManners {
  unsigned loss_permille = 0;
  unsigned duplicate_permille = 0;
  unsigned reorder_permille = 0;  ///< those that take `reorder_delay` longer
  Duration delay_min = std::chrono::milliseconds{5};
  Duration delay_max = std::chrono::milliseconds{150};
  Duration reorder_delay = std::chrono::milliseconds{250};
  Duration duplicate_delay_min = std::chrono::milliseconds{50};
  Duration duplicate_delay_max = std::chrono::milliseconds{300};

  /// The longest that a datagram is under way.
  [[nodiscard]] Duration longest() const { return delay_max + reorder_delay + duplicate_delay_max; }
};

class LossyPath {
 public:
  LossyPath(const PathManners& manners, std::uint64_t seed) : manners_(manners), rng_(seed) {}

  /// How many times it will arrive: 0, 1 or 2.
  unsigned send(Octets datagram, Instant now);
  /// A copy that was held back somewhere.
  void hold_back(Octets datagram, Instant until) { under_way_.emplace(until, std::move(datagram)); }
  /// When something arrives next.
  [[nodiscard]] Instant due() const {
    return under_way_.empty() ? kNever : under_way_.begin()->first;
  }
  /// The next datagram that has arrived by now.
  [[nodiscard]] std::optional<Octets> receive(Instant now);

 private:
  PathManners manners_;
  SeededRng rng_;
  std::multimap<Instant, Octets> under_way_;
};

}  // namespace hermod::sim
