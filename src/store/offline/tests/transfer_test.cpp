// SPDX-License-Identifier: Apache-2.0
// Export and import: what a start finds is the same before and behind them.
#include <gtest/gtest.h>

#include "offline/tests/sample_store.hpp"

namespace hermod::store {
namespace {

TEST(Transfer, AStoreIsTheSameBehindExportAndImport) {
  SampleStore::Counts all;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    testkit::FaultyDisk from(seed);
    {
      SampleStore store(from, seed);
      store.live(150);
      const SampleStore::Counts& counts = store.counts();
      all.complete_exchanges += counts.complete_exchanges;
      all.cut_off_exchanges += counts.cut_off_exchanges;
      all.released += counts.released;
      all.waiting += counts.waiting;
      all.ended += counts.ended;
      all.values += counts.values;
      all.moved += counts.moved;
    }
    ExportReport report;
    const std::string text = export_text(from, &report);
    EXPECT_TRUE(report.lost.empty()) << report.lost.front();
    testkit::FaultyDisk to(seed);
    const auto imported = import_text(to, text);
    ASSERT_TRUE(imported) << "seed " << seed << ": " << imported.error();
    EXPECT_TRUE(imported->complete);
    EXPECT_EQ(imported->orphans, 0u);
    ASSERT_EQ(export_text(to), text) << "seed " << seed;
    const std::string found = recovered_text(to);
    ASSERT_TRUE(found.contains("\nsubscriber ")) << found;
    ASSERT_EQ(found, recovered_text(from)) << "seed " << seed;
  }
  EXPECT_GT(all.complete_exchanges, 60u);
  EXPECT_GT(all.cut_off_exchanges, 20u);
  EXPECT_GT(all.released, 60u);
  EXPECT_GT(all.waiting, 600u);
  EXPECT_GT(all.ended, 20u);
  EXPECT_GT(all.values, 60u);
  EXPECT_GT(all.moved, 60u);
}

}  // namespace
}  // namespace hermod::store
