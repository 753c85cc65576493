// SPDX-License-Identifier: Apache-2.0
// -D, --property: what the packets of MQTT 5 say, in mosquitto's grammar:
//   -D COMMAND NAME VALUE, -D COMMAND user-property NAME VALUE
// Commands are connect, publish, will, subscribe, unsubscribe and disconnect; names are those of
// the specification with '-' between words. It knows no command line but its own words.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/session/client_options.hpp"

namespace hermod::app {

/// One property with the memory that it lies in.
struct GivenProperty {
  mqtt::PropertyId id = mqtt::PropertyId::kUserProperty;
  std::uint32_t number = 0;
  std::string text;   ///< a text, data, or the name of a user property
  std::string value;  ///< of a user property
};

/// The properties of one packet, in the order in which they were given.
class GivenProperties {
 public:
  void add(GivenProperty property) { list_.push_back(std::move(property)); }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] bool has(mqtt::PropertyId id) const { return find(id) != nullptr; }
  [[nodiscard]] std::optional<std::uint32_t> number(mqtt::PropertyId id) const;
  [[nodiscard]] std::string text(mqtt::PropertyId id) const;
  [[nodiscard]] mqtt::UserProperties user() const;
  /// Those that a message has: of publish and will.
  [[nodiscard]] mqtt::MessageProperties of_message() const;

 private:
  [[nodiscard]] const GivenProperty* find(mqtt::PropertyId id) const;
  std::vector<GivenProperty> list_;
};

/// All that -D has said.
struct CommandProperties {
  GivenProperties connect;
  GivenProperties publish;
  GivenProperties will;
  GivenProperties subscribe;
  GivenProperties unsubscribe;
  GivenProperties disconnect;
};

/// Reads the words behind one -D; how many they were, or an error in words.
[[nodiscard]] std::expected<std::size_t, std::string> read_property(std::span<char* const> words,
                                                                    CommandProperties& properties);

/// The seconds of -x: a number, or -1 and the sign of infinity for a session that does not expire.
[[nodiscard]] std::expected<std::uint32_t, std::string> read_session_expiry(
    const std::string& text);

}  // namespace hermod::app
