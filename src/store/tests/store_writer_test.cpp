// SPDX-License-Identifier: Apache-2.0
// The store's own thread: what it is not asked to hurry with, it writes too.
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"

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

}  // namespace
}  // namespace hermod::store
