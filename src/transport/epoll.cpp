// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/epoll.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <system_error>

#include "hermod/base/assert.hpp"
#include "sockaddr.hpp"

namespace hermod::transport {

namespace {

/// Epoll's data of the eventfd; a source with this token is refused by add().
constexpr Token kWakeToken = std::numeric_limits<Token>::max();

int to_milliseconds(Duration timeout) {
  if (timeout == Duration::max()) return -1;
  if (timeout <= Duration::zero()) return 0;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return static_cast<int>(std::min<std::int64_t>(rounded, std::numeric_limits<int>::max()));
}

}  // namespace

std::expected<std::unique_ptr<EpollPoller>, std::string> EpollPoller::open() {
  const auto refuse = [](const char* call) {
    return std::unexpected(
        fmt::format("cannot make a poller: {}: {}", call, std::generic_category().message(errno)));
  };
  OwnedDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return refuse("epoll_create1");
  OwnedDescriptor event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event.valid()) return refuse("eventfd");
  // Edge-triggered, so each write is reported and nobody ever has to read it.
  epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {.u64 = kWakeToken}};
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event.get(), &interest) != 0)
    return refuse("epoll_ctl");
  return std::unique_ptr<EpollPoller>(new EpollPoller(epoll.release(), event.release()));
}

EpollPoller::~EpollPoller() {
  ::close(event_);
  ::close(epoll_);
}

bool EpollPoller::add(Source& source, Token token) {
  if (source.descriptor() < 0 || token == kWakeToken) return false;
  epoll_event interest{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.u64 = token}};
  if (source.wants_writable()) interest.events |= EPOLLOUT;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, source.descriptor(), &interest) == 0;
}

void EpollPoller::remove(Source& source) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, source.descriptor(), nullptr);
}

std::span<const Event> EpollPoller::wait(Duration timeout) {
  int milliseconds = to_milliseconds(timeout);
  if (milliseconds != 0) {
    State running = State::kRunning;
    if (!state_.compare_exchange_strong(running, State::kSleeping)) milliseconds = 0;
  }
  std::array<epoll_event, kEventsMax> found;
  const int count = epoll_wait(epoll_, found.data(), static_cast<int>(found.size()), milliseconds);
  HERMOD_ASSERT(count >= 0 || errno == EINTR);
  // Before the caller looks at its mailboxes: a wake() from now on is one for the next wait().
  state_.exchange(State::kRunning);

  std::size_t size = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = found[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWakeToken) continue;
    constexpr std::uint32_t kBroken = EPOLLHUP | EPOLLERR;
    events_[size++] = {.token = event.data.u64,
                       .readable = (event.events & (EPOLLIN | EPOLLRDHUP | kBroken)) != 0,
                       .writable = (event.events & (EPOLLOUT | kBroken)) != 0,
                       .ended = (event.events & (EPOLLRDHUP | kBroken)) != 0};
  }
  return {events_.data(), size};
}

void EpollPoller::wake() {
  if (state_.exchange(State::kWoken) != State::kSleeping) return;
  const std::uint64_t one = 1;
  // Cannot fail short of 2^64 wake-ups: the counter is never near its limit.
  HERMOD_ASSERT(::write(event_, &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)));
}

}  // namespace hermod::transport
