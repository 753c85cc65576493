// SPDX-License-Identifier: Apache-2.0
// What RFC 7252 §4.2 must come to on a network that loses datagrams independently of each other,
// each way with the same probability: expected value and variance, for one request.
// Acknowledgements come back before the next repetition. Knows nothing of the simulation.
//
//   each transmission: lost with p, else there once, or, with probability d, twice;
//   each arrival is acknowledged, and each Acknowledgement lost with p;
//   5 transmissions at most, at T * (0, 1, 3, 7, 15), T uniform in 2 to 3 s
#pragma once

namespace hermod::sim {

/// A random number: what is expected of it, and the largest that it can be.
struct Expected {
  double mean = 0;
  double variance = 0;
  double largest = 1;
};

struct LossModel {
  Expected non_delivered;  ///< Non-confirmable: arrived
  Expected delivered;      ///< Confirmable: arrived at least once
  Expected acknowledged;
  Expected transmissions;
  Expected copies;    ///< arrivals beyond the first
  Expected waited_s;  ///< of those delivered: from the first transmission to the first that arrives
  Expected timeout_s;  ///< of those repeated: the last pause, without the doublings before it
};

/// Both from 0 to 1.
[[nodiscard]] LossModel loss_model(double loss, double duplicated);

/// Whether the mean of `count` observations is what is expected, within five standard deviations,
/// and three observations of the largest kind more: a few rare ones are no normal distribution.
[[nodiscard]] bool agrees(const Expected& expected, double mean, double count);

}  // namespace hermod::sim
