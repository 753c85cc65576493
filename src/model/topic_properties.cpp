// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/topic_properties.hpp"

namespace hermod::model {

void patch(TopicProperties& to, const TopicProperties& from, TopicMembers members) {
  if ((members & topic_member::kResourceType) != 0) to.resource_type = from.resource_type;
  if ((members & topic_member::kContentType) != 0) to.content_type = from.content_type;
  if ((members & topic_member::kTopicType) != 0) to.topic_type = from.topic_type;
  if ((members & topic_member::kExpiresAt) != 0) to.expires_at_s = from.expires_at_s;
  if ((members & topic_member::kSubscribersMax) != 0) to.subscribers_max = from.subscribers_max;
  if ((members & topic_member::kObserverCheck) != 0) to.observer_check_s = from.observer_check_s;
}

}  // namespace hermod::model
