// SPDX-License-Identifier: Apache-2.0
// Answers to requests that came by multicast: each waits for a time of its own, so that those of a
// whole group of servers do not come at once (RFC 7252 §8.2). Knows neither requests nor resources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/session/budget.hpp"

namespace hermod::coap {

class GroupAnswers {
 public:
  struct Answer {
    Instant due{};
    std::vector<std::uint8_t> datagram;
    std::uint16_t message_id = 0;   ///< of the request
    std::uint64_t fingerprint = 0;  ///< of the request
  };

  /// At most `most` answers wait; their octets come from `budget`, which outlives this; nullptr:
  /// they are not counted.
  GroupAnswers(std::size_t most, session::Budget* budget) : most_(most), share_(budget) {}

  /// False, and the answer dropped, when there is no room.
  [[nodiscard]] bool add(Answer answer);
  /// Takes an answer whose time has come.
  [[nodiscard]] std::optional<Answer> take_due(Instant now);
  /// When the next one's comes; kNever when none waits.
  [[nodiscard]] Instant due() const;

 private:
  std::size_t most_;
  session::BudgetShare share_;
  std::vector<Answer> answers_;
};

}  // namespace hermod::coap
