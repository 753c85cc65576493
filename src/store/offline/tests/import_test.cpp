// SPDX-License-Identifier: Apache-2.0
// What an import refuses, line by line, and that nothing is left when it fails.
#include <gtest/gtest.h>

#include <cerrno>

#include "offline/tests/export_samples.hpp"
#include "offline/tests/sample_store.hpp"

namespace hermod::store {
namespace {

using samples::good;
using samples::kMessage;
using samples::Lines;
using samples::queue_line;
using samples::queued;
using samples::recipient;
using samples::subscriber;
using samples::text_of;

std::string refusal_of(const std::string& text) {
  testkit::FaultyDisk disk(1);
  const auto imported = import_text(disk, text);
  EXPECT_TRUE(disk.list()->empty() || imported) << "something is left";
  return imported ? "none" : imported.error();
}

TEST(Import, TakesWhatIsRight) {
  testkit::FaultyDisk disk(1);
  const auto imported = import_text(disk, text_of(good()));
  ASSERT_TRUE(imported) << imported.error();
  EXPECT_EQ(imported->subscribers, 2u);
  EXPECT_EQ(imported->messages, 2u);
  EXPECT_EQ(imported->values, 1u);
  EXPECT_EQ(imported->declarations, 1u);
  const std::string found = recovered_text(disk);
  EXPECT_TRUE(found.contains("next 9 outgoing 0 incoming 1 open 5 at 2 6!")) << found;
}

struct Wrong {
  std::size_t behind;  // so many of the good lines
  std::string line;
  std::string_view why;
};

TEST(Import, RefusesALineThatDoesNotFit) {
  const Wrong wrongs[] = {
      {1, "", "no JSON"},
      {1, "{}", "must be an object with one member"},
      {1, R"({"strange":{}})", "'strange' is nothing"},
      {1, R"({"export":{"format":1}})", "begins once"},
      {1, good()[0], "one anchor only"},
      {2, subscriber(1, "other"), "queue 1 has a subscriber already"},
      {2, subscriber(3, "one"), "a subscriber of this name"},
      {2, subscriber(0, "none"), "'queue' must be a whole number"},
      {1, good()[2], "no subscriber before it has queue 1"},
      {6, good()[5], "a line of this queue already"},
      {4, R"({"queue":{"queue":3,"next_tag":1,"exchanges":[]}})", "no subscriber before it"},
      {4, R"({"queue":{"queue":1,"next_tag":0,"exchanges":[]}})", "'next_tag' must be"},
      {4, R"({"queue":{"queue":1,"next_tag":1,"exchanges":7}})", "'exchanges' must be an array"},
      {4, R"({"queue":{"queue":1,"next_tag":1}})", "'exchanges' is missing"},
      {4, R"({"queue":{"queue":1,"next_tag":1,"exchanges":[],"x":1}})", "must not have"},
      {4, queue_line("5"), "must be an object"},
      {4, queue_line(R"({"packet_id":65536,"complete":true,"queues":[]})"), "'packet_id' must be"},
      {4, queue_line(R"({"packet_id":1,"complete":true,"queues":[2]})"),
       "'queues' are of those not"},
      {4, queue_line(R"({"packet_id":1,"complete":false,"queues":[0]})"), "'queues' must hold"},
      {4, queue_line(R"({"packet_id":1,"complete":false,"queues":[1.5]})"), "'queues' must hold"},
      {4, queue_line(R"({"packet_id":1,"complete":false,"queues":7})"),
       "'queues' must be an array"},
      {4,
       queue_line(R"({"packet_id":1,"complete":true,"queues":[]},)"
                  R"({"packet_id":1,"complete":true,"queues":[]})"),
       "packet id 1 is open twice"},
      {7, good()[6], "has a value already"},
      {6, R"({"value":{"kind":"topic"}})", "is missing in 'value'"},
      {8, queued(recipient(1, 3)), "queue 1 has a message of tag 3 already"},
      {8, queued(""), "'recipients' must be an array of at least one"},
      {8, queued(recipient(1, 0)), "'tag' must be"},
      {8, queued(recipient(1, 5, R"("guarantee":1,"released":true)")), "'released' is for"},
      {8, queued(recipient(1, 5, R"("guarantee":3,"released":true)")), "'guarantee' must be"},
      {8,
       queued(recipient(1, 5, R"("guarantee":2,"released":true)") + "," +
              recipient(1, 65'540, R"("guarantee":2,"released":true)")),
       "of this packet id already"},
  };
  for (const Wrong& wrong : wrongs) {
    Lines lines = good();
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(wrong.behind), wrong.line);
    const std::string said = refusal_of(text_of(lines));
    // The line behind the first one and the good ones.
    EXPECT_TRUE(said.starts_with(fmt::format("line {}: ", wrong.behind + 2))) << said;
    EXPECT_TRUE(said.contains(wrong.why)) << said << "\nfor " << wrong.line;
  }
}

TEST(Import, AValueHasAPayload) {
  Lines lines = good();
  lines[6].replace(lines[6].find("\"p\""), 3, "\"\"");
  EXPECT_TRUE(refusal_of(text_of(lines)).contains("'payload' must not be empty"));
}

TEST(Import, RefusesATextThatIsNotWhole) {
  const std::string text = text_of(good());
  EXPECT_TRUE(refusal_of("").contains("cut short"));
  EXPECT_TRUE(refusal_of(text.substr(text.find('\n') + 1)).contains("line 1: this is no export"));
  for (std::size_t end = 1; end + 2 < text.size(); end += 7) {
    EXPECT_NE(refusal_of(text.substr(0, end)), "none") << end;
  }
  EXPECT_EQ(refusal_of(text.substr(0, text.size() - 1)), "none") << "only the last line's end";
  Lines fewer = good();
  fewer.pop_back();
  std::string cut = text_of(fewer);
  cut.replace(cut.rfind("\"lines\":8"), 9, "\"lines\":9");
  EXPECT_TRUE(refusal_of(cut).contains("and now there are 8")) << refusal_of(cut);
  EXPECT_TRUE(refusal_of(text + "\n").contains("behind the end"));
  std::string later = text;
  later.replace(later.find("format\":1"), 9, "format\":2");
  EXPECT_TRUE(refusal_of(later).contains("line 1: the export has format 2"));
}

TEST(Import, RefusesALineThatIsTooLong) {
  std::string text = text_of(good());
  testkit::FaultyDisk disk(1);
  SeededRng rng(1);
  LineReader lines(
      [&](std::span<char> into) -> std::expected<std::size_t, int> {
        const std::size_t count = text.copy(into.data(), into.size());
        text.erase(0, count);
        return count;
      },
      200);
  const auto imported = import_store(disk, rng, lines);
  ASSERT_FALSE(imported);
  EXPECT_TRUE(imported.error().starts_with("line 8: it is longer than 200 octets"))
      << imported.error();
  EXPECT_TRUE(disk.list()->empty());
}

TEST(Import, OnlyIntoAnEmptyDirectory) {
  testkit::FaultyDisk disk(1);
  ASSERT_TRUE(import_text(disk, text_of(good())));
  const std::string before = recovered_text(disk);
  const auto again = import_text(disk, text_of(good()));
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().contains("is not empty")) << again.error();
  EXPECT_EQ(recovered_text(disk), before);
}

TEST(Import, RecipientsWithoutASubscriberAreLeftOut) {
  Lines lines = good();
  lines.erase(lines.begin() + 3);  // that of queue 2
  lines.push_back(queued(recipient(7, 1)));
  testkit::FaultyDisk disk(1);
  const auto imported = import_text(disk, text_of(lines));
  ASSERT_TRUE(imported) << imported.error();
  EXPECT_EQ(imported->orphans, 2u);
  EXPECT_EQ(imported->messages, 1u);
  EXPECT_TRUE(recovered_text(disk).contains("open 5 at 6!")) << recovered_text(disk);
}

// A start fills what lies between tags with settled entries.
TEST(Import, TagsOfAQueueAreNotFarApart) {
  Lines lines = good();
  const auto add = [&](long tag) {
    std::string line = queued(recipient(2, 1));
    line.replace(line.find("\"tag\":1,"), 8, fmt::format("\"tag\":{},", tag));
    lines.push_back(std::move(line));
  };
  add(1L << 60);  // one gap costs nothing
  EXPECT_EQ(refusal_of(text_of(lines)), "none");
  add((1L << 60) + (1L << 20));
  EXPECT_EQ(refusal_of(text_of(lines)), "none");
  add((1L << 60) + (1L << 20) + 3);
  EXPECT_TRUE(refusal_of(text_of(lines)).contains("the tags of queue 2 are too far apart"))
      << refusal_of(text_of(lines));
}

TEST(Import, MoreThanItsBufferHolds) {
  Lines lines = good();
  std::string payload(1u << 20, 'x');
  for (int tag = 100; tag < 120; ++tag) {
    std::string line = queued(recipient(1, tag));
    line.replace(line.find("\"p\""), 3, fmt::format("\"{}\"", payload));
    lines.push_back(std::move(line));
  }
  testkit::FaultyDisk disk(1);
  ASSERT_TRUE(import_text(disk, text_of(lines)));
  EXPECT_GT(disk.counts().writes, 3u);
  EXPECT_TRUE(export_text(disk).contains(payload));
}

TEST(Import, WhatTheDiskRefusesLeavesNothing) {
  const std::string text = text_of(good());
  const auto refused = [&](auto&& spoil) {
    testkit::FaultyDisk disk(1);
    spoil(disk);
    const auto imported = import_text(disk, text);
    ASSERT_FALSE(imported);
    EXPECT_TRUE(disk.list()->empty()) << imported.error();
  };
  refused([](testkit::FaultyDisk& disk) { disk.set_capacity(100); });
  refused([](testkit::FaultyDisk& disk) { disk.set_capacity(10'000); });  // the log fits
  refused([](testkit::FaultyDisk& disk) { disk.fail_writes(EIO); });
  refused([](testkit::FaultyDisk& disk) { disk.fail_syncs(EIO); });
  refused([](testkit::FaultyDisk& disk) { disk.set_open_max(0); });
}

constexpr std::string_view kRefused = "refused";
constexpr std::string_view kEmpty = "empty";

// What a broker finds that is started there.
std::string start_on(testkit::FaultyDisk& disk) {
  SeededRng rng(1);
  NullLog log;
  auto store = Store::open(disk, rng, log, {});
  if (!store) {
    EXPECT_TRUE(store.error().contains("hermod store export")) << store.error();
    return std::string{kRefused};
  }
  const auto state = (*store)->recover();
  EXPECT_TRUE(state);
  if (state && state->queues.empty() && state->values.empty() && state->declarations.empty()) {
    return std::string{kEmpty};
  }
  store->reset();
  return recovered_text(disk);
}

// The power goes at any moment: then there is the whole store, or none that a broker would take.
TEST(Import, IsThereWholeOrNotAtAllAfterAPowerCut) {
  const std::string text = text_of(good());
  testkit::FaultyDisk other(1);
  ASSERT_TRUE(import_text(other, text));
  const std::string whole = recovered_text(other);
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  std::uint64_t empty = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (std::uint64_t operations = 0; operations < 14; ++operations) {
      testkit::FaultyDisk disk(seed);
      disk.stop_after(operations);
      const bool told = import_text(disk, text).has_value();
      disk.power_cut();
      const std::string found = start_on(disk);
      if (found == kRefused) {
        ASSERT_FALSE(told);
        ++refused;
        continue;
      }
      if (found == kEmpty) {
        ASSERT_FALSE(told);
        ++empty;
        continue;
      }
      ASSERT_EQ(found, whole);
      ++done;
    }
  }
  EXPECT_GT(done, 10u);
  EXPECT_GT(refused, 10u);
  EXPECT_GT(empty, 10u);
}

// To bring the corpus up to date:
//   cmake --build --preset release --target store_export_seeds
//   build/release/store_export_seeds fuzz/corpus/store_export
TEST(ExportSeeds, CorpusIsGeneratedFromTheSamples) {
  EXPECT_EQ(testkit::read_seeds(EXPORT_CORPUS), samples::export_seeds());
}

}  // namespace
}  // namespace hermod::store
