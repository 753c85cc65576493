// SPDX-License-Identifier: Apache-2.0
#include "settlement_records.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::store {
namespace {

RecordView view_of(Bytes body, std::uint8_t version = kBodyVersion) {
  return {.position = 0, .kind = RecordKind::kSettled, .version = version, .body = body};
}

template <typename Item>
std::vector<Item> all_of(const RecordView& record, bool ok = true) {
  std::vector<Item> items;
  ItemReader<Item> reader(record);
  while (reader.next()) items.push_back(reader.item());
  EXPECT_EQ(reader.ok(), ok);
  return items;
}

TEST(SettlementRecords, RoundTrip) {
  Scratch scratch;
  const std::vector<Settled> settled{{.queue = 5, .first = 1, .last = 1},
                                     {.queue = 5, .first = 3, .last = 900},
                                     {.queue = 2, .first = 0, .last = 0},
                                     {.queue = UINT64_MAX, .first = UINT64_MAX, .last = UINT64_MAX},
                                     {.queue = 1, .first = 0, .last = UINT64_MAX}};
  const Draft draft = draft_settled(settled, scratch);
  EXPECT_EQ(draft.kind, RecordKind::kSettled);
  EXPECT_EQ(all_of<Settled>(view_of(draft.front)), settled);

  const std::vector<Released> released{{.queue = 9, .tag = 8}, {.queue = 9, .tag = UINT64_MAX}};
  EXPECT_EQ(draft_released(released, scratch).kind, RecordKind::kReleased);
  EXPECT_EQ(all_of<Released>(view_of(draft_released(released, scratch).front)), released);

  const std::vector<Closed> closed{{core::exchange_of(9, 1)}, {core::exchange_of(8, 65'535)}};
  EXPECT_EQ(draft_closed(closed, scratch).kind, RecordKind::kClosed);
  EXPECT_EQ(all_of<Closed>(view_of(draft_closed(closed, scratch).front)), closed);
}

TEST(SettlementRecords, NeighbouringRangesAreShort) {
  Scratch scratch;
  std::vector<Settled> settled;
  for (model::Tag tag = 1'000'000; settled.size() < 100; tag += 5) {
    settled.push_back({.queue = 70'000, .first = tag, .last = tag + 3});
  }
  EXPECT_LE(draft_settled(settled, scratch).front.size(), 100 * 3 + 10);
}

TEST(SettlementRecords, EachProperPrefixFailsOrEndsBetweenItems) {
  Scratch scratch;
  const std::vector<Released> released{{.queue = 300, .tag = 500}, {.queue = 300'000, .tag = 1}};
  const Draft draft = draft_released(released, scratch);
  for (std::size_t size = 1; size < draft.front.size(); ++size) {
    if (size == 4) continue;  // the end of the first
    all_of<Released>(view_of(draft.front.first(size)), false);
  }
  EXPECT_EQ(all_of<Released>(view_of(draft.front.first(4))).size(), 1u);
}

TEST(SettlementRecords, ARangeThatGoesPastTheLastTagFails) {
  const auto body = testkit::octets("02 01 ff*9 01");  // first is -1, that is the last tag there is
  EXPECT_TRUE(all_of<Settled>(view_of(body), false).empty());
}

TEST(SettlementRecords, ALaterVersionIsNotRead) {
  Scratch scratch;
  const std::vector<Closed> closed{{core::exchange_of(9, 1)}};
  const Draft draft = draft_closed(closed, scratch);
  EXPECT_TRUE(all_of<Closed>(view_of(draft.front, kBodyVersion + 1), false).empty());
}

}  // namespace
}  // namespace hermod::store
