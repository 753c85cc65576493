// SPDX-License-Identifier: Apache-2.0
// One of everything, with a value in every member, and a calendar to keep it by.
#pragma once

#include <array>
#include <limits>

#include "hermod/core/journal.hpp"
#include "hermod/store/calendar.hpp"

namespace hermod::store {

inline constexpr std::array<std::uint8_t, 4> kSampleOctets{0, 0xff, 0xfe, 10};

inline const Calendar& sample_calendar() {
  static const Calendar kCalendar({}, {.now = Instant{std::chrono::hours{3}}, .wall_ms = 1'000'000},
                                  "boot");
  return kCalendar;
}

/// A message with every member; views into itself.
struct FullMessage {
  std::array<model::UserProperty, 9> user{{{"a", std::string_view{"text"}},
                                           {"a", std::string_view{"again"}},
                                           {"", std::string_view{""}},
                                           {"int", std::int64_t{-5}},
                                           {"min", std::numeric_limits<std::int64_t>::min()},
                                           {"max", std::numeric_limits<std::int64_t>::max()},
                                           {"number", 0.1},
                                           {"yes", true},
                                           {"octets", Bytes{kSampleOctets}}}};
  model::Properties properties{.content_type = "text/plain",
                               .reply_to = "answers/here",
                               .correlation = kSampleOctets,
                               .message_id = "id",
                               .etag = kSampleOctets,
                               .timestamp_ms = -77,
                               .priority = 255,
                               .text = true,
                               .user = user};
  model::Message message{.destination = {model::Destination::Kind::kExchange, "amq.topic", "a.b"},
                         .payload = as_bytes("on"),
                         .properties = &properties,
                         .guarantee = model::Guarantee::kExactlyOnce,
                         .retain = true,
                         .origin = {.protocol = 3,
                                    .shard = 65'535,
                                    .connection = 0xffffffff,
                                    .client = 0xfffffffe,
                                    .exchange = UINT64_MAX - 1},
                         .version = std::numeric_limits<std::uint64_t>::max(),
                         .expires_at = Instant{std::chrono::hours{4}}};

  FullMessage() = default;
  FullMessage(const FullMessage&) = delete;
  FullMessage& operator=(const FullMessage&) = delete;
};

/// As load() gives them; the last ones with as little as there can be.
inline std::vector<core::Change> full_changes() {
  const FullMessage full;
  return {
      core::KeepSubscriber{.queue = 1,
                           .name = "kitchen",
                           .group = false,
                           .expiry_s = UINT32_MAX,
                           .expires_at = Instant{std::chrono::hours{7}},
                           .away = true,
                           .user = "anna",
                           .listener = "0.0.0.0:1883",
                           .will = core::KeptWill{.message = full.message.own(),
                                                  .delay_s = UINT32_MAX,
                                                  .expiry_s = 0,
                                                  .due = Instant{std::chrono::hours{8}}}},
      core::KeepSubscription{.queue = 1,
                             .filter = "a/+/#",
                             .options = {.guarantee_max = model::Guarantee::kExactlyOnce,
                                         .retain_handling = model::RetainHandling::kNever,
                                         .no_local = true,
                                         .retain_as_published = true,
                                         .subscription_id = 268'435'455}},
      core::KeepSubscriber{.queue = 2,
                           .name = "",
                           .group = true,
                           .user = "",
                           .listener = "",
                           .will = core::KeptWill{.message = model::Message{}.own()}},
      core::KeepDeclaration{.topic = "t",
                            .properties = {.resource_type = "core.ps.data",
                                           .content_type = "text/plain",
                                           .topic_type = "temperature",
                                           .expires_at_s = INT64_MIN,
                                           .subscribers_max = UINT32_MAX,
                                           .observer_check_s = 0}},
      core::KeepDeclaration{.topic = "u", .properties = {.resource_type = ""}},
  };
}

}  // namespace hermod::store
