// SPDX-License-Identifier: Apache-2.0
// Between the properties of a topic on the wire (topic_properties.hpp) and what the hub knows of it
// (model::TopicProperties): draft-ietf-core-coap-pubsub-21, "Topic Properties".
#pragma once

#include <string>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/coap/session/request_options.hpp"
#include "hermod/coap/session/topic_properties.hpp"
#include "hermod/model/topic_properties.hpp"

namespace hermod::coap {

/// The path of a topic's data, as topic-data names it: "/ps/data/a/b".
[[nodiscard]] std::string topic_data_of(std::string_view topic);

/// The representation of a topic. `declared` may be nullptr: then `content_type` is that of its
/// value. Borrows everything, `topic_data` from topic_data_of().
[[nodiscard]] PropertySet to_property_set(std::string_view topic, std::string_view topic_data,
                                          const model::TopicProperties* declared,
                                          std::string_view content_type);

/// Whether a topic has the properties of a filter, which has been read without an error before.
[[nodiscard]] bool has_properties(const model::TopicEntry& topic, Bytes filter);

/// What the properties say, for the hub; what they do not say has its default.
[[nodiscard]] model::TopicProperties to_topic_properties(const PropertySet& properties);
/// The members that they say.
[[nodiscard]] model::TopicMembers members_of(const PropertySet& properties);

/// What is wrong with the properties of a new topic; nothing when it can be made.
[[nodiscard]] std::optional<Refusal> check_new(const PropertySet& properties,
                                               std::size_t levels_max);
/// What is wrong with a change of a topic: some properties stay what they are.
[[nodiscard]] std::optional<Refusal> check_change(const PropertySet& properties,
                                                  std::string_view topic,
                                                  const model::TopicProperties& declared);

}  // namespace hermod::coap
