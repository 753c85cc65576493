// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <algorithm>

namespace hermod::durability {

transport::Token Loop::add(Task& task) {
  entries_.push_back({.task = &task});
  return entries_.size() - 1;
}

void Loop::arm(transport::Token token, Instant at) {
  Entry& entry = entries_[token];
  if (at >= entry.armed) return;
  entry.armed = at;
  due_.emplace(at, token);
}

void Loop::turn(Instant until) {
  if (!due_.empty()) until = std::min(until, due_.top().first);
  const Duration wait = std::max(Duration::zero(), until - now());
  for (const transport::Event& event : poller_->wait(wait)) {
    entries_[event.token].task->on_event(event, now());
  }
  const Instant reached = now();
  while (!due_.empty() && due_.top().first <= reached) {
    const auto [at, token] = due_.top();
    due_.pop();
    Entry& entry = entries_[token];
    if (entry.armed != at) continue;
    entry.armed = kNever;
    entry.task->on_time(reached);
  }
}

}  // namespace hermod::durability
