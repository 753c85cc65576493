// SPDX-License-Identifier: Apache-2.0
// Messages and changes as texts, every member of them, so that tests can compare and show them.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "hermod/core/journal.hpp"

namespace hermod::store {

/// Nothing and empty are told apart.
inline std::string describe(Bytes octets) {
  return octets.data() == nullptr ? "-" : fmt::format("'{}'", as_text(octets));
}
inline std::string describe(std::string_view text) {
  return describe(as_bytes(text));
}
inline std::string describe(const std::optional<std::string>& text) {
  return text ? fmt::format("'{}'", *text) : "-";
}
template <typename Number>
std::string describe(const std::optional<Number>& number) {
  return number ? std::to_string(*number) : "-";
}
inline std::string describe(Instant at) {
  return at == kNever ? "never" : std::to_string(at.time_since_epoch().count());
}

inline std::string describe(const model::UserProperty::Value& value) {
  switch (value.index()) {
    case 0:
      return "text " + describe(std::get<std::string_view>(value));
    case 1:
      return fmt::format("integer {}", std::get<std::int64_t>(value));
    case 2:
      return fmt::format("number {}", std::get<double>(value));
    case 3:
      return fmt::format("boolean {}", std::get<bool>(value));
    default:
      return "octets " + describe(std::get<Bytes>(value));
  }
}

inline std::string describe(const model::Properties& is) {
  std::string out =
      fmt::format("{} {} {} {} {} {} {} {}", describe(is.content_type), describe(is.reply_to),
                  describe(is.correlation), describe(is.message_id), describe(is.etag),
                  is.timestamp_ms, is.priority, is.text);
  for (const auto& [name, value] : is.user) {
    out += fmt::format(" [{} {}]", describe(name), describe(value));
  }
  return out;
}

inline std::string describe(const model::Message& is) {
  return fmt::format(
      "{} {} {} payload {} guarantee {} retain {} origin {} {} {} {} {} version {}"
      " expires {} properties {}",
      std::to_underlying(is.destination.kind), describe(is.destination.address),
      describe(is.destination.routing_key), describe(is.payload), std::to_underlying(is.guarantee),
      is.retain, is.origin.protocol, is.origin.shard, is.origin.connection, is.origin.client,
      is.origin.exchange, is.version, describe(is.expires_at),
      is.properties == nullptr ? "none" : describe(*is.properties));
}

inline std::string describe(const core::KeepSubscriber& is) {
  std::string out = fmt::format(
      "subscriber {} '{}' group {} expiry {} at {} away {} user {} by '{}'", is.queue, is.name,
      is.group, is.expiry_s, describe(is.expires_at), is.away, describe(is.user), is.listener);
  if (!is.will) return out;
  return out + fmt::format(" will {} delay {} expiry {} due {}", describe(*is.will->message),
                           is.will->delay_s, describe(is.will->expiry_s), describe(is.will->due));
}
inline std::string describe(const core::ForgetSubscriber& is) {
  return fmt::format("forget subscriber {}", is.queue);
}
inline std::string describe(const core::KeepSubscription& is) {
  return fmt::format("subscription {} '{}' {} {} {} {} {}", is.queue, is.filter,
                     std::to_underlying(is.options.guarantee_max),
                     std::to_underlying(is.options.retain_handling), is.options.no_local,
                     is.options.retain_as_published, is.options.subscription_id);
}
inline std::string describe(const core::ForgetSubscription& is) {
  return fmt::format("forget subscription {} '{}'", is.queue, is.filter);
}
inline std::string describe(const core::KeepDeclaration& is) {
  const model::TopicProperties& has = is.properties;
  return fmt::format("declaration '{}' '{}' '{}' '{}' {} {} {}", is.topic, has.resource_type,
                     has.content_type, has.topic_type, describe(has.expires_at_s),
                     describe(has.subscribers_max), describe(has.observer_check_s));
}
inline std::string describe(const core::ForgetDeclaration& is) {
  return fmt::format("forget declaration '{}'", is.topic);
}
inline std::string describe(const core::Change& change) {
  return std::visit([](const auto& each) { return describe(each); }, change);
}

}  // namespace hermod::store
