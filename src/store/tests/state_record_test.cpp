// SPDX-License-Identifier: Apache-2.0
#include "state_record.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hermod/testkit/allocations.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::store {
namespace {

RecordView state_view(Bytes body, std::uint8_t version = kBodyVersion) {
  return {.position = 0, .kind = RecordKind::kState, .version = version, .body = body};
}

std::vector<core::Standing> all_of(StateReader& reader) {
  std::vector<core::Standing> states;
  while (reader.next()) states.push_back(reader.standing());
  return states;
}

const std::vector<core::Standing> kStates{
    {.queue = 4, .floor = 10, .next = 10},
    {.queue = 900,
     .floor = 7,
     .next = 1'000,
     .settled = {{8, 8}, {12, 500}, {999, 999}},
     .released = {7, 9, 900},
     .exchanges = {{.packet_id = 65'535, .complete = true},
                   {.packet_id = 1},
                   {.packet_id = 300, .queues = {900, 4, UINT64_MAX}}}},
    {.queue = 3, .floor = 0, .next = UINT64_MAX, .settled = {{1, UINT64_MAX}}}};

TEST(StateRecord, RoundTrip) {
  StateWriter writer;
  writer.begin({.shard = 3, .boot = 1'000'000'007, .segment = UINT32_MAX});
  for (const core::Standing& state : kStates) writer.add(state);
  for (const bool complete : {false, true, false}) {
    const Draft draft = writer.draft(complete);
    EXPECT_EQ(draft.kind, RecordKind::kState);
    EXPECT_EQ(draft.front.size(), writer.octets());
    StateReader reader(state_view(draft.front));
    EXPECT_EQ(reader.checkpoint(),
              (Checkpoint{
                  .shard = 3, .boot = 1'000'000'007, .segment = UINT32_MAX, .complete = complete}));
    EXPECT_EQ(all_of(reader), kStates);
    EXPECT_TRUE(reader.ok());
  }
}

TEST(StateRecord, ASecondRecordKnowsNothingOfTheFirst) {
  StateWriter writer;
  writer.begin({.shard = 1, .boot = 2, .segment = 3});
  writer.add(kStates[1]);
  writer.begin({.shard = 1, .boot = 2, .segment = 3});
  writer.add(kStates[0]);
  StateReader reader(state_view(writer.draft(true).front));
  EXPECT_EQ(all_of(reader), std::vector{kStates[0]});
}

TEST(StateRecord, OneWithoutQueuesSaysThatAllIsSaid) {
  StateWriter writer;
  writer.begin({.shard = 1, .boot = 2, .segment = 3});
  StateReader reader(state_view(writer.draft(true).front));
  EXPECT_TRUE(reader.checkpoint().complete);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.ok());
}

TEST(StateRecord, ProperPrefixesFailOrEndBetweenQueues) {
  StateWriter writer;
  writer.begin({.shard = 1, .boot = 2, .segment = 3});
  std::vector<std::size_t> ends{writer.octets()};
  for (const core::Standing& state : kStates) {
    writer.add(state);
    ends.push_back(writer.octets());
  }
  const Bytes body = writer.draft(true).front;
  for (std::size_t size = 0; size <= body.size(); ++size) {
    StateReader reader(state_view(body.first(size)));
    const auto end = std::ranges::find(ends, size);
    const std::size_t whole = all_of(reader).size();
    EXPECT_EQ(reader.ok(), end != ends.end()) << size;
    if (end != ends.end()) {
      EXPECT_EQ(whole, static_cast<std::size_t>(end - ends.begin()));
    }
  }
}

TEST(StateRecord, DeclaredLengthsAllocateNothing) {
  // A queue with 2^63 settled ranges, released tags, exchanges or queues of one, of which none is
  // there.
  for (const char* const body :
       {"00 01 02 03 08 0a 00 80*9 01", "00 01 02 03 08 0a 00 00 80*9 01",
        "00 01 02 03 08 0a 00 00 00 80*9 01", "00 01 02 03 08 0a 00 00 00 01 05 00 80*9 01"}) {
    const auto octets = testkit::octets(body);
    const std::size_t before = testkit::allocation_count();
    StateReader reader(state_view(octets));
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(testkit::allocation_count() - before, 0u) << body;
  }
}

TEST(StateRecord, WhatIsNotUnderstoodIsNotRead) {
  const auto octets = testkit::octets("02 01 02 03");  // a flag that nobody has given a meaning
  EXPECT_FALSE(StateReader(state_view(octets)).ok());
  const auto whole = testkit::octets("01 01 02 03");
  EXPECT_TRUE(StateReader(state_view(whole)).ok());
  EXPECT_FALSE(StateReader(state_view(whole, kBodyVersion + 1)).ok());
}

}  // namespace
}  // namespace hermod::store
