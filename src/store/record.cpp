// SPDX-License-Identifier: Apache-2.0
#include "record.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "hermod/base/assert.hpp"
#include "varint.hpp"

namespace hermod::store {
namespace {

constexpr std::size_t kCheckAt = 6;
constexpr std::size_t kChecksumAt = 8;

// What only a frame at this place of this segment has: unknown to who does not know the key.
std::uint64_t mark_of(const Frame& frame, std::uint64_t key, Position position) {
  const std::uint64_t word = std::uint64_t{frame.body_octets} | std::uint64_t{frame.kind} << 32 |
                             std::uint64_t{frame.version} << 40;
  return mix(mix(mix(position) ^ key) ^ word);
}

std::uint16_t check_of(std::uint64_t mark) {
  return static_cast<std::uint16_t>(mark >> 48);
}

std::uint64_t checksum_of(std::uint64_t mark, std::uint64_t body_hash) {
  return mix(mark + body_hash);
}

}  // namespace

std::uint64_t hash_of(Bytes front, Bytes payload) {
  if (payload.empty()) return XXH3_64bits(front.data(), front.size());
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, front.data(), front.size());
  XXH3_64bits_update(&state, payload.data(), payload.size());
  return XXH3_64bits_digest(&state);
}

Draft make_draft(RecordKind kind, Bytes front, Bytes payload, std::uint32_t references) {
  HERMOD_ASSERT(front.size() + payload.size() <= kBodyOctetsMax);
  return {.kind = kind,
          .references = references,
          .front = front,
          .payload = payload,
          .hash = hash_of(front, payload)};
}

void write_frame(std::uint8_t* out, const Frame& frame, std::uint64_t key, Position position,
                 std::uint64_t body_hash) {
  const std::uint64_t mark = mark_of(frame, key, position);
  out = put_fixed(out, frame.body_octets);
  out = put_fixed(out, frame.kind);
  out = put_fixed(out, frame.version);
  out = put_fixed(out, check_of(mark));
  put_fixed(out, checksum_of(mark, body_hash));
}

std::optional<Frame> read_frame(const std::uint8_t* at, std::uint64_t key, Position position) {
  const Frame frame{.body_octets = get_fixed<std::uint32_t>(at), .kind = at[4], .version = at[5]};
  const auto check = get_fixed<std::uint16_t>(at + kCheckAt);
  if (frame.kind == 0 || frame.body_octets > kBodyOctetsMax ||
      check != check_of(mark_of(frame, key, position))) {
    return std::nullopt;
  }
  return frame;
}

bool is_whole(const std::uint8_t* at, const Frame& frame, std::uint64_t key, Position position) {
  const std::uint64_t hash = hash_of({at + kFrameOctets, frame.body_octets});
  return get_fixed<std::uint64_t>(at + kChecksumAt) ==
         checksum_of(mark_of(frame, key, position), hash);
}

}  // namespace hermod::store
