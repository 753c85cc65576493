// SPDX-License-Identifier: Apache-2.0
#include "batch.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace hermod::store {

std::vector<Bytes> Batch::pieces(const Part& part) const {
  std::vector<Bytes> pieces;
  std::size_t at = part.begin;
  for (std::size_t left = part.octets; left > 0;) {
    const std::size_t in_chunk = at % kChunkOctets;
    const std::size_t count = std::min(left, kChunkOctets - in_chunk);
    pieces.emplace_back(chunks_[at / kChunkOctets].get() + in_chunk, count);
    at += count;
    left -= count;
  }
  return pieces;
}

void Batch::put(const SegmentHeader& segment, std::uint64_t offset, const Draft& draft) {
  if (parts_.empty() || parts_.back().segment.number != segment.number) {
    parts_.push_back({.segment = segment, .offset = offset, .begin = octets_});
  }
  const std::size_t body = draft.body_octets();
  const std::size_t octets = record_octets(body);
  std::array<std::uint8_t, kFrameOctets> frame;
  write_frame(frame.data(),
              {.body_octets = static_cast<std::uint32_t>(body),
               .kind = static_cast<std::uint8_t>(draft.kind),
               .version = kBodyVersion},
              segment.record_key(), position_of(segment.number, offset), draft.hash);
  static constexpr std::array<std::uint8_t, kRecordAlignment> kPadding{};
  put_octets(frame);
  put_octets(draft.front);
  put_octets(draft.payload);
  put_octets(Bytes(kPadding).first(octets - kFrameOctets - body));
  parts_.back().octets += octets;
}

void Batch::put_octets(Bytes octets) {
  while (!octets.empty()) {
    const std::size_t in_chunk = octets_ % kChunkOctets;
    if (octets_ / kChunkOctets == chunks_.size()) {
      chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kChunkOctets));
    }
    const std::size_t count = std::min(octets.size(), kChunkOctets - in_chunk);
    std::memcpy(chunks_[octets_ / kChunkOctets].get() + in_chunk, octets.data(), count);
    octets_ += count;
    octets = octets.subspan(count);
  }
}

void Batch::clear() {
  if (chunks_.size() > kChunksKept) chunks_.resize(kChunksKept);
  parts_.clear();
  octets_ = 0;
  joined = 0;
}

}  // namespace hermod::store
