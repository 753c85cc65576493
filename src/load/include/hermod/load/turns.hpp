// SPDX-License-Identifier: Apache-2.0
// Several measurements that take turns (A B C A B C ...), so that what else happens on the machine
// meets all alike; and what is read from each.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "hermod/load/report.hpp"
#include "hermod/load/run.hpp"

namespace hermod::load {

/// What a server is beside the others.
enum class Role : std::uint8_t {
  kOwn,      ///< the one that is judged
  kRival,    ///< the best of these is what the own one is measured by
  kBeside,   ///< shown, without a say in the judgement
  kCeiling,  ///< what the machine allows: the own one is a share of it
};

/// "own", "rival", "beside", "ceiling".
[[nodiscard]] std::string_view to_text(Role role);

/// One server under one load: a name for people, and options whose `spawn` starts the server and
/// whose `url` says where it answers. `report` is filled run by run.
struct Contender {
  std::string name;
  Role role = Role::kOwn;
  Options options;
  Report report;
};

/// Measures each of them `repeat` times. Error in words, with the contender's name.
[[nodiscard]] std::expected<void, std::string> measure_in_turns(std::span<Contender> contenders,
                                                                unsigned repeat,
                                                                const Progress& progress = {});

/// The figure that is compared, over the runs of a report: operations per processor second of the
/// server, or for idle the octets of a connection.
[[nodiscard]] Spread compared_figure(const Report& report);
/// What that figure counts: "deliveries per server CPU second".
[[nodiscard]] std::string figure_noun(Scenario scenario);
/// Cores that the server kept busy.
[[nodiscard]] Spread utilisation(const Report& report);
[[nodiscard]] Spread p99_us(const Report& report);
/// Runs of a closed loop in which the server was idle for more than a tenth of the time: it waited
/// for the load or for its processor, and its batches were smaller than they are under pressure.
[[nodiscard]] std::size_t runs_not_busy(const Report& report);

/// How many times better the first report's median is than the second's; 0 without a figure.
[[nodiscard]] double times_better(const Report& first, const Report& second);

/// A figure and its bound.
struct Judgement {
  std::string_view what;  ///< "ratio", "octets_per_connection", ...
  double value = 0;       ///< 0: there is no figure, which reaches nothing
  double bound = 0;
  bool at_least = true;  ///< else at most

  [[nodiscard]] bool reached() const {
    return value > 0 && (at_least ? value >= bound : value <= bound);
  }
  /// "ratio 31.2, wanted at least 30: reached".
  [[nodiscard]] std::string to_text() const;
};

/// What no server may do: lose, reorder; double, except at QoS 1 (MQTT 3.1.1 §4.3.2).
[[nodiscard]] bool broke_promises(const Report& report);

/// One line of a summary: name, figure, utilisation, delays, and everything that went wrong.
[[nodiscard]] std::string contender_line(const Contender& contender, std::size_t name_width);

}  // namespace hermod::load
