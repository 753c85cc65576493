// SPDX-License-Identifier: Apache-2.0
#include "memory_wire.hpp"

namespace hermod::transport {

Endpoint::Endpoint(Wire& wire) : wire_(wire), number_(wire.enter(*this)) {}

Endpoint::~Endpoint() {
  unwatch();
  wire_.leave(number_);
}

void Endpoint::notify() {
  if (poller_ == nullptr || listed_) return;
  listed_ = true;
  poller_->ready_.push_back(number_);
}

void Endpoint::watch(MemoryPoller& poller, Token token) {
  poller_ = &poller;
  token_ = token;
  poller.watched_.insert(number_);
  if (is_readable() || poll_writable()) notify();  // what is ready already is the first edge
}

void Endpoint::unwatch() {
  if (poller_ == nullptr) return;
  poller_->watched_.erase(number_);
  if (listed_) std::erase(poller_->ready_, number_);
  listed_ = false;
  poller_ = nullptr;
}

Event Endpoint::take_event() {
  listed_ = false;
  return {
      .token = token_, .readable = is_readable(), .writable = poll_writable(), .ended = is_ended()};
}

MemoryPoller::~MemoryPoller() {
  while (!watched_.empty()) wire_.find(*watched_.begin())->unwatch();
}

bool MemoryPoller::add(Source& source, Token token) {
  Endpoint* endpoint = wire_.find(source.descriptor());
  if (endpoint == nullptr || endpoint->is_watched()) return false;
  endpoint->watch(*this, token);
  return true;
}

void MemoryPoller::remove(Source& source) {
  if (watched_.contains(source.descriptor())) wire_.find(source.descriptor())->unwatch();
}

std::span<const Event> MemoryPoller::wait(Duration timeout) {
  woken_ = false;
  const bool endless = timeout >= kNever - wire_.now();
  deadline_ = endless ? kNever : wire_.now() + timeout;
  events_.clear();
  while (!ready_.empty() && events_.size() < kEventsMax) {
    Endpoint* endpoint = wire_.find(ready_.front());
    ready_.pop_front();
    const Event event = endpoint->take_event();
    if (event.readable || event.writable) events_.push_back(event);
  }
  return events_;
}

}  // namespace hermod::transport
