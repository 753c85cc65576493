// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next attempt: longer after each failure, up to a limit, and a little
// different for everyone, so that the clients of a server that comes back do not all come at once.
// Knows no clock: it only counts.
//
//   Backoff backoff({.initial = 1s, .longest = 60s}, rng);
//   wait(backoff.next());   // between 0.5 s and 1 s, then 1 s and 2 s ... 30 s and 60 s
//   backoff.reset();        // it worked: the next failure begins anew
#pragma once

#include <chrono>
#include <cstdint>

#include "hermod/base/rng.hpp"

namespace hermod::client {

struct BackoffOptions {
  std::chrono::milliseconds initial{1'000};
  std::chrono::milliseconds longest{60'000};  ///< not below `initial`
  double factor = 2.0;                        ///< from one failure to the next; at least 1
  double jitter = 0.5;  ///< the part of each wait that is left to chance, 0 to 1
};

class Backoff {
 public:
  /// `rng` outlives it.
  Backoff(BackoffOptions options, Rng& rng) : options_(options), rng_(&rng) { reset(); }

  /// The wait after one more failure: in [limit * (1 - jitter), limit].
  [[nodiscard]] std::chrono::milliseconds next();
  void reset() { limit_ms_ = static_cast<double>(options_.initial.count()); }

 private:
  BackoffOptions options_;
  Rng* rng_;
  double limit_ms_ = 0;
};

}  // namespace hermod::client
