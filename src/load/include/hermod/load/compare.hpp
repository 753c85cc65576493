// SPDX-License-Identifier: Apache-2.0
// Two servers under the same load, in turns (A B A B ...), so that what else happens on the machine
// meets both alike.
#pragma once

#include <expected>
#include <string>

#include "hermod/load/report.hpp"
#include "hermod/load/run.hpp"

namespace hermod::load {

/// One of the two: a name for people, the command that starts it ("{port}" is replaced), and the
/// resource or port if they are not the same for both.
struct Contender {
  std::string name;
  std::string command;
  Url url;  ///< host empty: as the other options say
};

struct Comparison {
  Contender a;
  Contender b;
  Report report_a;
  Report report_b;
  double at_least = 0;  ///< the ratio that is wanted; 0: none
  double at_most = 0;   ///< idle: octets per connection that A may have; 0: any

  /// How many times better A's median is: deliveries (or requests ...) per processor second, or for
  /// idle the memory of a connection. 0 when B has no figure.
  [[nodiscard]] double ratio() const;
  /// What was wanted is reached.
  [[nodiscard]] bool reached() const;
};

/// Measures each of the two `options.repeat` times. Error in words, with the contender's name.
[[nodiscard]] std::expected<Comparison, std::string> compare(const Options& options, Contender a,
                                                             Contender b,
                                                             const Progress& progress = {});

/// The figure that is compared, over the runs of a report.
[[nodiscard]] Spread compared_figure(const Report& report);

[[nodiscard]] std::string summary(const Comparison& comparison);
/// One JSON object with both reports.
[[nodiscard]] std::string to_json(const Comparison& comparison);

}  // namespace hermod::load
