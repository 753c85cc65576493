// SPDX-License-Identifier: Apache-2.0
#include "trace.hpp"

#include <fmt/ranges.h>

#include <cstdio>

#include "hermod/base/hash.hpp"

namespace hermod::sim {
namespace {

double seconds_of(Instant at) {
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

}  // namespace

void Trace::note(Instant now, std::string_view what, std::initializer_list<Field> fields) {
  hash_ = keyed_hash(what, hash_ ^ static_cast<std::uint64_t>(now.time_since_epoch().count()));
  for (const Field& field : fields) {
    hash_ = (hash_ ^ field.second) * 0x9e3779b97f4a7c15u;
    hash_ ^= hash_ >> 29;
  }
  if (!verbose_) return;
  fmt::print("{:12.6f} {:<18}", seconds_of(now), what);
  for (const auto& [name, value] : fields) fmt::print(" {}={}", name, value);
  fmt::print("\n");
}

void Trace::object(Instant now, std::string text) {
  if (verbose_) fmt::print("{:12.6f} VIOLATION {}\n", seconds_of(now), text);
  if (violations_.size() == kViolationsKept) return;
  violations_.push_back(fmt::format("at {:.6f} s: {}", seconds_of(now), text));
}

}  // namespace hermod::sim
