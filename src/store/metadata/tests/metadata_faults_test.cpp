// SPDX-License-Identifier: Apache-2.0
// The metadata on a disk that fails, from seeds: what was told as kept is there, and nothing is
// there in part. HERMOD_METADATA_SEEDS=N runs N seeds instead of a few hundred,
// HERMOD_METADATA_SEED=N that one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <numeric>

#include "describe.hpp"
#include "hermod/store/metadata.hpp"
#include "hermod/testkit/faulty_disk.hpp"
#include "samples.hpp"

namespace hermod::store {
namespace {

using core::Change;
using testing::HasSubstr;
using testkit::FaultyDisk;
using Outcome = Metadata::Outcome;
using Octets = std::vector<std::uint8_t>;

// The seeds 1 to `most`, or as the environment says.
std::vector<std::uint64_t> seeds(std::uint64_t most) {
  if (const char* one = std::getenv("HERMOD_METADATA_SEED"))
    return {std::strtoull(one, nullptr, 10)};
  const char* given = std::getenv("HERMOD_METADATA_SEEDS");
  std::vector<std::uint64_t> seeds(given == nullptr ? most : std::strtoull(given, nullptr, 10));
  std::iota(seeds.begin(), seeds.end(), 1);
  return seeds;
}

// What changes make up, as load() gives it.
class State {
 public:
  void apply(const Change& change) {
    std::visit([this](const auto& each) { take(each); }, change);
  }
  void apply(std::span<const Change> changes) {
    for (const Change& change : changes) apply(change);
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const auto& [queue, subscriber] : subscribers_) {
      lines.push_back(subscriber);
      const auto subscriptions = subscriptions_.find(queue);
      if (subscriptions == subscriptions_.end()) continue;
      for (const auto& [filter, line] : subscriptions->second) lines.push_back(line);
    }
    for (const auto& [topic, line] : declarations_) lines.push_back(line);
    return lines;
  }
  [[nodiscard]] bool has(core::QueueId queue) const { return subscribers_.contains(queue); }

 private:
  void take(const core::KeepSubscriber& is) { subscribers_[is.queue] = describe(is); }
  void take(const core::ForgetSubscriber& is) {
    subscribers_.erase(is.queue);
    subscriptions_.erase(is.queue);
  }
  void take(const core::KeepSubscription& is) {
    subscriptions_[is.queue][is.filter] = describe(is);
  }
  void take(const core::ForgetSubscription& is) { subscriptions_[is.queue].erase(is.filter); }
  void take(const core::KeepDeclaration& is) { declarations_[is.topic] = describe(is); }
  void take(const core::ForgetDeclaration& is) { declarations_.erase(is.topic); }

  std::map<core::QueueId, std::string> subscribers_;
  std::map<core::QueueId, std::map<std::string, std::string>> subscriptions_;
  std::map<std::string, std::string> declarations_;
};

// Changes of all kinds that fit a state, which they then have changed.
class Changes {
 public:
  explicit Changes(Rng& rng) : rng_(rng) {}

  std::vector<Change> next(State& state, std::uint64_t count_max) {
    std::vector<Change> changes;
    for (std::uint64_t left = 1 + rng_.below(count_max); left > 0; --left) {
      changes.push_back(one(state));
      state.apply(changes.back());
    }
    return changes;
  }

 private:
  Change one(const State& state) {
    const core::QueueId queue = 1 + rng_.below(60);
    const std::string name = fmt::format("{}/{}", text(), rng_.below(40));
    if (!state.has(queue)) return subscriber(queue);
    switch (rng_.below(10)) {
      case 0:
        return subscriber(queue);
      case 1:
        return core::ForgetSubscriber{queue};
      case 2:
        return core::ForgetSubscription{queue, name};
      case 3:
        return core::ForgetDeclaration{name};
      case 4:
      case 5:
        return core::KeepDeclaration{name, {.topic_type = text(), .expires_at_s = rng_.next()}};
      default:
        return core::KeepSubscription{
            queue, name, {.subscription_id = static_cast<std::uint32_t>(rng_.next())}};
    }
  }
  core::KeepSubscriber subscriber(core::QueueId queue) {
    core::KeepSubscriber made{.queue = queue,
                              .name = fmt::format("{}{}", text(), queue),
                              .expiry_s = static_cast<std::uint32_t>(rng_.next()),
                              .away = rng_.below(2) == 0,
                              .listener = "mqtt"};
    if (rng_.below(4) != 0) return made;
    const std::string payload(rng_.below(9000), 'p');
    const model::Message will{.payload = as_bytes(payload)};
    made.will = core::KeptWill{.message = will.own(), .expiry_s = 7};
    return made;
  }
  // Long ones lie on pages of their own.
  std::string text() { return std::string(rng_.below(8) == 0 ? 5000 : 3, 't'); }

  Rng& rng_;
};

struct Opened {
  std::unique_ptr<Metadata> metadata;
  std::string why;  // it could not be opened, or loaded
  std::vector<std::string> lines;
};

Opened open(FaultyDisk& disk, Rng& rng, bool existing = false) {
  Opened opened;
  auto metadata = Metadata::open(disk, {.rng = rng, .existing = existing});
  if (!metadata) return {.why = metadata.error()};
  const auto loaded = (*metadata)->load(
      sample_calendar(), [&](Change&& change) { opened.lines.push_back(describe(change)); });
  if (!loaded) return {.why = loaded.error()};
  opened.metadata = std::move(*metadata);
  return opened;
}

// New metadata on a disk of its own, and what it is to hold.
struct Trial {
  explicit Trial(std::uint64_t seed) : rng(seed), disk(seed), opened(open(disk, rng)) {
    EXPECT_TRUE(opened.metadata) << opened.why;
  }

  SeededRng rng;
  FaultyDisk disk;
  Changes changes{rng};
  State kept;
  Opened opened;
};

// Power cuts at any write, sync and change of the directory; five in a row on the same disk.
TEST(MetadataFaults, R2PowerCutsLoseNothingThatWasKept) {
  std::uint64_t cuts_inside = 0;
  for (const std::uint64_t seed : seeds(300)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SeededRng rng(seed);
    FaultyDisk disk(seed);
    Changes changes(rng);
    State kept;
    bool made = false;  // there is a store
    for (int cut = 0; cut < 5; ++cut) {
      disk.stop_after(rng.below(made ? 120 : 30));
      State tried = kept;
      Opened opened = open(disk, rng, made);
      if (opened.metadata) {
        made = true;
        ASSERT_EQ(opened.lines, kept.lines());
      } else {
        ASSERT_TRUE(disk.stopped()) << opened.why;
      }
      while (opened.metadata && !disk.stopped()) {
        const std::vector<Change> batch = changes.next(tried, 40);
        if (opened.metadata->apply(batch, sample_calendar()) != Outcome::kOk) break;
        kept = tried;
      }
      const std::uint64_t generation = opened.metadata ? opened.metadata->generation() : 0;
      ASSERT_TRUE(disk.stopped());
      opened.metadata.reset();
      disk.power_cut();
      opened = open(disk, rng, made);
      ASSERT_TRUE(opened.metadata) << opened.why;
      made = true;
      EXPECT_GE(opened.metadata->generation(), generation);
      if (opened.lines != kept.lines()) {
        ASSERT_EQ(opened.lines, tried.lines());
        kept = tried;
        ++cuts_inside;
      }
    }
  }
  EXPECT_GT(cuts_inside, 0u) << "a transaction that was not told as kept may be there";
}

TEST(MetadataFaults, R4AFullDiskRollsBackAndRecovers) {
  for (const std::uint64_t seed : seeds(100)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Trial trial(seed);
    auto& [rng, disk, changes, kept, opened] = trial;
    ASSERT_TRUE(opened.metadata);
    for (int round = 0; round < 3; ++round) {
      disk.set_capacity(disk.used() + rng.below(200'000));
      std::vector<Change> batch;
      Outcome outcome = Outcome::kOk;
      State tried = kept;
      while (outcome == Outcome::kOk) {
        kept = tried;
        batch = changes.next(tried, 60);
        outcome = opened.metadata->apply(batch, sample_calendar());
      }
      ASSERT_EQ(outcome, Outcome::kFull) << opened.metadata->why();
      EXPECT_THAT(opened.metadata->why(), HasSubstr("no room"));
      std::vector<std::string> lines;
      ASSERT_TRUE(opened.metadata->load(
          sample_calendar(), [&](Change&& change) { lines.push_back(describe(change)); }));
      EXPECT_EQ(lines, kept.lines());
      disk.set_capacity(UINT64_MAX);
      ASSERT_EQ(opened.metadata->apply(batch, sample_calendar()), Outcome::kOk);
      kept = tried;
      if (rng.below(2) == 0) {
        opened.metadata.reset();
        if (rng.below(2) == 0) disk.power_cut();
      } else {
        disk.power_cut();
        opened.metadata.reset();
      }
      opened = open(disk, rng, true);
      ASSERT_TRUE(opened.metadata) << opened.why;
      EXPECT_EQ(opened.lines, kept.lines());
    }
  }
}

// What a transaction that was rolled back left in the write-ahead log would be taken for damage
// when the next one, written over it, is torn.
TEST(MetadataFaults, WhatAFullDiskLeftIsCutAway) {
  SeededRng rng(1);
  FaultyDisk disk(1);
  Opened opened = open(disk, rng);
  ASSERT_TRUE(opened.metadata) << opened.why;
  const std::string wal = std::string(Metadata::kFileName) + "-wal";
  std::vector<Change> many;
  for (core::QueueId queue = 1; queue <= 2000; ++queue) {
    many.emplace_back(core::KeepSubscriber{.queue = queue, .name = std::string(100, 'n')});
  }
  disk.set_capacity(disk.used() + 150'000);
  EXPECT_EQ(opened.metadata->apply(many, sample_calendar()), Outcome::kFull);
  const std::size_t left = disk.octets_of(wal).size();
  EXPECT_GT(left, 100'000u);
  disk.set_capacity(UINT64_MAX);
  EXPECT_EQ(opened.metadata->apply(std::span{many}.first(1), sample_calendar()), Outcome::kOk);
  EXPECT_LT(disk.octets_of(wal).size(), 20'000u);
}

TEST(MetadataFaults, R5AFailedSyncIsFailedForGood) {
  for (const std::uint64_t seed : seeds(100)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Trial trial(seed);
    auto& [rng, disk, changes, kept, opened] = trial;
    ASSERT_TRUE(opened.metadata);
    for (std::uint64_t before = rng.below(20); before > 0; --before) {
      ASSERT_EQ(opened.metadata->apply(changes.next(kept, 20), sample_calendar()), Outcome::kOk);
    }
    State tried = kept;
    if (rng.below(2) == 0) {
      disk.fail_syncs(EIO);
    } else {
      disk.fail_writes(EIO);
    }
    EXPECT_EQ(opened.metadata->apply(changes.next(tried, 20), sample_calendar()), Outcome::kFailed);
    EXPECT_THAT(opened.metadata->why(), HasSubstr("could not be written"));
    State later = tried;
    EXPECT_EQ(opened.metadata->apply(changes.next(later, 20), sample_calendar()), Outcome::kFailed);
    EXPECT_EQ(opened.metadata->keep_anchor({}), Outcome::kFailed);
    opened.metadata.reset();
    disk.power_cut();
    opened = open(disk, rng, true);
    ASSERT_TRUE(opened.metadata) << opened.why;
    EXPECT_THAT(opened.lines, testing::AnyOf(kept.lines(), tried.lines()));
  }
}

// The file may have half of a transaction whose sync failed, and the write-ahead log none of it,
// when the program is killed and the power goes while it starts again.
TEST(MetadataFaults, R5WhatAFailedSyncLeftInMemoryIsNotTakenUp) {
  std::uint64_t interrupted = 0;
  for (const std::uint64_t seed : seeds(300)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Trial trial(seed);
    auto& [rng, disk, changes, kept, opened] = trial;
    ASSERT_TRUE(opened.metadata);
    for (std::uint64_t before = 1 + rng.below(5); before > 0; --before) {
      ASSERT_EQ(opened.metadata->apply(changes.next(kept, 20), sample_calendar()), Outcome::kOk);
    }
    const core::QueueId free = opened.metadata->first_free_queue();
    State tried = kept;
    disk.fail_syncs(EIO);
    EXPECT_EQ(opened.metadata->apply(changes.next(tried, 20), sample_calendar()), Outcome::kFailed);
    opened.metadata.reset();
    disk.kill();
    disk.stop_after(rng.below(30));
    opened = open(disk, rng, true);
    if (disk.stopped()) ++interrupted;
    opened.metadata.reset();
    disk.power_cut();
    opened = open(disk, rng, true);
    ASSERT_TRUE(opened.metadata) << opened.why;
    EXPECT_EQ(opened.lines, kept.lines());
    EXPECT_EQ(opened.metadata->first_free_queue(), free);
  }
  EXPECT_GT(interrupted, 0u) << "the power goes while the metadata is opened";
  RecordProperty("interrupted", static_cast<int>(interrupted));
}

// A store with many rows, stopped in order or killed; its files as they lie on the disk.
class Damage : public testing::Test {
 protected:
  struct Stored {
    State state;
    std::uint64_t generation = 0;
  };

  // Whether the way it ended leaves a write-ahead log.
  static Stored fill(FaultyDisk& disk, Rng& rng, bool killed) {
    Stored stored;
    Changes changes(rng);
    Opened opened = open(disk, rng);
    EXPECT_TRUE(opened.metadata) << opened.why;
    for (int batch = 0; batch < 25; ++batch) {
      EXPECT_EQ(opened.metadata->apply(changes.next(stored.state, 40), sample_calendar()),
                Outcome::kOk);
    }
    stored.generation = opened.metadata->generation();
    if (killed) disk.kill();
    opened.metadata.reset();
    return stored;
  }

  // Damage is refused in words, or does no harm, or the log would tell of it.
  void judge(FaultyDisk& disk, Rng& rng, const Stored& stored) {
    const Opened opened = open(disk, rng, true);
    if (!opened.metadata) {
      ++refused_;
      EXPECT_THAT(opened.why, testing::AnyOf(HasSubstr("hermod store import"),
                                             HasSubstr("not the metadata of a store"),
                                             HasSubstr("newer version")));
    } else if (opened.lines == stored.state.lines()) {
      ++harmless_;
    } else {
      ++told_;
      EXPECT_LT(opened.metadata->generation(), stored.generation);
    }
  }

  static std::string file(FaultyDisk& disk, Rng& rng) {
    const std::vector<std::string> names = *disk.list();
    return names[rng.below(names.size())];
  }

  int refused_ = 0;
  int harmless_ = 0;
  int told_ = 0;  // by the generation only
};

TEST_F(Damage, R3AFlippedBitIsFoundOrHarmless) {
  for (const std::uint64_t seed : seeds(300)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SeededRng rng(seed);
    FaultyDisk disk(seed);
    const Stored stored = fill(disk, rng, seed % 2 == 0);
    const std::string name = file(disk, rng);
    // Where every bit means something, and anywhere.
    const std::uint64_t size = disk.octets_of(name).size();
    const std::uint64_t offset =
        rng.below(3) == 0 ? rng.below(std::min(size, std::uint64_t{200})) : rng.below(size);
    disk.flip_bit(name, offset, static_cast<unsigned>(rng.below(8)));
    judge(disk, rng, stored);
  }
  EXPECT_GT(refused_, 0);
  EXPECT_GT(harmless_, 0);
  RecordProperty("refused", refused_);
  RecordProperty("harmless", harmless_);
  RecordProperty("told", told_);
}

TEST_F(Damage, R3AFileThatIsCutIsFoundOrHarmless) {
  for (const std::uint64_t seed : seeds(300)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SeededRng rng(seed);
    FaultyDisk disk(seed);
    const Stored stored = fill(disk, rng, seed % 2 == 0);
    const std::string name = file(disk, rng);
    disk.cut_file(name, rng.below(disk.octets_of(name).size()));
    judge(disk, rng, stored);
  }
  EXPECT_GT(refused_, 0);
  RecordProperty("refused", refused_);
  RecordProperty("harmless", harmless_);
  RecordProperty("told", told_);
}

TEST_F(Damage, R3ASectorOfSomethingElseIsFoundOrHarmless) {
  for (const std::uint64_t seed : seeds(300)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SeededRng rng(seed);
    FaultyDisk disk(seed);
    const Stored stored = fill(disk, rng, seed % 2 == 0);
    const std::string name = file(disk, rng);
    const std::uint64_t unit = rng.below(2) == 0 ? 512 : 4096;
    Octets octets(unit);
    if (rng.below(2) == 0) {
      for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(rng.next());
    }
    const std::uint64_t units = (disk.octets_of(name).size() + unit - 1) / unit;
    disk.overwrite(name, rng.below(units) * unit, octets);
    judge(disk, rng, stored);
  }
  EXPECT_GT(refused_, 0);
  RecordProperty("refused", refused_);
  RecordProperty("harmless", harmless_);
  RecordProperty("told", told_);
}

TEST(MetadataFaults, AReadThatFailsIsNoStart) {
  SeededRng rng(1);
  FaultyDisk disk(1);
  open(disk, rng).metadata.reset();
  for (const std::uint64_t failing : {1u, 2u, 100u}) {
    disk.fail_reads(EIO, failing);
    EXPECT_THAT(open(disk, rng, true).why, HasSubstr("metadata.sqlite' cannot be used")) << failing;
    disk.fail_reads(EIO, 0);
  }
  EXPECT_TRUE(open(disk, rng, true).metadata);
}

TEST(MetadataFaults, NoRoomForANewOneIsSaid) {
  SeededRng rng(1);
  FaultyDisk disk(1);
  disk.set_capacity(5000);
  EXPECT_THAT(open(disk, rng).why, HasSubstr("no room"));
  disk.set_capacity(UINT64_MAX);
  EXPECT_TRUE(open(disk, rng).metadata);
}

}  // namespace
}  // namespace hermod::store
