// SPDX-License-Identifier: Apache-2.0
// The store's own thread: what it is not asked to hurry with, it writes too.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"
#include "segment.hpp"

namespace hermod::store {
namespace {

TEST(StoreWriter, SettlementsAreWrittenAlsoWhenNothingElseIs) {
  testkit::FaultyDisk disk(1);
  SeededRng rng(1);
  NullLog log;
  auto opened = Store::open(disk, rng, log, {});
  ASSERT_TRUE(opened) << opened.error();
  Store& store = **opened;
  ASSERT_TRUE(store.recover());
  std::promise<void> woken;
  const auto journal = store.make_journal([&woken] { woken.set_value(); });
  store.start();
  const core::CommitNumber before = journal->committed();
  journal->settle(journal->new_queue(), 1, 1);
  journal->submit(true, before);
  EXPECT_EQ(woken.get_future().wait_for(std::chrono::seconds{20}), std::future_status::ready);
  EXPECT_GT(journal->committed(), before);
  store.stop();
}

// What little is left of a segment is written again, and the segment goes, although nobody writes
// anything else.
TEST(StoreWriter, AQuietStoreIsCleaned) {
  testkit::FaultyDisk disk(1);
  SeededRng rng(1);
  NullLog log;
  constexpr std::uint64_t kSegment = 16'384;
  auto opened =
      Store::open(disk, rng, log,
                  {.segment_octets_max = kSegment, .clean_every = std::chrono::milliseconds{50}});
  ASSERT_TRUE(opened) << opened.error();
  Store& store = **opened;
  ASSERT_TRUE(store.recover());
  const auto journal = store.make_journal([] {});
  store.start();
  const core::QueueId queue = journal->new_queue();
  const std::string payload(1'000, 'x');
  const model::Message message{.destination = model::Destination::topic("a"),
                               .payload = as_bytes(payload)};
  const model::Message* const only = &message;
  const auto append = [&](model::Tag tag) {
    const core::Recipient recipient{.queue = queue, .tag = tag, .count = 1};
    core::Position position = 0;
    journal->append({.messages = {&only, 1}, .recipients = {&recipient, 1}}, {&position, 1});
    return position;
  };
  const core::Position first = append(1);
  model::Tag next = 2;
  for (std::uint64_t octets = 0; octets < kSegment; octets += payload.size()) {
    journal->let_go(append(next++));
  }
  journal->settle(queue, 2, next - 1);
  ASSERT_TRUE(journal->wants_check());
  journal->check({.queue = queue, .floor = 1, .next = next, .settled = {{2, next - 1}}});
  journal->end_check(true);
  journal->submit(false, 0);

  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  const auto wait_for = [&](auto&& what) {
    while (!what() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return what();
  };
  std::vector<core::Stale> stale;
  ASSERT_TRUE(wait_for([&] {
    if (stale.empty()) stale = journal->take_stale(100);
    return !stale.empty();
  })) << "what is left is not asked for";
  EXPECT_EQ(stale.front().position, first);
  const core::CommitNumber before = journal->committed();
  (void)append(1);
  journal->submit(false, before);
  ASSERT_TRUE(wait_for([&] { return journal->committed() > before; }));
  journal->let_go(first);
  journal->submit(false, journal->committed());
  EXPECT_TRUE(wait_for([&] {
    const auto names = disk.list().value();
    return std::ranges::find(names, segment_name(1)) == names.end();
  })) << "its segment stays";
  store.stop();
}

}  // namespace
}  // namespace hermod::store
