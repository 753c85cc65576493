// SPDX-License-Identifier: Apache-2.0
#include "state_record.hpp"

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

void StateWriter::add(const QueueState& state) {
  HERMOD_ASSERT(state.floor <= state.next);
  const std::size_t numbers =
      6 + 2 * state.settled.size() + state.released.size() + state.packet_ids.size();
  std::uint8_t* out = scratch_.room(numbers * kVarintMax);
  out = put_delta(out, before_, state.queue);
  before_ = state.queue;
  out = put_varint(out, state.floor);
  out = put_varint(out, state.next - state.floor);
  out = put_varint(out, state.settled.size());
  model::Tag at = state.floor;
  for (const TagRange& range : state.settled) {
    HERMOD_ASSERT(at <= range.first && range.first <= range.last);
    out = put_varint(out, range.first - at);
    out = put_varint(out, range.last - range.first);
    at = range.last;
  }
  out = put_varint(out, state.released.size());
  at = state.floor;
  for (const model::Tag tag : state.released) {
    HERMOD_ASSERT(at <= tag);
    out = put_varint(out, tag - at);
    at = tag;
  }
  out = put_varint(out, state.packet_ids.size());
  for (const std::uint16_t id : state.packet_ids) out = put_fixed(out, id);
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
  state_.queue = cursor_.delta(state_.queue);
  state_.floor = cursor_.varint();
  state_.next = state_.floor + cursor_.varint_to(~state_.floor);
  read_settled();
  read_released();
  read_packet_ids();
  return cursor_.ok();
}

// The lists grow with what is read, whatever number of entries is declared.
void StateReader::read_settled() {
  state_.settled.clear();
  model::Tag at = state_.floor;
  for (std::uint64_t left = cursor_.varint(); left > 0 && cursor_.ok(); --left) {
    TagRange range;
    range.first = at + cursor_.varint_to(~at);
    range.last = range.first + cursor_.varint_to(~range.first);
    at = range.last;
    if (cursor_.ok()) state_.settled.push_back(range);
  }
}

void StateReader::read_released() {
  state_.released.clear();
  model::Tag at = state_.floor;
  for (std::uint64_t left = cursor_.varint(); left > 0 && cursor_.ok(); --left) {
    at += cursor_.varint_to(~at);
    if (cursor_.ok()) state_.released.push_back(at);
  }
}

void StateReader::read_packet_ids() {
  state_.packet_ids.clear();
  for (std::uint64_t left = cursor_.varint(); left > 0 && cursor_.ok(); --left) {
    const auto id = cursor_.fixed<std::uint16_t>();
    if (cursor_.ok()) state_.packet_ids.push_back(id);
  }
}

}  // namespace hermod::store
