// SPDX-License-Identifier: Apache-2.0
#include "state_record.hpp"

#include <utility>

#include "hermod/base/assert.hpp"

namespace hermod::store {
namespace {

constexpr std::uint8_t kComplete = 0x01;

}  // namespace

void StateWriter::begin(const Checkpoint& checkpoint) {
  scratch_.clear();
  before_ = 0;
  std::uint8_t* out = scratch_.room(1 + 3 * kVarintMax);
  *out++ = 0;  // draft() writes it
  out = put_varint(out, checkpoint.shard);
  out = put_varint(out, checkpoint.boot);
  scratch_.keep_to(put_varint(out, checkpoint.segment));
}

void StateWriter::add(const core::Standing& standing) {
  HERMOD_ASSERT(standing.floor <= standing.next);
  std::size_t numbers = 6 + 2 * standing.settled.size() + standing.released.size();
  for (const core::OpenExchange& open : standing.exchanges) numbers += 2 + open.queues.size();
  std::uint8_t* out = scratch_.room(numbers * kVarintMax);
  out = put_delta(out, before_, standing.queue);
  before_ = standing.queue;
  out = put_varint(out, standing.floor);
  out = put_varint(out, standing.next - standing.floor);
  out = put_varint(out, standing.settled.size());
  model::Tag at = standing.floor;
  for (const core::TagRange& range : standing.settled) {
    HERMOD_ASSERT(at <= range.first && range.first <= range.last);
    out = put_varint(out, range.first - at);
    out = put_varint(out, range.last - range.first);
    at = range.last;
  }
  out = put_varint(out, standing.released.size());
  at = standing.floor;
  for (const model::Tag tag : standing.released) {
    HERMOD_ASSERT(at <= tag);
    out = put_varint(out, tag - at);
    at = tag;
  }
  out = put_varint(out, standing.exchanges.size());
  for (const core::OpenExchange& open : standing.exchanges) {
    out = put_fixed(out, open.packet_id);
    out = put_varint(out, open.complete ? 0 : 1 + open.queues.size());
    core::QueueId before = 0;
    for (const core::QueueId queue : open.queues)
      out = put_delta(out, std::exchange(before, queue), queue);
  }
  scratch_.keep_to(out);
}

Draft StateWriter::draft(bool complete) {
  HERMOD_ASSERT(scratch_.size() != 0);
  scratch_.front() = complete ? kComplete : std::uint8_t{0};
  return make_draft(RecordKind::kState, scratch_.bytes());
}

StateReader::StateReader(const RecordView& record) : cursor_(record.body) {
  const std::uint8_t flags = cursor_.u8();
  checkpoint_.complete = flags == kComplete;
  checkpoint_.shard = static_cast<std::uint32_t>(cursor_.varint_to(UINT32_MAX));
  checkpoint_.boot = cursor_.varint();
  checkpoint_.segment = static_cast<std::uint32_t>(cursor_.varint_to(UINT32_MAX));
  if (record.version > kBodyVersion || flags > kComplete) cursor_.fail();
}

bool StateReader::next() {
  if (cursor_.at_end()) return false;
  standing_.queue = cursor_.delta(standing_.queue);
  standing_.floor = cursor_.varint();
  standing_.next = standing_.floor + cursor_.varint_to(~standing_.floor);
  read_settled();
  read_released();
  read_exchanges();
  return cursor_.ok();
}

// The lists grow with what is read, whatever number of entries is declared.
void StateReader::read_settled() {
  standing_.settled.clear();
  model::Tag at = standing_.floor;
  for (std::uint64_t left = cursor_.varint(); left > 0 && cursor_.ok(); --left) {
    core::TagRange range;
    range.first = at + cursor_.varint_to(~at);
    range.last = range.first + cursor_.varint_to(~range.first);
    at = range.last;
    if (cursor_.ok()) standing_.settled.push_back(range);
  }
}

void StateReader::read_released() {
  standing_.released.clear();
  model::Tag at = standing_.floor;
  for (std::uint64_t left = cursor_.varint(); left > 0 && cursor_.ok(); --left) {
    at += cursor_.varint_to(~at);
    if (cursor_.ok()) standing_.released.push_back(at);
  }
}

void StateReader::read_exchanges() {
  standing_.exchanges.clear();
  for (std::uint64_t left = cursor_.varint(); left > 0 && cursor_.ok(); --left) {
    core::OpenExchange open{.packet_id = cursor_.fixed<std::uint16_t>()};
    const std::uint64_t queues = cursor_.varint();
    open.complete = queues == 0;
    core::QueueId queue = 0;
    for (std::uint64_t more = queues; more > 1 && cursor_.ok(); --more) {
      queue = cursor_.delta(queue);
      if (cursor_.ok()) open.queues.push_back(queue);
    }
    if (cursor_.ok()) standing_.exchanges.push_back(std::move(open));
  }
}

}  // namespace hermod::store
