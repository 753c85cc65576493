// SPDX-License-Identifier: Apache-2.0
// "Did you mean ...?": the known word that is nearest to a mistyped one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hermod::app {

/// Number of insertions, deletions, replacements and swaps of neighbours that make `a` into `b`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that is nearest to `word`, the first of equals; nothing when even that one differs
/// in more than a third of the longer word (one edit is always close enough). Capitals do not
/// count.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

/// ` Did you mean "listener"?` with the blank before it, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

/// "mqtt, coap".
[[nodiscard]] std::string join(std::span<const std::string_view> words);

}  // namespace hermod::app
