// SPDX-License-Identifier: Apache-2.0
#include "config/queue_directives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "text/suggest.hpp"

namespace hermod::app {

std::string apply_queue_overflow(Draft& draft, const Value& value) {
  constexpr std::array<std::string_view, 3> kWords = {"drop-tail", "drop-head", "reject"};
  const auto* const word = std::ranges::find(kWords, value.text);
  if (word == kWords.end()) {
    return fmt::format("\"queue_overflow\" is \"{}\", but must be one of {}.{}", value.text,
                       join(kWords), did_you_mean(value.text, kWords));
  }
  draft.config.keep.queue_overflow = static_cast<core::Overflow>(word - kWords.begin());
  return {};
}

std::string apply_queue_message_ttl(Draft& draft, const Value& value) {
  constexpr Range kSeconds{0, UINT32_MAX};
  std::int64_t seconds = 0;
  if (!read_number(value.text, seconds)) {
    const auto duration = read_value(value.text, ValueKind::kDuration, kSeconds);
    seconds = duration ? duration->number : -1;
  }
  if (seconds < kSeconds.min || seconds > kSeconds.max) {
    return fmt::format(
        "\"queue_message_ttl\" is \"{}\", but must be a whole number of seconds up to {}, or a "
        "number followed by h, d, w, m or y; 0: no limit.",
        value.text, kSeconds.max);
  }
  draft.config.keep.queue_ttl = std::chrono::seconds{seconds};
  return {};
}

}  // namespace hermod::app
