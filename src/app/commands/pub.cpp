// SPDX-License-Identifier: Apache-2.0
// Where the message of `hermod pub` comes from.
#include "commands/pub.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "commands/exit_code.hpp"

namespace hermod::app {
namespace {

constexpr std::size_t kPayloadMax = 268'435'455;  // what an MQTT packet can hold at most

/// Everything up to the end of `in`, or why not.
std::expected<std::string, std::string> read_all(std::istream& in) {
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return std::unexpected(std::strerror(errno));
  if (text.size() > kPayloadMax) {
    return std::unexpected(
        fmt::format("it has {} octets, but a message has at most {}", text.size(), kPayloadMax));
  }
  return text;
}

}  // namespace

std::expected<std::string, std::string> payload_of(const PubOptions& options) {
  if (options.message) return *options.message;
  if (options.whole_input) {
    auto text = read_all(std::cin);
    if (!text) return std::unexpected(fmt::format("Cannot read the input: {}.", text.error()));
    if (text->empty() && options.client.program.mosquitto) {
      return std::unexpected("the input is empty. An empty message is sent with -n.");
    }
    return text;
  }
  if (!options.file) return std::string();
  errno = 0;
  std::ifstream file(*options.file, std::ios::binary);
  auto text = file ? read_all(file) : std::unexpected(std::string(std::strerror(errno)));
  if (!text) {
    return std::unexpected(
        fmt::format("Cannot read the file \"{}\": {}.", *options.file, text.error()));
  }
  return text;
}

int run_pub(const PubOptions& options) {
  const auto payload = payload_of(options);
  if (!payload) {
    if (!options.client.quiet) {
      fmt::print(stderr, "{}\n", options.client.program.error_line(payload.error()));
    }
    return kExitError;
  }
  return options.client.scheme == Scheme::kMqtt ? run_pub_mqtt(options, *payload)
                                                : run_pub_coap(options, *payload);
}

}  // namespace hermod::app
