// SPDX-License-Identifier: Apache-2.0
// Time that moves when a test says so.
#pragma once

#include "hermod/base/time.hpp"

namespace hermod::testkit {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  /// Moves forward; never back.
  void advance_to(Instant instant) {
    if (instant > now_) now_ = instant;
  }

 private:
  Instant now_{std::chrono::hours(1)};
};

}  // namespace hermod::testkit
