// SPDX-License-Identifier: Apache-2.0
// What check and export say of each kind of damage of docs/store.md, and that they change nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "hermod/store/metadata.hpp"
#include "metadata/tests/put_octets.hpp"
#include "offline/survey.hpp"
#include "offline/tests/sample_store.hpp"

namespace hermod::store {
namespace {

using Blob = std::vector<std::uint8_t>;

const std::string kFile = Metadata::kFileName;

std::set<std::string> lines_of(const std::string& text, std::string_view beginning = "{") {
  std::set<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(beginning) && !line.starts_with("{\"end\"")) lines.insert(line);
  }
  return lines;
}

class StoreDamage : public testing::Test {
 protected:
  void make(std::uint64_t seed) {
    disk_ = std::make_unique<testkit::FaultyDisk>(seed);
    SampleStore(*disk_, seed).live(150);
    text_ = export_text(*disk_);
  }
  void SetUp() override { make(7); }

  [[nodiscard]] std::vector<std::string> names() const {
    return disk_->list().value_or(std::vector<std::string>{});
  }
  [[nodiscard]] std::string last_segment() const {
    std::string last;
    for (const std::string& name : names()) {
      if (segment_number(name)) last = name;
    }
    return last;
  }
  CheckReport check() {
    auto report = check_store(*disk_, "/there");
    EXPECT_TRUE(report) << report.error();
    return report ? *report : CheckReport{};
  }
  // The text of what is left, which must be one that can be imported.
  std::string export_rest() {
    report_ = {};
    const std::string text = export_text(*disk_, &report_);
    testkit::FaultyDisk other(1);
    const auto imported = import_text(other, text);
    EXPECT_TRUE(imported) << imported.error();
    if (imported) {
      imported_ = *imported;
      EXPECT_EQ(imported->complete, report_.lost.empty());
    }
    return text;
  }
  [[nodiscard]] std::string refusal() {
    SeededRng rng(1);
    NullLog log;
    auto store = Store::open(*disk_, rng, log, {});
    if (!store) return store.error();
    const auto state = (*store)->recover();
    return state ? "" : state.error();
  }
  static bool some(const std::vector<std::string>& lines, std::string_view text) {
    return std::ranges::any_of(lines,
                               [text](const std::string& line) { return line.contains(text); });
  }

  std::unique_ptr<testkit::FaultyDisk> disk_;
  std::string text_;  // of the whole store
  ExportReport report_;
  ImportReport imported_;
};

TEST_F(StoreDamage, AWholeStoreIsWellAndStaysAsItIs) {
  std::map<std::string, Blob> before;
  for (const std::string& name : names()) before[name] = disk_->octets_of(name);
  const auto counts = disk_->counts();
  const CheckReport report = check();
  EXPECT_TRUE(report.faults.empty()) << report.faults.front();
  EXPECT_EQ(report.torn_octets, 0u);
  EXPECT_GT(report.messages, 0u);
  EXPECT_GT(report.deliveries, report.messages);
  EXPECT_EQ(report.subscribers, lines_of(text_, "{\"subscriber\"").size());
  EXPECT_EQ(report.values, lines_of(text_, "{\"value\"").size());
  EXPECT_TRUE(dump_store(*disk_, "/there", {}, [](std::string_view) { return true; }));
  EXPECT_EQ(disk_->counts().writes, counts.writes);
  EXPECT_EQ(disk_->counts().syncs, counts.syncs);
  for (const auto& [name, octets] : before) EXPECT_EQ(disk_->octets_of(name), octets) << name;
  EXPECT_EQ(names().size(), before.size());
}

TEST_F(StoreDamage, ATornEndIsNone) {
  const std::string name = last_segment();
  Blob octets = disk_->octets_of(name);
  while (octets.back() == 0) octets.pop_back();  // zeros in front of what comes next
  disk_->overwrite(name, (octets.size() + 7) / 8 * 8, Blob(40, 9));
  const CheckReport report = check();
  EXPECT_TRUE(report.faults.empty());
  EXPECT_EQ(report.torn_octets, 40u);
  EXPECT_TRUE(some(report.lines, "torn end: 40 octets"));
  EXPECT_EQ(export_rest(), text_);
  EXPECT_TRUE(report_.lost.empty());
  EXPECT_EQ(refusal(), "");
}

TEST_F(StoreDamage, ADamagedRecordIsNamedAndOnlyItIsLost) {
  auto found = survey(*disk_, "/there");
  ASSERT_TRUE(found);
  Position position = 0;
  for (RecoveredQueue& queue : found->state.queues) {
    queue.queue.for_each(
        [&](model::Tag, core::Queue::Entry& entry) { position = entry.message.position(); });
  }
  ASSERT_NE(position, 0u);
  disk_->flip_bit(segment_name(segment_of(position)), offset_of(position) + kFrameOctets, 3);
  const CheckReport report = check();
  EXPECT_EQ(report.damaged, 1u);
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_TRUE(report.faults[0].starts_with(
      fmt::format("segment {}, octet {}: ", segment_of(position), offset_of(position))))
      << report.faults[0];
  const std::set<std::string> before = lines_of(text_, "{\"queued\"");
  const std::set<std::string> after = lines_of(export_rest(), "{\"queued\"");
  EXPECT_EQ(after.size() + 1, before.size());
  EXPECT_TRUE(std::ranges::includes(before, after));
  ASSERT_EQ(report_.lost.size(), 1u);
  EXPECT_TRUE(report_.lost[0].contains(
      fmt::format("at octet {} of segment {}", offset_of(position), segment_of(position))));
  EXPECT_EQ(refusal(), "");
}

TEST_F(StoreDamage, ADamagedHeaderHidesASegment) {
  disk_->flip_bit(segment_name(1), 0, 0);
  disk_->flip_bit(segment_name(1), kSecondHeader, 0);
  EXPECT_TRUE(some(check().faults, "segment 1: its header is damaged"));
  (void)export_rest();
  EXPECT_FALSE(report_.lost.empty());
}

TEST_F(StoreDamage, ADamagedRowOfTheMetadataIsLostAlone) {
  const std::string line = *lines_of(text_, "{\"subscriber\"").rbegin();
  const std::string queue = line.substr(23, line.find(',') - 23);  // {"subscriber":{"queue":7,
  const std::string name = "-\xc3\xa4-" + queue;
  const Blob octets = disk_->octets_of(kFile);
  const auto at = std::ranges::find_end(octets, as_bytes(std::string_view{name})).begin();
  ASSERT_NE(at, octets.end());
  disk_->flip_bit(kFile, static_cast<std::uint64_t>(at - octets.begin()), 0);
  const CheckReport report = check();
  EXPECT_TRUE(some(report.faults, "'/there/metadata.sqlite' is damaged"));
  EXPECT_TRUE(some(report.faults,
                   fmt::format("a row of the table 'subscriber' ({}): its sum is wrong", queue)));
  const std::string rest = export_rest();
  EXPECT_EQ(lines_of(rest, "{\"subscriber\"").size() + 1,
            lines_of(text_, "{\"subscriber\"").size());
  EXPECT_EQ(lines_of(rest, "{\"declaration\""), lines_of(text_, "{\"declaration\""));
  EXPECT_EQ(lines_of(rest, "{\"value\""), lines_of(text_, "{\"value\""));
  EXPECT_TRUE(std::ranges::includes(lines_of(text_), lines_of(rest, "{\"subscriber\"")));
  EXPECT_TRUE(some(report_.lost, "the metadata is damaged"));
  EXPECT_TRUE(refusal().contains("hermod store export"));
}

// Messages of a lost session are exported; only an import has no place for them.
TEST_F(StoreDamage, WithoutMetadataMessagesAndValuesAreLeft) {
  for (const std::string& name : names()) {
    if (name.starts_with("metadata")) {
      ASSERT_EQ(disk_->remove(name), 0);
    }
  }
  EXPECT_TRUE(some(check().faults, "metadata.sqlite is missing"));
  const std::string rest = export_rest();
  EXPECT_TRUE(lines_of(rest, "{\"subscriber\"").empty());
  EXPECT_EQ(lines_of(rest, "{\"value\""), lines_of(text_, "{\"value\""));
  EXPECT_GE(lines_of(rest, "{\"queued\"").size(), lines_of(text_, "{\"queued\"").size());
  EXPECT_GT(imported_.orphans, 0u);
  EXPECT_EQ(imported_.messages, 0u);
  EXPECT_TRUE(refusal().contains("hermod store export"));
}

TEST_F(StoreDamage, MetadataThatIsOlderThanTheLogIsTold) {
  disk_ = std::make_unique<testkit::FaultyDisk>(3);
  Blob older;
  Blob older_wal;
  {
    SampleStore store(*disk_, 3);
    store.live(50);
    older = disk_->octets_of(kFile);
    older_wal = disk_->octets_of(kFile + "-wal");
    store.live(100);
  }
  put_octets(*disk_, kFile, older);
  put_octets(*disk_, kFile + "-wal", older_wal);
  EXPECT_TRUE(some(check().faults, "the metadata is older than the log"));
  (void)export_rest();
  EXPECT_TRUE(some(report_.lost, "the metadata is older than the log"));
  EXPECT_TRUE(some(report_.lost, "queues whose subscribers are lost"));
  EXPECT_GT(imported_.orphans, 0u);
  EXPECT_GT(imported_.messages, 0u);
  EXPECT_TRUE(refusal().contains("has lost changes"));
}

TEST_F(StoreDamage, WhatTheDiskDoesNotGiveIsToldAndTheRestIsExported) {
  disk_->fail_reads(EIO);
  EXPECT_TRUE(some(check().faults, "metadata.sqlite cannot be read: Input/output error"));
  disk_->fail_reads(EIO);
  EXPECT_EQ(lines_of(export_rest(), "{\"value\""), lines_of(text_, "{\"value\""));
  EXPECT_TRUE(some(report_.lost, "cannot be read"));
}

TEST_F(StoreDamage, MetadataThatIsTooLargeIsNotLookedAt) {
  const std::uint64_t size = disk_->octets_of(kFile).size();
  EXPECT_TRUE(read_metadata(*disk_, "/there", size).whole());
  const MetadataFindings found = read_metadata(*disk_, "/there", size - 1);
  EXPECT_FALSE(found.whole());
  EXPECT_TRUE(found.refusal.contains("is too large")) << found.refusal;
}

TEST_F(StoreDamage, ThereIsNoStoreInAnEmptyDirectory) {
  testkit::FaultyDisk empty(1);
  for (const auto& error :
       {check_store(empty, "/there").error(),
        export_store(empty, "/there", [](std::string_view) { return true; }).error(),
        dump_store(empty, "/there", {}, [](std::string_view) { return true; }).error()}) {
    EXPECT_EQ(error, "there is no store in /there: neither metadata nor log");
  }
}

TEST_F(StoreDamage, AnOutputThatTakesNoMoreEndsAnExport) {
  std::uint64_t taken = 0;
  const auto report = export_store(*disk_, "/there", [&](std::string_view) { return ++taken < 3; });
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->cut_short);
  EXPECT_EQ(taken, 3u);
}

// From seeds: bits flip, pages are lost, the file is cut. Rows that are exported are rows that were
// there, and what a start refuses is never called complete.
TEST_F(StoreDamage, OfDamagedMetadataNothingIsMadeUp) {
  std::uint64_t refused = 0;
  std::uint64_t saved = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 100; seed < 250; ++seed) {
    if (seed % 20 == 0) make(seed);
    const Blob before = disk_->octets_of(kFile);
    SeededRng rng(seed);
    switch (rng.below(3)) {
      case 0:
        for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips) {
          disk_->flip_bit(kFile, rng.below(before.size()), static_cast<unsigned>(rng.below(8)));
        }
        break;
      case 1:
        disk_->overwrite(kFile, rng.below(before.size()) / 4096 * 4096, Blob(4096, 0));
        break;
      default:
        disk_->cut_file(kFile, rng.below(before.size()));
    }
    const CheckReport report = check();
    const std::string rest = export_rest();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    for (const std::string_view kind :
         {"{\"subscriber\"", "{\"subscription\"", "{\"declaration\""}) {
      const std::set<std::string> was = lines_of(text_, kind);
      const std::set<std::string> is = lines_of(rest, kind);
      ASSERT_TRUE(std::ranges::includes(was, is)) << "seed " << seed;
      saved += is.size();
      lost += was.size() - is.size();
    }
    if (report.faults.empty()) {
      ASSERT_EQ(rest, text_) << "seed " << seed;
    } else {
      ++refused;
      ASSERT_FALSE(report_.lost.empty()) << "seed " << seed;
    }
    put_octets(*disk_, kFile, before);
  }
  EXPECT_GT(refused, 75u);
  EXPECT_GT(saved, 500u);
  EXPECT_GT(lost, 500u);
}

// The same of the log: whatever was hit, what is left makes a store.
TEST_F(StoreDamage, OfADamagedLogTheRestMakesAStore) {
  std::uint64_t found = 0;
  for (std::uint64_t seed = 100; seed < 200; ++seed) {
    if (seed % 10 == 0) make(seed);
    SeededRng rng(seed);
    const std::string name = segment_name(static_cast<SegmentNumber>(1 + rng.below(2)));
    const Blob before = disk_->octets_of(name);
    for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips) {
      disk_->flip_bit(name, kRecordsBegin + rng.below(before.size() - kRecordsBegin),
                      static_cast<unsigned>(rng.below(8)));
    }
    const CheckReport report = check();
    (void)export_rest();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    EXPECT_EQ(report.faults.empty(), report_.lost.empty());
    found += report.faults.empty() ? 0 : 1;
    put_octets(*disk_, name, before);
  }
  EXPECT_GT(found, 80u);
}

}  // namespace
}  // namespace hermod::store
