// SPDX-License-Identifier: Apache-2.0
// Entries of the reliability catalogue that a whole store has to hold, by their numbers: thousands
// of seeds, each a store with several lives. HERMOD_SEEDS sets how many.
#include <cstdlib>

#include "hermod/store/metadata.hpp"
#include "metadata/tests/put_octets.hpp"
#include "store_life.hpp"

namespace hermod::store {
namespace {

std::uint64_t seeds() {
  const char* const wanted = std::getenv("HERMOD_SEEDS");
  return wanted == nullptr ? 500 : std::strtoull(wanted, nullptr, 10);
}

StoreLife::Counts run(const StoreLife::Options& options, bool damages) {
  StoreLife::Counts all;
  for (std::uint64_t seed = 1; seed <= seeds() && !testing::Test::HasFailure(); ++seed) {
    StoreLife life(seed, options);
    life.boot();
    for (std::uint64_t lives = 1 + seed % 4; lives > 0; --lives) {
      if (testing::Test::HasFatalFailure()) break;
      life.live(options.steps);
      life.end();
      if (damages) life.damage();
      life.boot();
    }
    if (testing::Test::HasFailure()) ADD_FAILURE() << "seed " << seed;
    all.promised += life.counts.promised;
    all.recovered += life.counts.recovered;
    all.repeated += life.counts.repeated;
    all.removed += life.counts.removed;
    all.evacuated += life.counts.evacuated;
    all.full += life.counts.full;
    all.refused += life.counts.refused;
    all.damaged += life.counts.damaged;
    all.sealed += life.counts.sealed;
  }
  return all;
}

// Without its metadata a log has no subscribers: everything would be lost without a word.
TEST(StoreOpen, ALogWithoutItsMetadataIsRefused) {
  testkit::FaultyDisk disk(1);
  SeededRng rng(2);
  NullLog log;
  {
    auto store = Store::open(disk, rng, log, {});
    ASSERT_TRUE(store) << store.error();
    ASSERT_TRUE((*store)->recover());
    const auto journal = (*store)->make_journal([] {});
    const model::Message message{
        .destination = model::Destination::topic("a"), .payload = as_bytes("x"), .retain = true};
    core::Position position = 0;
    (void)journal->retain(message, position);
    ASSERT_TRUE((*store)->write_once());
  }
  const auto names = disk.list();
  ASSERT_TRUE(names);
  for (const std::string& name : *names) {
    if (name.starts_with("metadata")) {
      ASSERT_EQ(disk.remove(name), 0);
    }
  }
  const auto store = Store::open(disk, rng, log, {.folder = "/there"});
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().contains("/there")) << store.error();
}

// A lasting subscriber with a message; true when both are safe.
bool keep_session(Store& store, core::Journal& journal, std::string name) {
  const core::QueueId queue = journal.new_queue();
  (void)journal.change(core::KeepSubscriber{.queue = queue, .name = std::move(name)});
  if (!store.write_once()) return false;
  const model::Message message{.destination = model::Destination::topic("a"),
                               .payload = as_bytes("x")};
  const model::Message* const messages[] = {&message};
  const core::Recipient recipients[] = {{.queue = queue, .tag = 1, .count = 1}};
  core::Position position = 0;
  (void)journal.append({.messages = messages, .recipients = recipients}, {&position, 1});
  return store.write_once();
}

TEST(StoreOpen, MetadataOfAnotherStoreIsRefused) {
  SeededRng rng(2);
  NullLog log;
  testkit::FaultyDisk one(1);
  testkit::FaultyDisk other(2);
  for (testkit::FaultyDisk* disk : {&one, &other}) {
    auto store = Store::open(*disk, rng, log, {});
    ASSERT_TRUE(store) << store.error();
    ASSERT_TRUE((*store)->recover());
    const auto journal = (*store)->make_journal([] {});
    ASSERT_TRUE(keep_session(**store, *journal, "session"));
  }
  ASSERT_TRUE(Store::open(one, rng, log, {}));
  const std::string file{Metadata::kFileName};
  put_octets(one, file, other.octets_of(file));
  const auto store = Store::open(one, rng, log, {.folder = "/there"});
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().contains("/there: metadata and log are of two stores"))
      << store.error();
}

// What was kept since the copy was made would be gone without a word: here one session.
TEST(StoreOpen, OlderMetadataThanTheLogKnowsOfIsRefused) {
  testkit::FaultyDisk disk(1);
  SeededRng rng(2);
  NullLog log;
  const std::string file = Metadata::kFileName;
  const auto copy = [&] { return std::pair{disk.octets_of(file), disk.octets_of(file + "-wal")}; };
  auto store = Store::open(disk, rng, log, {});
  ASSERT_TRUE(store) << store.error();
  ASSERT_TRUE((*store)->recover());
  auto journal = (*store)->make_journal([] {});
  ASSERT_TRUE(keep_session(**store, *journal, "first"));
  const auto older = copy();
  ASSERT_TRUE(keep_session(**store, *journal, "second"));
  const auto newer = copy();
  journal.reset();
  store->reset();
  const auto recovered = [&]() -> std::expected<RecoveredState, std::string> {
    const auto opened = Store::open(disk, rng, log, {.folder = "/there"});
    if (!opened) return std::unexpected(opened.error());
    return (*opened)->recover();
  };
  const auto recovered_with = [&](const auto& files) {
    put_octets(disk, file, files.first);
    put_octets(disk, file + "-wal", files.second);
    return recovered();
  };
  for (auto refused = recovered_with(older); const int once : {1, 2, 3}) {
    ASSERT_FALSE(refused) << once;
    EXPECT_TRUE(refused.error().contains("/there")) << refused.error();
    EXPECT_TRUE(refused.error().contains("has lost changes")) << refused.error();
    refused = recovered();  // trying again makes it no better
  }
  const auto taken = recovered_with(newer);
  ASSERT_TRUE(taken) << taken.error();
  EXPECT_EQ(taken->queues.size(), 2u);
}

TEST(StoreLife, R2_WhatIsAcknowledgedSurvivesPowerCuts) {
  const StoreLife::Counts all = run({}, false);
  EXPECT_GT(all.promised, 20 * seeds());
  EXPECT_GT(all.recovered, seeds());
  EXPECT_GT(all.removed, seeds() / 10);
  EXPECT_GT(all.evacuated, seeds() / 10);
}

TEST(StoreLife, R3_DamageLosesWhatItHitsAndForgesNothing) {
  const StoreLife::Counts all = run({.power_in_the_middle = false}, true);
  EXPECT_GT(all.damaged, seeds() / 2);
}

TEST(StoreLife, R5_AFailedSyncSealsTheStore) {
  const StoreLife::Counts all = run({.power_in_the_middle = false, .sync_fails = true}, false);
  EXPECT_GT(all.sealed, seeds() / 2);
  EXPECT_GT(all.refused, seeds());
}

TEST(StoreLife, R4_NothingIsAcknowledgedWithoutRoom) {
  const StoreLife::Counts all = run({.power_in_the_middle = false, .fills_up = true}, false);
  EXPECT_GT(all.full, seeds() / 4);
  EXPECT_GT(all.refused, seeds() / 4);
}

}  // namespace
}  // namespace hermod::store
