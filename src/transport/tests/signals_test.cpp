// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/signals.hpp"

#include <set>

#include "loop.hpp"

namespace hermod::transport {
namespace {

TEST(Signals, ComeThroughThePoller) {
  auto signals = std::move(SignalSource::open({SIGTERM, SIGHUP}).value());
  auto poller = make_poller();
  ASSERT_TRUE(poller->add(*signals, 1));
  EXPECT_EQ(signals->next(), 0);
  EXPECT_TRUE(poller->wait(Duration::zero()).empty());

  raise(SIGTERM);
  raise(SIGHUP);
  ASSERT_TRUE(wait_readable(*poller, 1));
  const std::set<int> got{signals->next(), signals->next()};
  EXPECT_EQ(got, (std::set<int>{SIGTERM, SIGHUP}));
  EXPECT_EQ(signals->next(), 0);

  raise(SIGHUP);  // and again: a new edge
  ASSERT_TRUE(wait_readable(*poller, 1));
  EXPECT_EQ(signals->next(), SIGHUP);
}

TEST(Signals, TheMaskIsGivenBack) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  SignalSource::open({SIGUSR1}).value().reset();
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
}

TEST(Signals, RefusesWhatIsNoSignal) {
  const auto refused = SignalSource::open({4711});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), "cannot watch signal 4711: no such signal");
}

}  // namespace
}  // namespace hermod::transport
