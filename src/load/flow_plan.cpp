// SPDX-License-Identifier: Apache-2.0
#include "flow_plan.hpp"

#include <fmt/format.h>

namespace hermod::load {

std::string FlowPlan::topic(unsigned publisher, std::uint32_t number) const {
  if (options_.topics == 0) return fmt::format("hb/{}/{}", run_, publisher);
  return fmt::format("hb/{}/{:04}/{:0{}}", run_, publisher, number, TopicCycle::kDigits);
}

std::uint32_t FlowPlan::topics_of(unsigned publisher) const {
  const unsigned publishers = options_.publishers;
  if (options_.topics <= publishers) return 1;
  return options_.topics / publishers + (publisher < options_.topics % publishers ? 1 : 0);
}

TopicCycle FlowPlan::topics(unsigned publisher) const {
  if (options_.topics != 0 && options_.topics < options_.publishers) publisher %= options_.topics;
  return {.first = topic(publisher, 0), .count = topics_of(publisher)};
}

FilterSet FlowPlan::filters(unsigned subscriber) const {
  FilterSet filters = unshared_filters(subscriber);
  if (options_.groups == 0) return filters;
  return {filters.count,
          [group = receiver_of(subscriber), unshared = std::move(filters.name)](std::uint32_t i) {
            return fmt::format("$share/g{}/{}", group, unshared(i));
          }};
}

FilterSet FlowPlan::unshared_filters(unsigned subscriber) const {
  const bool many = options_.topics != 0;
  if (options_.exact && paired()) {
    return {topics_of(subscriber),
            [this, subscriber](std::uint32_t i) { return topic(subscriber, i); }};
  }
  if (options_.exact) {
    const unsigned publishers = options_.publishers;
    return {many ? options_.topics : publishers,
            [this, publishers](std::uint32_t i) { return topic(i % publishers, i / publishers); }};
  }
  if (paired()) {
    return FilterSet::one(many ? fmt::format("hb/{}/{:04}/+", run_, subscriber)
                               : topic(subscriber, 0));
  }
  return FilterSet::one(fmt::format("hb/{}/{}", run_, many ? '#' : '+'));
}

}  // namespace hermod::load
