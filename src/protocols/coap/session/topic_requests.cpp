// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/topic_requests.hpp"

namespace hermod::coap {
namespace {

// A record keeps memory for topics and payloads up to this size; longer ones give it back.
constexpr std::size_t kKept = 256;

}  // namespace

TopicRequest& TopicRequests::begin(std::uint32_t index) {
  if (index >= requests_.size()) requests_.resize(index + 1);
  std::unique_ptr<TopicRequest>& place = requests_[index];
  if (!place) place = std::make_unique<TopicRequest>();
  TopicRequest& request = *place;
  request.awaits = TopicRequest::Awaits::kNothing;
  request.accept.reset();
  request.etags.clear();
  request.if_match.clear();
  request.if_none_match = false;
  request.seen_version = 0;
  request.attempts = 0;
  request.resource = Resource::kTopic;
  request.links.reset();
  request.initialize = false;
  request.goes_on = false;
  request.observer = 0;
  request.observed_topic = 0;
  request.kept_version = 0;
  request.refused = model::Reason::kOk;
  request.looked_up = model::Reason::kNotFound;
  request.declared = false;
  if (request.topic.capacity() > kKept) request.topic = {};
  if (request.payload.capacity() > kKept) request.payload = {};
  return request;
}

}  // namespace hermod::coap
