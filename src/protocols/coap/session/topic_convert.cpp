// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/topic_convert.hpp"

#include <algorithm>
#include <limits>

#include "hermod/base/utf8.hpp"
#include "hermod/coap/codec/uri.hpp"
#include "hermod/coap/session/convert.hpp"
#include "hermod/coap/session/resources.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::coap {
namespace {

// A topic with a longer name has no place in a response's Location-Path.
constexpr std::size_t kNameMax = 1024;

std::optional<std::uint32_t> narrow(std::optional<std::uint64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(*number, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::string topic_data_of(std::string_view topic) {
  std::string text = "/ps/data";
  model::Levels levels(topic);
  do {
    append_segment(text, levels.next());
  } while (!levels.done());
  return text;
}

PropertySet to_property_set(std::string_view topic, std::string_view topic_data,
                            const model::TopicProperties* declared, std::string_view content_type) {
  PropertySet set{.topic_name = topic, .topic_data = topic_data, .resource_type = "core.ps.data"};
  if (declared != nullptr) {
    set.resource_type = declared->resource_type;
    content_type = declared->content_type;
    if (!declared->topic_type.empty()) set.topic_type = declared->topic_type;
    set.expires_at_s = declared->expires_at_s;
    if (declared->subscribers_max) set.max_subscribers = *declared->subscribers_max;
    if (declared->observer_check_s) set.observer_check_s = *declared->observer_check_s;
  }
  if (!content_type.empty()) set.topic_content_format = format_of(content_type);
  return set;
}

bool has_properties(const model::TopicEntry& topic, Bytes filter) {
  const auto wanted = read_properties(filter);
  const std::string topic_data = topic_data_of(topic.topic);
  return wanted && to_property_set(topic.topic, topic_data,
                                   topic.declared ? &*topic.declared : nullptr, topic.content_type)
                       .has_all(*wanted);
}

model::TopicProperties to_topic_properties(const PropertySet& properties) {
  model::TopicProperties out;
  if (properties.resource_type) out.resource_type = *properties.resource_type;
  if (properties.topic_content_format) {
    out.content_type = ContentTypeText{*properties.topic_content_format}.text();
  }
  if (properties.topic_type) out.topic_type = *properties.topic_type;
  out.expires_at_s = properties.expires_at_s;
  out.subscribers_max = narrow(properties.max_subscribers);
  out.observer_check_s = narrow(properties.observer_check_s);
  return out;
}

model::TopicMembers members_of(const PropertySet& properties) {
  using namespace model::topic_member;
  model::TopicMembers members = 0;
  if (properties.topic_content_format) members |= kContentType;
  if (properties.topic_type) members |= kTopicType;
  if (properties.expires_at_s) members |= kExpiresAt;
  if (properties.max_subscribers) members |= kSubscribersMax;
  if (properties.observer_check_s) members |= kObserverCheck;
  return members;
}

std::optional<Refusal> check_new(const PropertySet& properties, std::size_t levels_max) {
  const auto refuse = [](std::string_view words) { return Refusal{code::kBadRequest, words}; };
  if (!properties.topic_name || !properties.resource_type) {
    return refuse("a topic needs a topic-name (0) and a resource-type (2)");
  }
  const std::string_view name = *properties.topic_name;
  const auto levels = static_cast<std::size_t>(std::ranges::count(name, '/')) + 1;
  if (name.empty() || name.size() > kNameMax || levels > levels_max || name.front() == '$' ||
      name.find_first_of(std::string_view{"+#\0", 3}) != std::string_view::npos) {
    return refuse("a topic-name has 1 to 1,024 octets, no '+', '#' or U+0000, and no '$' in front");
  }
  const std::vector<std::string> path = path_of_topic(name);
  if (!topic_of_path(path)) return refuse("a level of a topic-name is not '.' or '..'");
  if (properties.topic_data && *properties.topic_data != topic_data_of(name)) {
    return refuse("topic-data (1) is chosen by this broker: /ps/data/ and the topic-name");
  }
  return std::nullopt;
}

std::optional<Refusal> check_change(const PropertySet& properties, std::string_view topic,
                                    const model::TopicProperties& declared) {
  const bool same =
      properties.topic_name.value_or(topic) == topic &&
      (!properties.topic_data || *properties.topic_data == topic_data_of(topic)) &&
      properties.resource_type.value_or(declared.resource_type) == declared.resource_type;
  if (!same) {
    return Refusal{code::kBadRequest,
                   "topic-name (0), topic-data (1) and resource-type (2) do not change"};
  }
  if (properties.initialize) {
    return Refusal{code::kBadRequest, "initialize (8) is for a topic that is being made"};
  }
  return std::nullopt;
}

}  // namespace hermod::coap
