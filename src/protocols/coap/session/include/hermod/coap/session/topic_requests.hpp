// SPDX-License-Identifier: Apache-2.0
// What a broker's session remembers of a request to a topic until it is answered. A record belongs
// to the exchange with the same index and is used again with it, its memory too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/coap/session/convert.hpp"
#include "hermod/coap/session/observed_topics.hpp"
#include "hermod/coap/session/resources.hpp"
#include "hermod/coap/session/topic_links.hpp"
#include "hermod/model/message.hpp"

namespace hermod::coap {

struct TopicRequest {
  /// The answer that is to come.
  enum class Awaits : std::uint8_t {
    kNothing,
    kAttach,
    kSubscribe,
    kLookup,
    kWatch,
    kPublish,
    kList,
    kDeclare,
    kUndeclare
  };

  Awaits awaits = Awaits::kNothing;
  std::string topic;
  bool is_alias = false;   ///< named by another broker's path
  bool is_filter = false;  ///< `topic` has wildcards
  std::optional<ContentFormat> accept;
  std::vector<EntityTag> etags;
  std::vector<EntityTag> if_match;  ///< an empty one stands for any value
  bool if_none_match = false;
  std::uint64_t seen_version = 0;  ///< of the value that the conditions hold for; 0: none
  std::uint8_t attempts = 0;       ///< to replace that value

  // Of a publication.
  std::vector<std::uint8_t> payload;
  std::optional<ContentTypeText> content_type;
  std::optional<std::uint32_t> expiry_s;
  bool retain = true;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  std::vector<std::string> user_texts;  ///< name and value in turn
  std::vector<model::UserProperty> user;
  model::Properties properties;
  model::Message message;

  // Of the collection and of a topic's configuration. The body of the request is in `payload`.
  Resource resource = Resource::kTopic;
  std::unique_ptr<TopicLinks> links;
  model::TopicProperties properties_wanted;
  std::string content_type_text;  ///< of the representation that answers
  bool initialize = false;        ///< the value comes with the topic

  bool goes_on = false;                        ///< for a block behind the first
  ObserverId observer = 0;                     ///< registered by this request
  std::uint64_t kept_version = 0;              ///< of its value when the lookup began
  TopicId observed_topic = 0;                  ///< kSubscribe: the topic whose answer is awaited
  model::Reason refused = model::Reason::kOk;  ///< why Attach, Subscribe or Publish failed
  model::Reason looked_up = model::Reason::kNotFound;
  bool declared = false;  ///< the topic is, as the lookup has told
};

class TopicRequests {
 public:
  /// The record of the exchange with this index, emptied.
  TopicRequest& begin(std::uint32_t index);
  [[nodiscard]] TopicRequest& operator[](std::uint32_t index) { return *requests_[index]; }
  [[nodiscard]] bool holds(std::uint32_t index) const { return index < requests_.size(); }

 private:
  std::vector<std::unique_ptr<TopicRequest>> requests_;
};

}  // namespace hermod::coap
