// SPDX-License-Identifier: Apache-2.0
// One file of the log: a header, twice, then records up to its end. Positions name a segment and an
// offset in it. docs/formats/log.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/store/disk.hpp"
#include "record.hpp"

namespace hermod::store {

/// From 1, ascending; 0: none.
using SegmentNumber = std::uint32_t;

[[nodiscard]] constexpr Position position_of(SegmentNumber segment, std::uint64_t offset) {
  return std::uint64_t{segment} << 32 | offset;
}
[[nodiscard]] constexpr SegmentNumber segment_of(Position position) {
  return static_cast<SegmentNumber>(position >> 32);
}
[[nodiscard]] constexpr std::uint64_t offset_of(Position position) {
  return position & UINT32_MAX;
}

/// "log-" and 16 hexadecimal digits.
[[nodiscard]] std::string segment_name(SegmentNumber number);
/// The number in such a name; nothing when it is another name.
[[nodiscard]] std::optional<SegmentNumber> segment_number(std::string_view name);

/// Version of the format that this release writes; it reads those up to it.
inline constexpr std::uint32_t kFormatVersion = 1;
/// The second copy of the header lies in another unit of the disk than the first.
inline constexpr std::size_t kHeaderOctets = 64;
inline constexpr std::size_t kSecondHeader = 4096;
inline constexpr std::uint64_t kRecordsBegin = kSecondHeader + kHeaderOctets;

struct SegmentHeader {
  std::uint32_t format = kFormatVersion;
  SegmentNumber number = 0;
  std::uint64_t store_key = 0;  ///< the same in all segments of a store; random, secret
  std::uint64_t salt = 0;       ///< of this segment alone; random, secret

  /// What the checksums of its records are made with.
  [[nodiscard]] std::uint64_t record_key() const { return mix(store_key ^ mix(salt)); }
  bool operator==(const SegmentHeader&) const = default;
};

/// What stands in front of the first record: both copies.
[[nodiscard]] std::array<std::uint8_t, kRecordsBegin> header_octets(const SegmentHeader& header);

struct HeaderError {
  enum class Kind : std::uint8_t {
    kDisk,
    kBlank,    ///< the file was made, but no record has reached the disk, or no header
    kDamaged,  ///< neither copy can be read
  };
  Kind kind = Kind::kDamaged;
  int error = 0;  ///< kDisk: the system's number
};
/// The header of the file that should be `number`. One of a later format is read, too: it is for
/// the caller to refuse it.
[[nodiscard]] std::expected<SegmentHeader, HeaderError> read_header(File& file,
                                                                    SegmentNumber number);

/// Octets that are no record though they lie between records, or behind the last one.
struct Damage {
  Position position = 0;
  std::uint64_t octets = 0;
  bool operator==(const Damage&) const = default;
};

/// At most so many are listed; all are counted.
inline constexpr std::size_t kDamageListedMax = 64;

struct Scanned {
  std::uint64_t records = 0;
  std::uint64_t damaged = 0;          ///< ranges, without what is behind the last whole record
  std::uint64_t damaged_octets = 0;   ///< of them
  std::vector<Damage> damage;         ///< the first of them
  std::uint64_t end = kRecordsBegin;  ///< behind the last whole record
  std::uint64_t size = 0;             ///< of the file; it is not smaller than `end`
  std::uint64_t written = 0;          ///< behind its last octet that is not zero

  /// Octets behind the last whole record of the last segment, without the zeros at its end: a
  /// record that was being written.
  [[nodiscard]] std::uint64_t torn_octets() const { return written > end ? written - end : 0; }
};

using RecordVisitor = std::function<void(const RecordView&)>;

/// Reads all records of a segment, in order. After damage it goes on at the next whole record. The
/// views are valid during the call. An error is the system's number.
[[nodiscard]] std::expected<Scanned, int> scan_segment(File& file, const SegmentHeader& header,
                                                       const RecordVisitor& visitor);

}  // namespace hermod::store
