// SPDX-License-Identifier: Apache-2.0
// The two things that printing messages needs of JSON (RFC 8259): writing a string, and copying a
// text that must be JSON, numbers and all as the publisher wrote them.
#pragma once

#include <string>
#include <string_view>

namespace hermod::app {

/// Appends `text` in quotes, with escapes as mosquitto_sub writes them: octets above 0x7f as they
/// are.
void append_json_string(std::string& out, std::string_view text);

/// Appends `text` without the blanks between its tokens. False, and nothing appended, when it is
/// not one JSON value or nests deeper than 256 levels.
[[nodiscard]] bool append_compact_json(std::string& out, std::string_view text);

}  // namespace hermod::app
