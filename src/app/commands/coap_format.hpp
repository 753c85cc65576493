// SPDX-License-Identifier: Apache-2.0
// CoAP responses as text: for people, as one JSON object, and line by line. It prints nothing and
// knows no client's ways.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hermod/client/coap_client.hpp"

namespace hermod::app {

/// "Not Found"; empty for codes that no specification here names.
[[nodiscard]] std::string_view code_name(coap::Code code);
/// "4.04 Not Found".
[[nodiscard]] std::string code_text(coap::Code code);

/// "Content-Format: 50 (application/json)".
[[nodiscard]] std::string option_line(const client::CoapOption& option);

/// What a response or notification has that is printed.
struct CoapPrintable {
  coap::Code code;
  std::string_view payload;
  std::optional<coap::ContentFormat> format;
  std::span<const client::CoapOption> options;
  std::optional<double> round_trip_ms;  ///< nothing for notifications
  std::string_view server;              ///< whose answer it is, "coap://HOST"; empty: not said
};

/// Appends the payload laid out for people: JSON and CBOR (in diagnostic notation) on several
/// lines, links one a line, other text as it is, anything else in hexadecimal; with an end of line.
/// An answer without payload is its code.
void append_pretty(std::string& out, const CoapPrintable& response);

/// Appends links one a line, as they were written, but that those within `server` (if it is not
/// empty) have it in front. False, and nothing appended, when it is no list of links.
[[nodiscard]] bool append_link_lines(std::string& out, std::string_view payload,
                                     std::string_view server = {});

/// Appends {"server":...,"code":...,"options":{...},"payload":...,"bytes":...,"ms":...} and an end
/// of line.
void append_json(std::string& out, const CoapPrintable& response);

/// The target of the link with rel="next", which is the next page of a list; empty when there is
/// none.
[[nodiscard]] std::string next_page(std::string_view links);

}  // namespace hermod::app
