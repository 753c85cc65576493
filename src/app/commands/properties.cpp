// SPDX-License-Identifier: Apache-2.0
// The tables of mosquitto's words for commands and properties, and which go together.
#include "commands/properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "hermod/base/utf8.hpp"
#include "hermod/mqtt/codec/topic.hpp"

namespace hermod::app {
namespace {

using mqtt::PropertyId;
using Wrong = std::unexpected<std::string>;

struct Name {
  std::string_view text;
  PropertyId id;
  std::uint32_t max;       // of a number; 0: a text, or data
  std::string_view where;  // letters of the commands that may carry it
  std::uint32_t min = 0;
};
// connect C, publish P, will W, subscribe S, unsubscribe U, disconnect D
constexpr std::array kNames{
    Name{"authentication-data", PropertyId::kAuthenticationData, 0, ""},
    Name{"authentication-method", PropertyId::kAuthenticationMethod, 0, ""},
    Name{"content-type", PropertyId::kContentType, 0, "PW"},
    Name{"correlation-data", PropertyId::kCorrelationData, 0, "PW"},
    Name{"maximum-packet-size", PropertyId::kMaximumPacketSize, UINT32_MAX, "C", 1},
    Name{"message-expiry-interval", PropertyId::kMessageExpiryInterval, UINT32_MAX, "PW"},
    Name{"payload-format-indicator", PropertyId::kPayloadFormatIndicator, 1, "PW"},
    Name{"reason-string", PropertyId::kReasonString, 0, "D"},
    Name{"receive-maximum", PropertyId::kReceiveMaximum, 65'535, "C", 1},
    Name{"request-problem-information", PropertyId::kRequestProblemInformation, 1, "C"},
    Name{"request-response-information", PropertyId::kRequestResponseInformation, 1, "C"},
    Name{"response-topic", PropertyId::kResponseTopic, 0, "PW"},
    Name{"session-expiry-interval", PropertyId::kSessionExpiryInterval, UINT32_MAX, "CD"},
    Name{"subscription-identifier", PropertyId::kSubscriptionIdentifier, 268'435'455, "S", 1},
    Name{"topic-alias", PropertyId::kTopicAlias, 65'535, "P", 1},
    Name{"topic-alias-maximum", PropertyId::kTopicAliasMaximum, 65'535, "C"},
    Name{"user-property", PropertyId::kUserProperty, 0, "CPWSUD"},
    Name{"will-delay-interval", PropertyId::kWillDelayInterval, UINT32_MAX, "W"},
};

struct Command {
  std::string_view name;
  char letter;
  GivenProperties CommandProperties::* properties;
};
constexpr std::array kCommands{
    Command{"connect", 'C', &CommandProperties::connect},
    Command{"publish", 'P', &CommandProperties::publish},
    Command{"will", 'W', &CommandProperties::will},
    Command{"subscribe", 'S', &CommandProperties::subscribe},
    Command{"unsubscribe", 'U', &CommandProperties::unsubscribe},
    Command{"disconnect", 'D', &CommandProperties::disconnect},
};

constexpr std::size_t kTextMax = 65'535;

/// As mosquitto's programs compare these words.
bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
    return small(x) == small(y);
  });
}

std::string too_few() {
  return "--property argument given but not enough arguments specified.";
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stopped == text.data() + text.size();
}

/// What is wrong with a text of this property; empty when all is well.
std::string text_fault(const Name& name, std::string_view text) {
  if (text.size() > kTextMax)
    return fmt::format("the {} has at most {} octets.", name.text, kTextMax);
  if (name.id == PropertyId::kCorrelationData) return {};
  if (!is_utf8(as_bytes(text))) return fmt::format("the {} is not UTF-8.", name.text);
  if (name.id == PropertyId::kResponseTopic && !mqtt::is_topic_name(text)) {
    return fmt::format("the response-topic \"{}\" is not a topic.", text);
  }
  return {};
}

std::expected<GivenProperty, std::string> read_value(const Name& name, std::string_view text) {
  GivenProperty property{.id = name.id};
  if (name.max == 0) {
    if (std::string fault = text_fault(name, text); !fault.empty()) return Wrong(std::move(fault));
    property.text = text;
    return property;
  }
  std::int64_t number = 0;
  if (!read_number(text, number)) {
    return Wrong(
        fmt::format("Property value ({}) for property {} is not a number.", text, name.text));
  }
  if (number < name.min || number > name.max) {
    return Wrong(fmt::format("Property value ({}) out of range for property {}.", text, name.text));
  }
  property.number = static_cast<std::uint32_t>(number);
  return property;
}

}  // namespace

const GivenProperty* GivenProperties::find(PropertyId id) const {
  const auto found = std::ranges::find(list_, id, &GivenProperty::id);
  return found == list_.end() ? nullptr : &*found;
}

std::optional<std::uint32_t> GivenProperties::number(PropertyId id) const {
  const GivenProperty* const property = find(id);
  return property == nullptr ? std::nullopt : std::optional(property->number);
}

std::string GivenProperties::text(PropertyId id) const {
  const GivenProperty* const property = find(id);
  return property == nullptr ? std::string() : property->text;
}

mqtt::UserProperties GivenProperties::user() const {
  mqtt::UserProperties out;
  for (const GivenProperty& property : list_) {
    if (property.id == PropertyId::kUserProperty) out.emplace_back(property.text, property.value);
  }
  return out;
}

mqtt::MessageProperties GivenProperties::of_message() const {
  return {.content_type = text(PropertyId::kContentType),
          .response_topic = text(PropertyId::kResponseTopic),
          .correlation_data = text(PropertyId::kCorrelationData),
          .expiry_s = number(PropertyId::kMessageExpiryInterval),
          .text = number(PropertyId::kPayloadFormatIndicator) == 1u,
          .user = user()};
}

std::expected<std::size_t, std::string> read_property(std::span<char* const> words,
                                                      CommandProperties& properties) {
  if (words.size() < 3) return Wrong(too_few());
  const std::string_view command_word = words[0];
  const std::string_view name_word = words[1];
  const auto command = std::ranges::find_if(
      kCommands, [&](const Command& row) { return same_word(row.name, command_word); });
  if (command == kCommands.end()) return Wrong("Invalid command given in --property argument.");
  const auto name =
      std::ranges::find_if(kNames, [&](const Name& row) { return same_word(row.text, name_word); });
  if (name == kNames.end()) return Wrong("Invalid property name given in --property argument.");
  if (name->where.empty()) {
    return Wrong(fmt::format(
        "{} begins an exchange, which cannot be led by hand. --auth SCRAM-SHA-256 leads one that "
        "proves -u and -P.",
        name_word));
  }
  if (name->where.find(command->letter) == std::string_view::npos) {
    return Wrong(fmt::format("{} property not allowed for {} in --property argument.", name_word,
                             command_word));
  }
  GivenProperties& given = properties.*command->properties;
  if (name->id == PropertyId::kUserProperty) {
    if (words.size() < 4) return Wrong(too_few());
    for (const std::string_view text : {words[2], words[3]}) {
      if (std::string fault = text_fault(*name, text); !fault.empty())
        return Wrong(std::move(fault));
    }
    given.add({.text = words[2], .value = words[3]});
    return 4;
  }
  if (given.has(name->id)) {
    return Wrong(fmt::format("{} is given twice for {}.", name_word, command_word));
  }
  auto property = read_value(*name, words[2]);
  if (!property) return Wrong(std::move(property.error()));
  given.add(std::move(*property));
  return 3;
}

std::expected<std::uint32_t, std::string> read_session_expiry(const std::string& text) {
  if (text == "-1" || text == "∞") return UINT32_MAX;
  std::int64_t number = 0;
  if (!read_number(text, number)) return Wrong("session-expiry-interval not a number.");
  if (number < 0 || number > UINT32_MAX) return Wrong("session-expiry-interval out of range.");
  return static_cast<std::uint32_t>(number);
}

}  // namespace hermod::app
