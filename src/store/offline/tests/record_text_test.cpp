// SPDX-License-Identifier: Apache-2.0
#include "offline/record_text.hpp"

#include <gtest/gtest.h>

#include "hermod/store/offline.hpp"
#include "metadata/tests/samples.hpp"
#include "offline/tests/sample_store.hpp"
#include "settlement_records.hpp"
#include "state_record.hpp"

namespace hermod::store {
namespace {

// What is said of a draft that lies at the begin of segment 3.
std::string text_of(const Draft& draft, bool payloads = false) {
  std::vector<std::uint8_t> body(draft.front.begin(), draft.front.end());
  body.insert(body.end(), draft.payload.begin(), draft.payload.end());
  return RecordText(payloads).write({.position = position_of(3, kRecordsBegin),
                                     .kind = draft.kind,
                                     .version = kBodyVersion,
                                     .body = body});
}

TEST(RecordText, TellsOfMessages) {
  const model::Message message{.destination = model::Destination::topic("a/b"),
                               .payload = as_bytes("on\x1b"),
                               .guarantee = model::Guarantee::kAtLeastOnce,
                               .origin = {.exchange = core::exchange_of(9, 5)}};
  const model::Message* const messages[] = {&message};
  const std::uint32_t ids[] = {1, 70'000};
  const core::Recipient recipients[] = {
      {.queue = 7, .tag = 12, .count = 1, .guarantee = model::Guarantee::kExactlyOnce},
      {.queue = 8, .tag = 1, .count = 1, .retain_as_published = true, .subscription_ids = ids}};
  RunEncoder encoder;
  const Draft draft = encoder.encode({.messages = messages, .recipients = recipients}, {})[0];
  EXPECT_EQ(text_of(draft),
            "3:4160 message \"a/b\" at least once, 3 octets, exchange 9/5, for 7 as 12 exactly "
            "once, for 8 as 1 at most once retain-as-published ids 1 70000");
  EXPECT_TRUE(text_of(draft, true).contains("3 octets \"on\\u001b\", exchange"));
  const Draft moved = encoder.encode(
      {.messages = messages, .recipients = recipients, .moved_from = {.queue = 4, .tag = 6}},
      {})[0];
  EXPECT_TRUE(text_of(moved).contains(", exchange 9/5, moved from 4:6, for 7 as 12"))
      << text_of(moved);
}

TEST(RecordText, TellsOfValues) {
  RunEncoder encoder;
  model::Message value{.destination = model::Destination::topic("a"),
                       .payload = as_bytes("1"),
                       .retain = true,
                       .version = 4,
                       .expires_at = Instant{std::chrono::milliseconds{17}}};
  EXPECT_EQ(text_of(encoder.encode_value(value, {})),
            "3:4160 value \"a\" at most once, 1 octets, retain, expires at 17 ms, version 4");
  value.payload = {};
  EXPECT_EQ(text_of(encoder.encode_value(value, {})), "3:4160 value \"a\" cleared");
  const FullMessage full;
  EXPECT_EQ(text_of(encoder.encode_value(full.message, {})),
            "3:4160 value \"amq.topic\" \"a.b\" exactly once, 2 octets, retain, expires at "
            "14400000 ms, content type \"text/plain\", property \"a\", property \"a\", property "
            "\"\", property \"int\", property \"min\", property \"max\", property \"number\", "
            "property \"yes\", property \"octets\", version 18446744073709551615");
}

TEST(RecordText, TellsOfSettlementsAndStates) {
  Scratch scratch;
  const std::vector<Settled> settled{{5, 1, 1}, {5, 3, 900}};
  EXPECT_EQ(text_of(draft_settled(settled, scratch)), "3:4160 settled 5:1 5:3-900");
  const std::vector<Released> released{{9, 8}};
  EXPECT_EQ(text_of(draft_released(released, scratch)), "3:4160 released 9:8");
  const std::vector<Closed> closed{{core::exchange_of(9, 8)}};
  EXPECT_EQ(text_of(draft_closed(closed, scratch)), "3:4160 closed 9/8");
  StateWriter state;
  state.begin({.shard = 1, .boot = 500, .segment = 3});
  state.add(
      {.queue = 9,
       .floor = 7,
       .next = 100,
       .settled = {{8, 8}, {12, 50}},
       .released = {7},
       .exchanges = {{.packet_id = 3, .complete = true}, {.packet_id = 4, .queues = {2, 9}}}});
  EXPECT_EQ(text_of(state.draft(true)),
            "3:4160 state of shard 1 at segment 3, boot 500, complete; 9: floor 7 next 100 settled "
            "8 settled 12-50 released 7 open 3 open 4 at 2 9");
  const std::uint8_t generation[] = {0x85, 0x01};
  EXPECT_EQ(text_of(make_draft(RecordKind::kMetadata, generation)),
            "3:4160 metadata generation 133");
}

TEST(RecordText, SaysWhatCannotBeUnderstood) {
  const std::uint8_t strange[] = {0xff};
  for (const auto& [kind, text] :
       {std::pair{RecordKind::kMessage, "message"}, std::pair{RecordKind::kValue, "value"},
        std::pair{RecordKind::kSettled, "settled"}, std::pair{RecordKind::kReleased, "released"},
        std::pair{RecordKind::kClosed, "closed"}, std::pair{RecordKind::kMetadata, "metadata"}}) {
    EXPECT_EQ(text_of(make_draft(kind, strange)),
              fmt::format("3:4160 {} cannot be understood", text));
  }
  EXPECT_TRUE(text_of(make_draft(RecordKind::kState, strange)).ends_with("cannot be understood"));
  EXPECT_EQ(text_of(make_draft(static_cast<RecordKind>(99), strange)),
            "3:4160 record of kind 99, which a later release knows, 1 octets");
}

TEST(RecordText, TellsOfTheMetadata) {
  const RecordText text(false);
  std::vector<std::string> lines;
  for (const core::Change& change : full_changes()) lines.push_back(text.write(change));
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_TRUE(
      lines[0].starts_with("subscriber 1 \"kitchen\", of user \"anna\", away, stays for "
                           "ever, ends at 25200000 ms, will \"amq.topic\" \"a.b\" exactly "
                           "once, 2 octets"))
      << lines[0];
  EXPECT_EQ(lines[1],
            "subscription of 1 to \"a/+/#\", exactly once, id 268435455, no-local, "
            "retain-as-published, retained never");
  EXPECT_TRUE(lines[2].starts_with("group 2 \"\"")) << lines[2];
  EXPECT_EQ(lines[3],
            "declaration of \"t\", resource type \"core.ps.data\", content type \"text/plain\", "
            "topic type \"temperature\", expires -9223372036854775808, at most 4294967295 "
            "subscribers, observers checked each 0 s");
}

TEST(Dump, ShowsEveryRowAndRecordAndWhatIsDamaged) {
  testkit::FaultyDisk disk(5);
  SampleStore(disk, 5).live(150);
  const auto dump = [&](const DumpOptions& options) {
    std::vector<std::string> lines;
    EXPECT_TRUE(dump_store(disk, "/there", options, [&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    }));
    return lines;
  };
  const auto count = [](const std::vector<std::string>& lines, std::string_view text) {
    return std::ranges::count_if(lines,
                                 [text](const std::string& line) { return line.contains(text); });
  };
  const auto all = dump({});
  const auto metadata = dump({.log = false});
  const auto log = dump({.metadata = false});
  EXPECT_EQ(all.size(), metadata.size() + log.size());
  EXPECT_GT(count(log, " message "), 20);
  EXPECT_GT(count(log, " state of shard "), 0);
  EXPECT_GT(count(metadata, "subscription of "), 3);
  EXPECT_EQ(count(all, "damaged"), 0);

  const auto octets = disk.octets_of(segment_name(1));
  disk.flip_bit(segment_name(1), kRecordsBegin + kFrameOctets, 0);        // the first record
  disk.overwrite(segment_name(1), octets.size(), as_bytes("behind it"));  // and behind the last
  const auto damaged = dump({.metadata = false});
  EXPECT_EQ(count(damaged, "1:4160 damaged: "), 1);
  EXPECT_EQ(count(damaged, fmt::format("1:{} damaged: 9 octets", octets.size())), 1);
  EXPECT_EQ(damaged.size(), log.size() + 1) << "two places, and one record less";
}

}  // namespace
}  // namespace hermod::store
