// SPDX-License-Identifier: Apache-2.0
#include "commands/coap_printer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "commands/explain.hpp"

namespace hermod::app {
namespace {

std::string_view method_name(coap::Code method) {
  constexpr std::string_view kMethods[] = {"",       "GET",   "POST",  "PUT",
                                           "DELETE", "FETCH", "PATCH", "iPATCH"};
  return method.detail() < std::size(kMethods) ? kMethods[method.detail()] : "?";
}

std::expected<void, std::string> write_out(std::string_view text) {
  errno = 0;
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return {};
  return std::unexpected(fmt::format("Cannot write to the output: {}.", std::strerror(errno)));
}

}  // namespace

CoapPrinter::CoapPrinter(const CoapCommandOptions& options)
    : options_(options),
      pretty_(options.pretty ||
              (!options.json && options.output.empty() && ::isatty(STDOUT_FILENO) == 1)) {}

void CoapPrinter::asked() const {
  if (!options_.verbose) return;
  const client::CoapRequest& request = options_.request;
  fmt::print(stderr, "> {} {} to {}\n", request.confirmable ? "CON" : "NON",
             method_name(request.method), peer_text(options_.client));
  const auto line = [](coap::OptionNumber number, std::string value) {
    fmt::print(stderr, "> {}\n", option_line({static_cast<std::uint16_t>(number), value}));
  };
  using enum coap::OptionNumber;
  if (!request.uri_host.empty()) line(kUriHost, request.uri_host);
  if (!request.proxy_uri.empty()) line(kProxyUri, request.proxy_uri);
  for (const std::string& segment : request.path) line(kUriPath, segment);
  for (const std::string& argument : request.query) line(kUriQuery, argument);
  for (const std::string& tag : request.if_match) line(kIfMatch, tag);
  for (const std::string& tag : request.etags) line(kETag, tag);
  for (const client::CoapOption& option : request.options) {
    fmt::print(stderr, "> {}\n", option_line(option));
  }
  const auto number = [](std::string_view name, auto value) {
    if (value) fmt::print(stderr, "> {}: {}\n", name, static_cast<unsigned>(*value));
  };
  number("Content-Format", request.content_format);
  number("Accept", request.accept);
  number("Hop-Limit", request.hop_limit);
  number("No-Response", request.no_response);
  if (!request.payload.empty()) fmt::print(stderr, "> {} bytes\n", request.payload.size());
}

void CoapPrinter::answered(const CoapPrintable& response) const {
  if (!options_.verbose) return;
  fmt::print(stderr, "< {}\n", code_text(response.code));
  for (const client::CoapOption& option : response.options) {
    fmt::print(stderr, "< {}\n", option_line(option));
  }
  fmt::print(stderr, "< {} bytes", response.payload.size());
  if (response.round_trip_ms) fmt::print(stderr, ", {:.3f} ms", *response.round_trip_ms);
  fmt::print(stderr, "\n");
}

std::expected<void, std::string> CoapPrinter::write_file(std::string_view octets) {
  errno = 0;
  std::ofstream file(options_.output,
                     std::ios::binary | (began_ ? std::ios::app : std::ios::trunc));
  file << octets << std::flush;
  began_ = true;
  if (file) return {};
  return std::unexpected(
      fmt::format("Cannot write the file \"{}\": {}.", options_.output, std::strerror(errno)));
}

std::expected<void, std::string> CoapPrinter::print(const CoapPrintable& response, bool failed) {
  answered(response);
  std::string out;
  if (options_.json) {
    append_json(out, response);
    return write_out(out);
  }
  if (failed) return {};
  if (!options_.output.empty()) {
    return write_file(std::string(response.payload) + (options_.newline ? "\n" : ""));
  }
  if (!response.server.empty()) {  // one of several: each line says whose it is
    if (!append_link_lines(out, response.payload, response.server)) {
      out = fmt::format("{}\n{}\n", response.server, response.payload);
    }
    return write_out(out);
  }
  const bool empty_list = options_.verb == CoapVerb::kDiscover && response.payload.empty();
  if (pretty_ && !empty_list) {
    append_pretty(out, response);
    return write_out(out);
  }
  // What discover gets is a list for programs that read lines.
  if (options_.verb == CoapVerb::kDiscover && append_link_lines(out, response.payload)) {
    return write_out(out);
  }
  out = response.payload;
  if (options_.newline) out += '\n';
  return write_out(out);
}

}  // namespace hermod::app
