// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/requests.hpp"

namespace hermod::coap {
namespace {

constexpr std::uint32_t kGenerationMask = 0xff'ffff;  // generations travel in tickets
// A record keeps memory for topics and payloads up to this size; longer ones give it back.
constexpr std::size_t kKept = 256;

}  // namespace

Request* RequestTable::take(std::size_t most) {
  if (open() >= most) return nullptr;
  if (free_.empty()) {
    requests_.push_back(std::make_unique<Request>());
    requests_.back()->index = static_cast<std::uint32_t>(requests_.size() - 1);
    free_.reserve(requests_.size());
    free_.push_back(requests_.back().get());
  }
  Request* request = free_.back();
  free_.pop_back();
  request->open = true;
  request->generation = (request->generation + 1) & kGenerationMask;
  return request;
}

void RequestTable::give(Request& request) {
  request.open = false;
  request.awaits = Request::kNothing;
  request.exchange = {};
  request.etags = {};
  request.observation = 0;
  request.observed_topic = 0;
  request.refused = model::Reason::kOk;
  request.looked_up = model::Reason::kNotFound;
  if (request.topic.capacity() > kKept) request.topic = {};
  if (request.payload.capacity() > kKept) request.payload = {};
  free_.push_back(&request);
}

Request* RequestTable::find(std::uint32_t index, std::uint32_t generation) {
  if (index >= requests_.size()) return nullptr;
  Request* request = requests_[index].get();
  return request->open && request->generation == generation ? request : nullptr;
}

}  // namespace hermod::coap
