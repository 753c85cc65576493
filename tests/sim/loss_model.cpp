// SPDX-License-Identifier: Apache-2.0
#include "loss_model.hpp"

#include <array>
#include <cmath>
#include <cstddef>

namespace hermod::sim {
namespace {

constexpr std::size_t kTransmissionsMax = 5;  // RFC 7252 §4.8: MAX_RETRANSMIT is 4
constexpr std::size_t kCopiesMax = 2 * kTransmissionsMax;
// ACK_TIMEOUT * U(1, ACK_RANDOM_FACTOR): mean, and mean of the square.
constexpr double kTimeoutMean = 2.5;
constexpr double kTimeoutSquare = (27.0 - 8.0) / 3.0;

Expected proportion(double probability) {
  return {probability, probability * (1 - probability), 1};
}

// Adds up a distribution.
struct Sum {
  void add(double probability, double value) {
    mean += probability * value;
    square += probability * value * value;
  }
  [[nodiscard]] Expected expected(double largest) const {
    return {mean, std::fmax(0.0, square - mean * mean), largest};
  }
  double mean = 0;
  double square = 0;
};

}  // namespace

LossModel loss_model(double loss, double duplicated) {
  // A transmission arrives 0, 1 or 2 times, and is then acknowledged with so much probability.
  const std::array<double, 3> arrives = {loss, (1 - loss) * (1 - duplicated),
                                         (1 - loss) * duplicated};
  const std::array<double, 3> heard = {0, 1 - loss, 1 - loss * loss};
  std::array<double, kCopiesMax + 1> waiting{1};  // by arrivals so far
  double acknowledged = 0;
  double wait_mean = 0;
  double wait_square = 0;
  Sum transmissions;
  Sum copies;
  for (std::size_t sent = 1; sent <= kTransmissionsMax; ++sent) {
    std::array<double, kCopiesMax + 1> still{};
    for (std::size_t before = 0; before + 2 <= kCopiesMax; ++before) {
      for (std::size_t more = 0; more < arrives.size(); ++more) {
        const double probability = waiting[before] * arrives[more];
        const std::size_t now = before + more;
        if (before == 0 && more > 0) {
          const double pauses = std::exp2(static_cast<double>(sent - 1)) - 1;
          wait_mean += probability * pauses * kTimeoutMean;
          wait_square += probability * pauses * pauses * kTimeoutSquare;
        }
        const bool last = sent == kTransmissionsMax;
        const double over = last ? probability : probability * heard[more];
        acknowledged += probability * heard[more];
        transmissions.add(over, static_cast<double>(sent));
        copies.add(over, now > 0 ? static_cast<double>(now - 1) : 0.0);
        still[now] += probability * (1 - heard[more]);
      }
    }
    waiting = still;
  }
  const double delivered = 1 - std::pow(loss, kTransmissionsMax);
  const double wait = wait_mean / delivered;
  return {.non_delivered = proportion(1 - loss),
          .delivered = proportion(delivered),
          .acknowledged = proportion(acknowledged),
          .transmissions = transmissions.expected(kTransmissionsMax),
          .copies = copies.expected(kCopiesMax - 1),
          .waited_s = {wait, wait_square / delivered - wait * wait, 45},
          .timeout_s = {kTimeoutMean, kTimeoutSquare - kTimeoutMean * kTimeoutMean, 3}};
}

bool agrees(const Expected& expected, double mean, double count) {
  if (count <= 0) return true;
  const double deviation = std::sqrt(expected.variance / count);
  return std::fabs(mean - expected.mean) <= 5 * deviation + 3 * expected.largest / count;
}

}  // namespace hermod::sim
