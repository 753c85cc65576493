// SPDX-License-Identifier: Apache-2.0
// The options file of pub, sub and rr, in the grammar of mosquitto's programs: one option a line,
// `-option value`, the value up to the end of the line; lines that begin with # are comments. What
// it says stands before the command line, which can say otherwise. It knows no option but -o and
// how many words -D takes.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "commands/program.hpp"

namespace hermod::app {

/// The words of such a file.
[[nodiscard]] std::vector<std::string> option_words(std::string_view text);

/// `words` (the first is the program) without -o FILE, and with the words of that file in front;
/// without -o those of $XDG_CONFIG_HOME/NAME or $HOME/.config/NAME, if there is one. The error says
/// why a file cannot be read.
[[nodiscard]] std::expected<std::vector<std::string>, std::string> with_options_file(
    std::span<char* const> words, const Program& program);

}  // namespace hermod::app
