// SPDX-License-Identifier: Apache-2.0
// What a subscriber asks for when it names a filter.
#pragma once

#include <cstdint>

#include "hermod/model/message.hpp"

namespace hermod::model {

/// When the retained values that match a new subscription are sent (MQTT 5 §3.8.3.1).
enum class RetainHandling : std::uint8_t { kAlways, kIfNew, kNever };

struct SubscriptionOptions {
  Guarantee guarantee_max = Guarantee::kAtMostOnce;
  RetainHandling retain_handling = RetainHandling::kAlways;
  bool no_local = false;              ///< not what this subscriber's own connection published
  bool retain_as_published = false;   ///< keep the retain flag of live messages
  std::uint32_t subscription_id = 0;  ///< comes back with each delivery; 0 = none

  bool operator==(const SubscriptionOptions&) const = default;
};

}  // namespace hermod::model
