// SPDX-License-Identifier: Apache-2.0
#include "settlement_records.hpp"

#include "hermod/base/assert.hpp"

namespace hermod::store {
namespace {

std::uint8_t* put(std::uint8_t* out, const Settled& before, const Settled& item) {
  HERMOD_ASSERT(item.first <= item.last);
  out = put_delta(out, before.queue, item.queue);
  out = put_delta(out, before.last, item.first);
  return put_varint(out, item.last - item.first);
}

std::uint8_t* put(std::uint8_t* out, const Released& before, const Released& item) {
  return put_delta(put_delta(out, before.queue, item.queue), before.tag, item.tag);
}

std::uint8_t* put(std::uint8_t* out, const Closed& before, const Closed& item) {
  return put_delta(out, before.exchange, item.exchange);
}

template <typename Item>
Draft draft(RecordKind kind, std::span<const Item> items, Scratch& scratch) {
  const std::size_t begin = scratch.size();
  std::uint8_t* out = scratch.room(3 * kVarintMax * items.size());
  Item before{};
  for (const Item& item : items) {
    out = put(out, before, item);
    before = item;
  }
  scratch.keep_to(out);
  return make_draft(kind, scratch.bytes().subspan(begin));
}

}  // namespace

Draft draft_settled(std::span<const Settled> items, Scratch& scratch) {
  return draft(RecordKind::kSettled, items, scratch);
}

Draft draft_released(std::span<const Released> items, Scratch& scratch) {
  return draft(RecordKind::kReleased, items, scratch);
}

Draft draft_closed(std::span<const Closed> items, Scratch& scratch) {
  return draft(RecordKind::kClosed, items, scratch);
}

}  // namespace hermod::store
