// SPDX-License-Identifier: Apache-2.0
// One server under two loads, or with two configurations: what more of something costs each
// operation. measure_in_turns() fills the reports.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "hermod/load/turns.hpp"

namespace hermod::load {

struct Scaling {
  std::array<Contender, 2> contenders;  ///< first the plain load, then the one with more
  double share_min = 0;                 ///< wanted of share(); 0: nothing
  double cost_max = 0;                  ///< wanted of cost(); 0: nothing
  double more_us_max = 0;               ///< wanted of more_us(); 0: nothing

  [[nodiscard]] const Contender& first() const { return contenders[0]; }
  [[nodiscard]] const Contender& then() const { return contenders[1]; }
  /// The figure of the second as a share of the first's; 0 without a figure.
  [[nodiscard]] double share() const;
  /// What an operation of the second costs, as a multiple of the first's; 0 without a figure.
  [[nodiscard]] double cost() const;
  /// Microseconds of processor time that an operation of the second costs more; 0 without a figure.
  [[nodiscard]] double more_us() const;
  /// One for each bound that is wanted.
  [[nodiscard]] std::vector<Judgement> judgements() const;
  [[nodiscard]] bool reached() const;
};

[[nodiscard]] std::string summary(const Scaling& scaling);
/// One JSON object with both reports.
[[nodiscard]] std::string to_json(const Scaling& scaling);

}  // namespace hermod::load
