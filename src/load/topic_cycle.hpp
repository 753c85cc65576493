// SPDX-License-Identifier: Apache-2.0
// The topics of one publisher, which it takes in turn. They differ in the decimal number at their
// end alone, so that an encoded packet becomes one of the next topic by writing seven octets.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace hermod::load {

struct TopicCycle {
  /// Digits of the number; topics with one have it at their end.
  static constexpr std::size_t kDigits = 7;

  std::string first;
  std::uint32_t count = 1;  ///< at most 10^kDigits; above 1 `first` ends in kDigits zeros
};

/// The number of the next topic, in decimal digits.
class TopicNumber {
 public:
  explicit TopicNumber(std::uint32_t count) : count_(count) { digits_.fill('0'); }

  /// Writes the number at the end of a topic, which is `at`, and goes on to the next one.
  void write_and_advance(std::uint8_t* at) {
    std::memcpy(at, digits_.data(), digits_.size());
    if (++number_ == count_) {
      number_ = 0;
      digits_.fill('0');
      return;
    }
    for (std::size_t i = digits_.size(); i-- > 0;) {
      if (digits_[i]++ != '9') return;
      digits_[i] = '0';
    }
  }

 private:
  std::uint32_t count_;
  std::uint32_t number_ = 0;
  std::array<char, TopicCycle::kDigits> digits_;
};

}  // namespace hermod::load
