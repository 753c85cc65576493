// SPDX-License-Identifier: Apache-2.0
// Secrets that a person types, or that a program writes to the standard input.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace hermod::app {

enum class NoSecret : bool { kEnded, kInterrupted };

/// One line of the standard input, without its end. At a terminal it is asked for with `prompt` and
/// not shown.
[[nodiscard]] std::expected<std::string, NoSecret> read_secret(std::string_view prompt);

}  // namespace hermod::app
