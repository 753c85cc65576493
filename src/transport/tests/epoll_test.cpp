// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/epoll.hpp"

#include <atomic>
#include <thread>

#include "hermod/transport/tcp.hpp"
#include "hermod/transport/udp.hpp"
#include "loop.hpp"

namespace hermod::transport {
namespace {

TEST(Epoll, WaitsNoShorterThanAsked) {
  auto poller = make_poller();
  const SystemClock clock;
  const Instant before = clock.now();
  EXPECT_TRUE(poller->wait(std::chrono::microseconds(1500)).empty());
  EXPECT_GE(clock.now() - before, milliseconds(2));  // rounded up to whole milliseconds
}

TEST(Epoll, OnlyLooksWithoutTimeout) {
  auto poller = make_poller();
  EXPECT_TRUE(poller->wait(Duration::zero()).empty());
  EXPECT_TRUE(poller->wait(Duration(-5)).empty());
}

TEST(Epoll, RefusesWhatItCannotWatch) {
  auto poller = make_poller();
  Source in_memory;
  EXPECT_FALSE(poller->add(in_memory, 1));
  auto socket = std::move(bind_udp(loopback(), {}).value());
  EXPECT_FALSE(poller->add(*socket, ~Token{0}));  // the poller's own token
  EXPECT_TRUE(poller->add(*socket, 1));
  EXPECT_FALSE(poller->add(*socket, 2));  // once only
}

TEST(Epoll, RemovedSourcesAreSilent) {
  auto poller = make_poller();
  auto a = std::move(bind_udp(loopback(), {}).value());
  ASSERT_TRUE(poller->add(*a, 1));
  poller->remove(*a);
  a->reserve(1)[0] = 'x';
  a->commit(1, a->local());
  a->flush();
  EXPECT_TRUE(poller->wait(kGlance).empty());
  ASSERT_TRUE(poller->add(*a, 2));  // what waits is the first edge
  EXPECT_TRUE(wait_readable(*poller, 2));
}

TEST(Epoll, SourcesThatEndedAreSilent) {
  auto poller = make_poller();
  auto a = std::move(bind_udp(loopback(), {}).value());
  ASSERT_TRUE(poller->add(*a, 1));
  a->reserve(1)[0] = 'x';
  a->commit(1, a->local());
  a->flush();
  a.reset();
  EXPECT_TRUE(poller->wait(kGlance).empty());
}

TEST(Epoll, HandsOutManyEventsInPortions) {
  constexpr std::size_t kSources = 300;
  auto poller = make_poller();
  auto listener = std::move(listen_tcp(loopback(), {}).value());
  std::vector<std::unique_ptr<TcpStream>> clients;
  for (std::size_t i = 0; i < kSources; ++i) {
    clients.push_back(std::move(connect_tcp(listener->local()).value()));
    ASSERT_TRUE(poller->add(*clients.back(), i));
  }
  std::vector<int> seen(kSources);
  std::size_t total = 0;
  while (total < kSources) {
    const auto events = poller->wait(kPatience);
    ASSERT_FALSE(events.empty());
    EXPECT_LE(events.size(), EpollPoller::kEventsMax);
    for (const Event& event : events) ++seen.at(event.token);
    total += events.size();
  }
  EXPECT_EQ(seen, std::vector<int>(kSources, 1));
}

TEST(Epoll, WakeBeforeWaitReturnsOnce) {
  auto poller = make_poller();
  const SystemClock clock;
  const Instant before = clock.now();
  poller->wake();
  poller->wake();
  EXPECT_TRUE(poller->wait(kPatience).empty());
  EXPECT_LT(clock.now() - before, kPatience);
  EXPECT_TRUE(poller->wait(milliseconds(1)).empty());
  EXPECT_GE(clock.now() - before, milliseconds(1));  // the second wake() had nothing left to end
}

TEST(Epoll, WakeFromAnotherThreadIsNeverLost) {
  // The waiter sleeps for ever unless woken; each number posted must be seen before the next.
  constexpr int kRounds = 2000;
  auto poller = make_poller();
  std::atomic<int> posted = 0;
  std::atomic<int> seen = 0;
  std::thread waker([&] {
    for (int round = 1; round <= kRounds; ++round) {
      posted.store(round, std::memory_order_relaxed);  // the wake itself must publish it
      poller->wake();
      while (seen.load() < round) std::this_thread::yield();
    }
  });
  while (seen.load() < kRounds) {
    EXPECT_TRUE(poller->wait(Duration::max()).empty());
    seen.store(posted.load(std::memory_order_relaxed));
  }
  waker.join();
}

}  // namespace
}  // namespace hermod::transport
