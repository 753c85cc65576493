// SPDX-License-Identifier: Apache-2.0
// Poller over epoll: each source is registered once, edge-triggered, for both directions; nothing
// is registered again while it lives. Must not know what its sources are.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>

#include "hermod/transport/poller.hpp"

namespace hermod::transport {

/// One thread waits; any thread wakes. A wake-up costs a system call only when that thread sleeps
/// and nobody has woken it yet.
class EpollPoller final : public Poller {
 public:
  /// Events handed out by one wait() at most; the others come with the next.
  static constexpr std::size_t kEventsMax = 256;

  /// Error in words when the process has no descriptors left.
  [[nodiscard]] static std::expected<std::unique_ptr<EpollPoller>, std::string> open();
  ~EpollPoller() override;
  EpollPoller(const EpollPoller&) = delete;
  EpollPoller& operator=(const EpollPoller&) = delete;

  [[nodiscard]] bool add(Source& source, Token token) override;
  void remove(Source& source) override;
  /// Timeouts are rounded up to whole milliseconds. Returns empty early after a signal.
  [[nodiscard]] std::span<const Event> wait(Duration timeout) override;
  void wake() override;

 private:
  /// kRunning -> kSleeping -> kRunning by wait(); any state -> kWoken by wake(), then kRunning by
  /// the wait() that returns for it. Only the wake() that finds kSleeping writes to the eventfd.
  enum class State : std::uint8_t { kRunning, kSleeping, kWoken };

  EpollPoller(int epoll, int event) : epoll_(epoll), event_(event) {}

  int epoll_;
  int event_;
  std::atomic<State> state_ = State::kRunning;
  std::array<Event, kEventsMax> events_;
};

}  // namespace hermod::transport
