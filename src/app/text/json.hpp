// SPDX-License-Identifier: Apache-2.0
// What printing messages needs of JSON (RFC 8259): writing a string, copying a text that must be
// JSON, numbers and all as the publisher wrote them, and laying it out for people.
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

/// Appends compact JSON with each member on a line of its own, laid out as mosquitto_sub --pretty
/// does: tabs, and arrays on one line.
void append_pretty_json(std::string& out, std::string_view compact);

}  // namespace hermod::app
