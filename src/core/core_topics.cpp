// SPDX-License-Identifier: Apache-2.0
// Declared topics in a core: how they end.
#include <algorithm>

#include "hermod/core/core.hpp"

namespace hermod::core {

using model::Reason;

Declarations::Declared Core::declare(std::string_view topic, const Declaration& wanted,
                                     bool has_value) {
  Declarations::Declared declared = declarations_.declare(topic, wanted, has_value);
  if (keeps_ && declared.reason == Reason::kOk) {
    note(KeepDeclaration{std::string{topic}, *declared.properties});
  }
  return declared;
}

Core::Undeclared Core::undeclare(std::string_view topic, Instant now) {
  std::optional<std::vector<Seat>> seats = declarations_.undeclare(topic);
  if (!seats && retained_.find(topic, now) == nullptr) return {.reason = Reason::kNotFound};
  if (keeps_ && seats) note(ForgetDeclaration{std::string{topic}});
  // Also where there is no value: one may be on its way from another shard, and is older than this.
  model::Message clear{.destination = model::Destination::topic(topic), .retain = true};
  (void)publish_own(clear, now);
  router_.flush();  // the run borrows what ends here
  return {.seats = seats ? std::move(*seats) : std::vector<Seat>{}};
}

Instant Core::next_undeclaring(Instant now, Duration since_1970) const {
  using std::chrono::seconds;
  const std::optional<Declarations::Day> day = declarations_.next_day();
  if (!day) return kNever;
  const std::int64_t today_s = std::chrono::floor<seconds>(since_1970).count();
  if (day->at_s <= today_s) return now;
  const seconds left{std::min(day->at_s - today_s, kCalendarTrust.count())};
  return now + left - (since_1970 - seconds{today_s});
}

std::optional<std::string> Core::due_to_undeclare(Duration since_1970) const {
  const std::optional<Declarations::Day> day = declarations_.next_day();
  // in seconds: any day that a client may name does not fit in nanoseconds
  const std::int64_t today_s = std::chrono::floor<std::chrono::seconds>(since_1970).count();
  if (!day || day->at_s > today_s) return std::nullopt;
  return std::string{day->topic};
}

}  // namespace hermod::core
