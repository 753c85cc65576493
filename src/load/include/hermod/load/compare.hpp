// SPDX-License-Identifier: Apache-2.0
// One server beside rivals and ceilings under the same load. measure_in_turns() fills the reports.
#pragma once

#include <string>
#include <vector>

#include "hermod/load/turns.hpp"

namespace hermod::load {

/// What the own server has to reach; 0: nothing is wanted.
struct Bounds {
  double ratio_min = 0;          ///< times better than the best rival
  double octets_max = 0;         ///< idle: octets of a connection
  double ceiling_share_min = 0;  ///< of the ceiling's figure
  double ceiling_p99_max = 0;    ///< p99 as a multiple of the ceiling's
};

struct Comparison {
  std::vector<Contender> contenders;  ///< the own one first
  Bounds wanted;

  [[nodiscard]] const Contender& own() const { return contenders.front(); }
  /// Of all with that role the one with the best median; null without any that has a figure.
  [[nodiscard]] const Contender* best(Role role) const;
  /// How many times better the own median is than the best rival's; 0 without a figure.
  [[nodiscard]] double ratio() const;
  /// The own median as a share of the ceiling's; 0 without a ceiling.
  [[nodiscard]] double ceiling_share() const;
  /// The own p99 as a multiple of the ceiling's; 0 without a ceiling or delays.
  [[nodiscard]] double p99_to_ceiling() const;
  /// One for each bound that is wanted.
  [[nodiscard]] std::vector<Judgement> judgements() const;
  [[nodiscard]] bool reached() const;
};

[[nodiscard]] std::string summary(const Comparison& comparison);
/// One JSON object with all reports.
[[nodiscard]] std::string to_json(const Comparison& comparison);

}  // namespace hermod::load
