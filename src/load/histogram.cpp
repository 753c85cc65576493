// SPDX-License-Identifier: Apache-2.0
// Layout: values below kSteps have a counter each; from there on every octave [2^e, 2^(e+1)) has
// kSteps counters, of 2^(e - log2 kSteps) nanoseconds each.
#include "hermod/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hermod::load {
namespace {

constexpr unsigned kStepBits = std::bit_width(Histogram::kSteps) - 1;
constexpr unsigned kValueBits = 40;

std::size_t index_of(std::uint64_t value) {
  if (value < Histogram::kSteps) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
  return (shift + 1) * Histogram::kSteps + ((value >> shift) - Histogram::kSteps);
}

// The largest value that has this index.
std::uint64_t upper_end(std::size_t index) {
  if (index < Histogram::kSteps) return index;
  const std::size_t shift = index / Histogram::kSteps - 1;
  return ((index % Histogram::kSteps + Histogram::kSteps + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : counts_((kValueBits - kStepBits + 1) * kSteps) {}

void Histogram::record(Duration value, std::uint64_t times) {
  value = std::clamp(value, Duration{0}, kMax);
  counts_[index_of(static_cast<std::uint64_t>(value.count()))] += times;
  count_ += times;
  max_ = std::max(max_, value);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Duration Histogram::quantile(double fraction) const {
  if (count_ == 0) return Duration{0};
  const double rank = std::ceil(fraction * static_cast<double>(count_));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(Duration{static_cast<std::int64_t>(upper_end(i))}, max_);
  }
  return max_;
}

}  // namespace hermod::load
