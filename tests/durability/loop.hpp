// SPDX-License-Identifier: Apache-2.0
// One thread's event loop for all clients of a run: sockets and deadlines, nothing else.
#pragma once

#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/transport/epoll.hpp"

namespace hermod::durability {

/// What a loop serves. Outlives the loop's last turn.
class Task {
 public:
  virtual ~Task() = default;
  virtual void on_event(const transport::Event& event, Instant now) = 0;
  /// An armed() instant has come.
  virtual void on_time(Instant now) = 0;
};

class Loop {
 public:
  explicit Loop(std::unique_ptr<transport::EpollPoller> poller) : poller_(std::move(poller)) {}

  [[nodiscard]] Instant now() const { return clock_.now(); }
  [[nodiscard]] transport::Poller& poller() { return *poller_; }
  /// The token that the task's sources are added to the poller with.
  transport::Token add(Task& task);
  /// on_time() is called at `at`, or earlier; kNever changes nothing.
  void arm(transport::Token token, Instant at);
  /// Waits for something to happen, at most until `until`, and serves it.
  void turn(Instant until);

 private:
  struct Entry {
    Task* task = nullptr;
    Instant armed = kNever;
  };
  using Due = std::pair<Instant, transport::Token>;

  SystemClock clock_;
  std::unique_ptr<transport::EpollPoller> poller_;
  std::vector<Entry> entries_;
  // What is not the entry's `armed` any more is skipped when it comes up.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace hermod::durability
