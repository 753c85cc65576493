// SPDX-License-Identifier: Apache-2.0
// A record of the log: a frame of 16 octets, then the body. The frame's checksum covers the body,
// the frame, the record's place and a secret key of its segment: no stale or misplaced octets and
// no payload that looks like a record is ever taken for one. What the bodies say is told in
// message_record.hpp, settlement_records.hpp and state_record.hpp; docs/formats/log.md tells all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "hermod/base/bytes.hpp"
#include "hermod/model/message.hpp"

namespace hermod::store {

using model::Position;

/// Numbers on the disk: never reused for something else.
enum class RecordKind : std::uint8_t {
  kMessage = 1,
  kValue = 2,
  kSettled = 3,
  kReleased = 4,
  kClosed = 5,
  kState = 6,
  kMetadata = 7,  // body: varint, Metadata::generation() that was safe before the record
};

/// Version of the bodies that this release writes; it reads those up to it.
inline constexpr std::uint8_t kBodyVersion = 1;

inline constexpr std::size_t kFrameOctets = 16;
inline constexpr std::size_t kRecordAlignment = 8;
/// More than any packet of a protocol.
inline constexpr std::size_t kBodyOctetsMax = std::size_t{1} << 30;

/// A record that is not yet in the log. The body is both pieces, one behind the other; borrowed.
struct Draft {
  RecordKind kind{};
  /// Times that its place is referred to, see MessageLog::let_go().
  std::uint32_t references = 0;
  Bytes front;
  Bytes payload;
  std::uint64_t hash = 0;  ///< hash_of(front, payload), so that it is taken outside of locks

  [[nodiscard]] std::size_t body_octets() const { return front.size() + payload.size(); }
};

/// XXH3 of the octets one behind the other.
[[nodiscard]] std::uint64_t hash_of(Bytes front, Bytes payload = {});

[[nodiscard]] Draft make_draft(RecordKind kind, Bytes front, Bytes payload = {},
                               std::uint32_t references = 0);

/// A whole record; the body is borrowed. A kind that this release does not know has been written by
/// a later one which found that it may be skipped.
struct RecordView {
  Position position = 0;
  RecordKind kind{};
  std::uint8_t version = 0;
  Bytes body;
};

/// Octets of a record in the log, with frame and padding.
[[nodiscard]] constexpr std::uint64_t record_octets(std::uint64_t body_octets) {
  return (kFrameOctets + body_octets + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

struct Frame {
  std::uint32_t body_octets = 0;
  std::uint8_t kind = 0;
  std::uint8_t version = 0;
};

/// Writes the 16 octets in front of the body whose hash is given.
void write_frame(std::uint8_t* out, const Frame& frame, std::uint64_t key, Position position,
                 std::uint64_t body_hash);
/// The frame at `at`, kFrameOctets long, if it is one as far as can be told without the body.
[[nodiscard]] std::optional<Frame> read_frame(const std::uint8_t* at, std::uint64_t key,
                                              Position position);
/// Whether the body behind the frame, as long as the frame says, is what was written.
[[nodiscard]] bool is_whole(const std::uint8_t* at, const Frame& frame, std::uint64_t key,
                            Position position);

/// Bijective; every bit of the result depends on every bit of the word.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t word) {
  word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
  word = (word ^ word >> 27) * 0x94d049bb133111ebu;
  return word ^ word >> 31;
}

}  // namespace hermod::store
