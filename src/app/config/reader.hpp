// SPDX-License-Identifier: Apache-2.0
// Reads a configuration in mosquitto.conf's grammar:
//   file = *line            line = blank | comment | directive
//   comment = "#" anything  directive = name blanks value
// Blanks before the name and around the value do not count; the value goes to the end of the line
// and may hold blanks. All lines are looked at before anything is refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/finding.hpp"

namespace hermod::app {

/// Ports of the default listeners.
inline constexpr std::uint16_t kMqttPort = 1883;
inline constexpr std::uint16_t kCoapPort = 5683;

struct ConfigReading {
  Config config;                  ///< only to be used when !refused()
  std::vector<Finding> findings;  ///< in the order of the lines
  [[nodiscard]] bool refused() const;
};

/// Reads the file at `path`. `protocols` are the names that `protocol` may have.
[[nodiscard]] ConfigReading read_config_file(const std::string& path,
                                             std::span<const std::string_view> protocols);

/// The same from text; `file` is the name that findings are given, and include_dir is read.
[[nodiscard]] ConfigReading read_config_text(std::string_view text, const std::string& file,
                                             std::span<const std::string_view> protocols);

/// What holds when there is no configuration: MQTT on `mqtt_port` and CoAP on `coap_port`, open for
/// this machine only.
[[nodiscard]] Config default_config(std::uint16_t mqtt_port, std::uint16_t coap_port);

/// All directives with their values, defaults and meaning, as text for a terminal.
[[nodiscard]] std::string config_help();

}  // namespace hermod::app
