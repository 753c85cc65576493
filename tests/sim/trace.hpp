// SPDX-License-Identifier: Apache-2.0
// What happened in a run, in order: folded into one number, so that two runs can be compared, and
// printed when somebody wants to read it; and what the oracles object to.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hermod/base/time.hpp"

namespace hermod::sim {

/// A named number of a trace line.
using Field = std::pair<std::string_view, std::uint64_t>;

/// The memory of one run. Everything that could differ between two runs of one seed is noted here.
class Trace {
 public:
  /// With `verbose` each line goes to stdout as well.
  explicit Trace(bool verbose) : verbose_(verbose) {}

  /// One event. Example: trace.note(now, "acknowledged", {{"client", 3}, {"message", 17}});
  void note(Instant now, std::string_view what, std::initializer_list<Field> fields);

  /// More about it, for people only.
  template <typename... Args>
  void remark(fmt::format_string<Args...> format, Args&&... args) const {
    if (verbose_) fmt::print("{:>12} {}\n", "", fmt::format(format, std::forward<Args>(args)...));
  }

  /// An oracle's objection: the run has failed. Only the first kViolationsKept are kept.
  template <typename... Args>
  void violation(Instant now, fmt::format_string<Args...> format, Args&&... args) {
    object(now, fmt::format(format, std::forward<Args>(args)...));
  }

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] bool failed() const { return !violations_.empty(); }
  /// The fold of all events so far.
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] bool verbose() const { return verbose_; }

 private:
  static constexpr std::size_t kViolationsKept = 20;
  void object(Instant now, std::string text);

  bool verbose_;
  std::uint64_t hash_ = 0x9e3779b97f4a7c15u;
  std::vector<std::string> violations_;
};

}  // namespace hermod::sim
