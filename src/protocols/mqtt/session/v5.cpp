// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/v5.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace hermod::mqtt {

// --- aliases ---

std::optional<std::string_view> IncomingAliases::resolve(std::uint32_t alias,
                                                         std::string_view topic) {
  if (!allows(alias)) return std::nullopt;
  if (topics_.size() < alias) topics_.resize(alias);
  std::unique_ptr<const std::string>& known = topics_[alias - 1];
  if (topic.empty()) return known ? std::optional<std::string_view>{*known} : std::nullopt;
  if (known) replaced_.push_back(std::move(known));
  known = std::make_unique<const std::string>(topic);
  return *known;
}

OutgoingAliases::Alias OutgoingAliases::find_used(std::string_view topic) const {
  const auto found = numbers_.find(topic);
  if (found != numbers_.end()) return {found->second, true};
  if (numbers_.size() >= most_) return {};
  return {static_cast<std::uint16_t>(numbers_.size() + 1), false};
}

// --- properties ---

const model::Properties* HeldProperties::hold(const PropertyBlock& block) {
  if (block.empty()) return nullptr;
  if (used_ == held_.size()) held_.push_back(std::make_unique<Held>());
  Held& held = *held_[used_];
  held.properties = {};
  held.user.clear();
  held.subscription_ids.clear();
  bool said = false;
  for (const Property property : block) {
    switch (property.id) {
      case PropertyId::kPayloadFormatIndicator:
        held.properties.text = property.number == 1;
        said = said || held.properties.text;
        break;
      case PropertyId::kContentType:
        held.properties.content_type = property.text;
        said = true;
        break;
      case PropertyId::kResponseTopic:
        held.properties.reply_to = property.text;
        said = true;
        break;
      case PropertyId::kCorrelationData:
        held.properties.correlation = property.data;
        said = true;
        break;
      case PropertyId::kUserProperty:
        held.user.push_back({property.text, property.value});
        said = true;
        break;
      case PropertyId::kSubscriptionIdentifier:
        held.subscription_ids.push_back(property.number);
        said = true;
        break;
      default:
        break;  // expiry, alias, delay: not the message's own
    }
  }
  if (!said) return nullptr;
  ++used_;
  held.properties.user = held.user;
  return &held.properties;
}

std::span<const std::uint32_t> HeldProperties::subscription_ids(
    const model::Properties* properties) const {
  for (std::size_t i = 0; properties != nullptr && i < used_; ++i) {
    if (&held_[i]->properties == properties) return held_[i]->subscription_ids;
  }
  return {};
}

bool EncodedProperties::encode(std::span<const Property> list) {
  block_ = {};
  const auto size = properties_size(list);
  if (!size) return false;
  octets_.resize(*size);
  block_ = encode_properties(octets_.data(), list);
  return true;
}

void append_properties(const model::Message& message,
                       std::span<const std::uint32_t> subscription_ids, Instant now,
                       std::vector<Property>& list) {
  if (message.expires_at != kNever) {  // [MQTT-3.3.2-6]
    const auto left = std::chrono::ceil<std::chrono::seconds>(message.expires_at - now).count();
    list.push_back(
        {.id = PropertyId::kMessageExpiryInterval,
         .number = static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, UINT32_MAX))});
  }
  for (const std::uint32_t id : subscription_ids) {  // [MQTT-3.3.4-3], [MQTT-3.3.4-4]
    list.push_back({.id = PropertyId::kSubscriptionIdentifier, .number = id});
  }
  if (message.properties == nullptr) return;
  const model::Properties& properties = *message.properties;
  if (properties.text) {  // [MQTT-3.3.2-4]
    list.push_back({.id = PropertyId::kPayloadFormatIndicator, .number = 1});
  }
  if (properties.content_type.data() != nullptr) {  // [MQTT-3.3.2-20]
    list.push_back({.id = PropertyId::kContentType, .text = properties.content_type});
  }
  if (!properties.reply_to.empty()) {  // [MQTT-3.3.2-15]
    list.push_back({.id = PropertyId::kResponseTopic, .text = properties.reply_to});
  }
  if (properties.correlation.data() != nullptr) {  // [MQTT-3.3.2-16]
    list.push_back({.id = PropertyId::kCorrelationData, .data = properties.correlation});
  }
  for (const model::UserProperty& user : properties.user) {  // [MQTT-3.3.2-17], [MQTT-3.3.2-18]
    // Of AMQP's typed values only text has a place here.
    if (const auto* text = std::get_if<std::string_view>(&user.value)) {
      list.push_back({.id = PropertyId::kUserProperty, .text = user.name, .value = *text});
    }
  }
}

}  // namespace hermod::mqtt
