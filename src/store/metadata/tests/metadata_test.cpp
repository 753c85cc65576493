// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "describe.hpp"
#include "put_octets.hpp"
#include "samples.hpp"
#include "schema.hpp"

namespace hermod::store {
namespace {

using core::Change;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = Metadata::Outcome;

class MetadataTest : public testing::Test {
 protected:
  std::unique_ptr<Metadata> open() {
    auto opened = Metadata::open(disk_, {.rng = rng_, .folder = "/there"});
    EXPECT_TRUE(opened) << opened.error();
    return opened ? std::move(*opened) : nullptr;
  }
  // Why it cannot be opened, or what is read of it.
  std::string refusal(bool existing = true) {
    auto opened = Metadata::open(disk_, {.rng = rng_, .folder = "/there", .existing = existing});
    if (!opened) return opened.error();
    auto loaded = (*opened)->load(calendar_, [](Change&&) {});
    return loaded ? "" : loaded.error();
  }
  // What another program does to the closed file.
  void sql(const std::string& text) {
    const SqliteVfs vfs(disk_);
    sqlite3* raw = nullptr;
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    ASSERT_EQ(sqlite3_open_v2(Metadata::kFileName, &raw, kFlags, vfs.name()), SQLITE_OK);
    const Database database(raw);
    sqlite3_exec(raw, "PRAGMA locking_mode=EXCLUSIVE", nullptr, nullptr, nullptr);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, text.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error == nullptr ? "" : error);
    sqlite3_free(error);
  }
  std::vector<std::string> load(Metadata& metadata) {
    std::vector<std::string> found;
    const auto loaded =
        metadata.load(calendar_, [&](Change&& change) { found.push_back(describe(change)); });
    EXPECT_TRUE(loaded) << loaded.error();
    return found;
  }
  Outcome apply(Metadata& metadata, std::initializer_list<Change> changes) {
    return metadata.apply(std::span{changes.begin(), changes.size()}, calendar_);
  }

  SeededRng rng_{1};
  testkit::FaultyDisk disk_{1};
  Calendar calendar_{{}, {.now = Instant{std::chrono::hours{1}}, .wall_ms = 5'000}, "boot"};
};

core::KeepSubscriber subscriber(core::QueueId queue, std::string name) {
  return {.queue = queue, .name = std::move(name), .listener = "mqtt"};
}
core::KeepSubscription subscription(core::QueueId queue, std::string filter) {
  return {.queue = queue, .filter = std::move(filter), .options = {}};
}

TEST_F(MetadataTest, KeepsItsKeyAndCountsBoots) {
  auto metadata = open();
  const std::uint64_t key = metadata->key();
  EXPECT_EQ(key, SeededRng(1).next());
  EXPECT_EQ(metadata->boot(), 1u);
  metadata.reset();
  metadata = open();
  EXPECT_EQ(metadata->key(), key);
  EXPECT_EQ(metadata->boot(), 2u);
}

TEST_F(MetadataTest, KeepsEveryMember) {
  const std::vector<Change> changes = full_changes();
  std::vector<std::string> expected;
  for (const Change& change : changes) expected.push_back(describe(change));
  auto metadata = open();
  EXPECT_EQ(metadata->apply(changes, calendar_), Outcome::kOk);
  EXPECT_EQ(load(*metadata), expected);
  metadata.reset();
  EXPECT_EQ(load(*open()), expected);
}

TEST_F(MetadataTest, LoadsSubscribersByQueueWithTheirSubscriptions) {
  auto metadata = open();
  EXPECT_EQ(apply(*metadata, {subscriber(300, "c"), subscriber(2, "b"), subscription(300, "x"),
                              subscription(2, "z"), subscription(2, "y"), subscriber(7, "n")}),
            Outcome::kOk);
  std::vector<std::string> found = load(*metadata);
  for (std::string& each : found) each.resize(each.find('\'', each.find('\'') + 1) + 1);
  EXPECT_THAT(found, ElementsAre("subscriber 2 'b'", "subscription 2 'y'", "subscription 2 'z'",
                                 "subscriber 7 'n'", "subscriber 300 'c'", "subscription 300 'x'"));
}

TEST_F(MetadataTest, TheLastWordOnSomethingStands) {
  auto metadata = open();
  auto with_will = subscriber(1, "a");
  with_will.will = core::KeptWill{.message = model::Message{}.own()};
  auto again = subscription(1, "f");
  again.options.subscription_id = 9;
  EXPECT_EQ(apply(*metadata, {with_will, subscription(1, "f"), again,
                              core::KeepDeclaration{"t", {.topic_type = "old"}}}),
            Outcome::kOk);
  EXPECT_EQ(apply(*metadata, {subscriber(1, "renamed"), core::KeepDeclaration{"t", {}}}),
            Outcome::kOk);
  EXPECT_THAT(load(*metadata), ElementsAre(describe(subscriber(1, "renamed")), describe(again),
                                           describe(core::KeepDeclaration{"t", {}})));
}

TEST_F(MetadataTest, ForgetsASubscriberWithAllThatIsIts) {
  auto metadata = open();
  EXPECT_EQ(apply(*metadata,
                  {subscriber(1, "a"), subscriber(2, "b"), subscription(1, "f"),
                   subscription(1, "g"), subscription(2, "f"), core::KeepDeclaration{"t", {}}}),
            Outcome::kOk);
  EXPECT_EQ(apply(*metadata, {core::ForgetSubscriber{1}, core::ForgetDeclaration{"t"}}),
            Outcome::kOk);
  EXPECT_THAT(load(*metadata),
              ElementsAre(describe(subscriber(2, "b")), describe(subscription(2, "f"))));
  EXPECT_EQ(apply(*metadata, {core::ForgetSubscription{2, "f"}}), Outcome::kOk);
  EXPECT_THAT(load(*metadata), ElementsAre(describe(subscriber(2, "b"))));
}

TEST_F(MetadataTest, ForgetsWhatIsNotThere) {
  auto metadata = open();
  EXPECT_EQ(apply(*metadata, {core::ForgetSubscriber{1}, core::ForgetSubscription{1, "f"},
                              core::ForgetDeclaration{"t"}}),
            Outcome::kOk);
  EXPECT_EQ(metadata->apply({}, calendar_), Outcome::kOk);
  EXPECT_THAT(load(*metadata), ElementsAre());
}

TEST_F(MetadataTest, OneChangeThatFailsTakesAllBack) {
  auto metadata = open();
  EXPECT_EQ(apply(*metadata, {subscriber(1, "a")}), Outcome::kOk);
  const core::QueueId before = metadata->first_free_queue();
  EXPECT_EQ(apply(*metadata, {subscriber(50'000, "b"), subscription(3, "nobody's")}),
            Outcome::kFailed);
  EXPECT_THAT(metadata->why(), HasSubstr("FOREIGN KEY"));
  EXPECT_THAT(metadata->why(), HasSubstr("/there/metadata.sqlite"));
  EXPECT_EQ(metadata->first_free_queue(), before);
  EXPECT_THAT(load(*metadata), ElementsAre(describe(subscriber(1, "a"))));
  // From then on nothing is kept, whatever it is.
  EXPECT_EQ(apply(*metadata, {subscriber(2, "b")}), Outcome::kFailed);
  EXPECT_EQ(metadata->apply({}, calendar_), Outcome::kFailed);
  EXPECT_EQ(metadata->keep_anchor({}), Outcome::kFailed);
  metadata.reset();
  EXPECT_THAT(load(*open()), ElementsAre(describe(subscriber(1, "a"))));
}

TEST_F(MetadataTest, NoQueueNumberIsEverFreeAgain) {
  auto metadata = open();
  EXPECT_EQ(metadata->first_free_queue(), 1u);
  for (const core::QueueId queue :
       {core::QueueId{1}, core::QueueId{1024}, core::QueueId{1025}, Metadata::kQueueMax}) {
    EXPECT_EQ(apply(*metadata, {subscriber(queue, "a")}), Outcome::kOk);
    EXPECT_EQ(apply(*metadata, {core::ForgetSubscriber{queue}}), Outcome::kOk);
    EXPECT_EQ(metadata->first_free_queue(), queue + 1);
    metadata.reset();
    metadata = open();
    EXPECT_EQ(metadata->first_free_queue(), queue + 1);
  }
}

TEST_F(MetadataTest, CountsWhatItKept) {
  auto metadata = open();
  const std::uint64_t first = metadata->generation();
  EXPECT_EQ(apply(*metadata, {subscriber(1, "a"), subscriber(2, "b")}), Outcome::kOk);
  EXPECT_EQ(metadata->keep_anchor({}), Outcome::kOk);
  EXPECT_EQ(metadata->apply({}, calendar_), Outcome::kOk);
  EXPECT_EQ(metadata->generation(), first + 2);
  EXPECT_EQ(apply(*metadata, {subscription(3, "nobody's")}), Outcome::kFailed);
  EXPECT_EQ(metadata->generation(), first + 2);
  metadata.reset();
  EXPECT_EQ(open()->generation(), first + 2) << "opening it is no change";
}

TEST_F(MetadataTest, KeepsTheAnchor) {
  auto metadata = open();
  EXPECT_EQ(metadata->anchor(), std::nullopt);
  const Anchor anchor{.calendar_ms = -5, .wall_ms = 7, .since_boot = Duration{9}, .boot_id = "b"};
  EXPECT_EQ(metadata->keep_anchor(anchor), Outcome::kOk);
  metadata.reset();
  EXPECT_EQ(open()->anchor(), anchor);
}

// --- what is refused ---

TEST_F(MetadataTest, RefusesToBeginAnewWhenThereMustBeOne) {
  EXPECT_THAT(refusal(), HasSubstr("/there/metadata.sqlite"));
  EXPECT_EQ(disk_.list()->size(), 0u);
  put_octets(disk_, Metadata::kFileName, {});
  EXPECT_THAT(refusal(), HasSubstr("is damaged: it is empty"));
  EXPECT_EQ(refusal(/*existing=*/false), "");
  EXPECT_EQ(refusal(), "");
}

TEST_F(MetadataTest, RefusesWhatIsNoDatabase) {
  put_octets(disk_, Metadata::kFileName, as_bytes(std::string(5000, 'x')));
  EXPECT_THAT(refusal(), HasSubstr("hermod store export"));
  EXPECT_THAT(refusal(), HasSubstr("hermod store import"));
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(MetadataTest, RefusesADatabaseOfSomebodyElse) {
  sql("CREATE TABLE theirs(a); PRAGMA application_id=5");
  EXPECT_THAT(refusal(false), HasSubstr("not the metadata of a store"));
}

TEST_F(MetadataTest, RefusesANewerVersion) {
  open();
  sql("PRAGMA user_version=2");
  EXPECT_THAT(refusal(), HasSubstr("newer version of Hermod"));
  sql("PRAGMA user_version=0");
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(MetadataTest, FindsARowThatWasChanged) {
  const std::pair<const char*, const char*> changes[] = {
      {"UPDATE subscriber SET name='kitchem'", "'subscriber'"},
      {"UPDATE subscriber SET expiry_s=expiry_s+1", "'subscriber'"},
      {"UPDATE subscriber SET owner=''", "'subscriber'"},
      {"UPDATE subscriber SET will_message=x'80'", "'subscriber'"},
      {"UPDATE subscription SET filter='b'", "'subscription'"},
      {"UPDATE declaration SET topic_type='x'", "'declaration'"},
      {"UPDATE store SET key=key+1", "what the store keeps of itself"},
      {"DELETE FROM store", "what the store keeps of itself"},
      {"DELETE FROM subscriber", "belongs to no subscriber"},
      {"CREATE TABLE more(a)", "its tables are not those"},
      {"DROP TABLE declaration", "its tables are not those"},
      {"PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql=replace(sql,'topic_type TEXT',"
       "'topic_typf TEXT')",
       "its tables are not those"},
  };
  auto metadata = open();
  EXPECT_EQ(apply(*metadata,
                  {subscriber(1, "kitchen"), subscription(1, "a"), core::KeepDeclaration{"t", {}}}),
            Outcome::kOk);
  metadata.reset();
  const std::vector<std::uint8_t> copy = disk_.octets_of(Metadata::kFileName);
  for (const auto& [change, expected] : changes) {
    put_octets(disk_, Metadata::kFileName, copy);
    EXPECT_EQ(refusal(), "");
    sql(change);
    EXPECT_THAT(refusal(), HasSubstr(expected)) << change;
    EXPECT_THAT(refusal(), HasSubstr("hermod store import")) << change;
  }
}

TEST_F(MetadataTest, FindsAWillThatCannotBeRead) {
  auto metadata = open();
  auto with_will = subscriber(1, "a");
  with_will.will = core::KeptWill{.message = model::Message{}.own()};
  EXPECT_EQ(apply(*metadata, {with_will}), Outcome::kOk);
  metadata.reset();
  // The row is whole, as its sum says, but holds a blob of a format that nobody has written yet.
  const std::uint8_t blob[] = {0x81, 0x02};
  RowSum sum;
  for (const Value& each :
       {Value{std::int64_t{1}}, Value{std::string_view{"a"}}, Value{std::int64_t{0}},
        Value{std::int64_t{0}}, Value{nullptr}, Value{std::int64_t{0}}, Value{nullptr},
        Value{std::string_view{"mqtt"}}, Value{Bytes{blob}}, Value{std::int64_t{0}}, Value{nullptr},
        Value{nullptr}}) {
    sum.add(each);
  }
  sql(fmt::format("UPDATE subscriber SET will_message=x'8102', sum={}", sum.sum()));
  EXPECT_THAT(refusal(), HasSubstr("'subscriber': its will"));
}

// --- versions ---

TEST_F(MetadataTest, MigratesStepByStepAllOrNothing) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &raw), SQLITE_OK);
  const Database database(raw);
  const Migration migrations[] = {{1, "CREATE TABLE a(x)"},
                                  {2, "INSERT INTO a VALUES(5)"},
                                  {3, "CREATE TABLE b(x); INSERT INTO nowhere VALUES(1)"}};
  ASSERT_EQ(sqlite3_exec(raw, "PRAGMA user_version=1", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(migrate(raw, 1, 1, {}), SQLITE_OK);
  EXPECT_EQ(migrate(raw, 1, 3, migrations), SQLITE_OK);
  EXPECT_EQ(ask(raw, "PRAGMA user_version").text, "3");
  EXPECT_EQ(ask(raw, "SELECT x FROM a").text, "5");
  EXPECT_NE(migrate(raw, 3, 4, migrations), SQLITE_OK);
  EXPECT_EQ(ask(raw, "PRAGMA user_version").text, "3");
  EXPECT_EQ(ask(raw, "SELECT count(*) FROM sqlite_schema").text, "1");
  EXPECT_EQ(migrate(raw, 3, 5, migrations), SQLITE_NOTFOUND);
}

// --- limits ---

TEST_F(MetadataTest, BearsTheLongestTexts) {
  const std::string longest(65'535, 'n');
  auto large = subscriber(1, longest);
  large.user = longest;
  large.listener = longest;
  const std::string payload(16u << 20, 'p');
  const model::Message will{.destination = model::Destination::topic(longest),
                            .payload = as_bytes(payload)};
  large.will = core::KeptWill{.message = will.own()};
  const core::KeepDeclaration declaration{longest, {.content_type = longest}};
  auto metadata = open();
  EXPECT_EQ(apply(*metadata, {large, subscription(1, longest), declaration}), Outcome::kOk);
  metadata.reset();
  EXPECT_THAT(load(*open()), ElementsAre(describe(large), describe(subscription(1, longest)),
                                         describe(declaration)));
}

// Past the checkpoint, so that what is read comes from both files.
TEST_F(MetadataTest, KeepsManyInOneTransactionAndInMany) {
  constexpr core::QueueId kMany = 20'000;
  std::vector<Change> changes;
  for (core::QueueId queue = 1; queue <= kMany; ++queue) {
    changes.emplace_back(subscriber(queue, fmt::format("client-{}", queue)));
    changes.emplace_back(subscription(queue, fmt::format("devices/{}/#", queue)));
  }
  auto metadata = open();
  EXPECT_EQ(metadata->apply(changes, calendar_), Outcome::kOk);
  for (core::QueueId queue = 1; queue <= kMany; queue += 100) {
    EXPECT_EQ(
        apply(*metadata, {core::ForgetSubscription{queue, fmt::format("devices/{}/#", queue)}}),
        Outcome::kOk);
  }
  EXPECT_EQ(load(*metadata).size(), 2 * kMany - kMany / 100);
  metadata.reset();
  EXPECT_EQ(load(*open()).size(), 2 * kMany - kMany / 100);
}

}  // namespace
}  // namespace hermod::store
