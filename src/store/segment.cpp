// SPDX-License-Identifier: Apache-2.0
#include "segment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "varint.hpp"
#include "window.hpp"

namespace hermod::store {
namespace {

constexpr std::string_view kNamePrefix = "log-";
constexpr std::size_t kNameDigits = 16;
constexpr std::string_view kMagic = "HERMODLG";
constexpr std::size_t kFormatAt = 8;
constexpr std::size_t kStoreKeyAt = 16;
constexpr std::size_t kNumberAt = 24;
constexpr std::size_t kSaltAt = 32;
constexpr std::size_t kHeaderChecksumAt = 56;

// What one read takes: large enough that the system calls do not matter.
constexpr std::size_t kBlockOctets = 1u << 20;

void put_header(std::uint8_t* out, const SegmentHeader& header) {
  put_octets(out, as_bytes(kMagic));
  put_fixed(out + kFormatAt, header.format);
  put_fixed(out + kStoreKeyAt, header.store_key);
  put_fixed(out + kNumberAt, std::uint64_t{header.number});
  put_fixed(out + kSaltAt, header.salt);
  put_fixed(out + kHeaderChecksumAt, hash_of({out, kHeaderChecksumAt}));
}

std::optional<SegmentHeader> get_header(Bytes copy, SegmentNumber number) {
  const std::uint8_t* const at = copy.data();
  if (copy.size() < kHeaderOctets || as_text(copy.first(kMagic.size())) != kMagic ||
      get_fixed<std::uint64_t>(at + kHeaderChecksumAt) != hash_of({at, kHeaderChecksumAt}) ||
      get_fixed<std::uint64_t>(at + kNumberAt) != number) {
    return std::nullopt;
  }
  return SegmentHeader{.format = get_fixed<std::uint32_t>(at + kFormatAt),
                       .number = number,
                       .store_key = get_fixed<std::uint64_t>(at + kStoreKeyAt),
                       .salt = get_fixed<std::uint64_t>(at + kSaltAt)};
}

// One way through a segment.
class Scan {
 public:
  Scan(File& file, const SegmentHeader& header, const RecordVisitor& visitor)
      : file_(file), number_(header.number), key_(header.record_key()), visitor_(visitor) {}

  std::expected<Scanned, int> run() {
    const auto size = file_.size();
    if (!size) return std::unexpected(size.error());
    // Positions have 32 bits for the offset.
    scanned_.size = std::min<std::uint64_t>(*size, UINT32_MAX);
    ahead_ = static_cast<std::size_t>(std::min<std::uint64_t>(scanned_.size, kBlockOctets));
    std::uint64_t offset = kRecordsBegin;
    while (offset + kFrameOctets <= scanned_.size) {
      const auto taken = take(offset);
      if (!taken) return std::unexpected(taken.error());
      if (*taken == 0) {
        if (const int error = note_written(offset)) return std::unexpected(error);
      }
      offset += *taken != 0 ? *taken : kRecordAlignment;
    }
    for (; offset < scanned_.size; offset += kRecordAlignment) {
      if (const int error = note_written(offset)) return std::unexpected(error);
    }
    scanned_.size = std::max(*size, scanned_.end);
    return std::move(scanned_);
  }

 private:
  // Octets of the record at `offset`, which has been visited; 0: there is none.
  std::expected<std::uint64_t, int> take(std::uint64_t offset) {
    auto octets = window_.at(file_, offset, kFrameOctets, ahead_);
    if (!octets) return std::unexpected(octets.error());
    if (octets->size() < kFrameOctets) return 0;
    const Position position = position_of(number_, offset);
    const auto frame = read_frame(octets->data(), key_, position);
    if (!frame || offset + kFrameOctets + frame->body_octets > scanned_.size) return 0;
    const std::size_t whole = kFrameOctets + frame->body_octets;
    if (octets->size() < whole) octets = window_.at(file_, offset, whole, ahead_);
    if (!octets) return std::unexpected(octets.error());
    if (octets->size() < whole || !is_whole(octets->data(), *frame, key_, position)) return 0;
    note_damage_before(offset);
    visitor_({.position = position,
              .kind = static_cast<RecordKind>(frame->kind),
              .version = frame->version,
              .body = octets->subspan(kFrameOctets, frame->body_octets)});
    ++scanned_.records;
    scanned_.end = offset + record_octets(frame->body_octets);
    return scanned_.end - offset;
  }

  // Looks at kRecordAlignment octets that begin no record, or at what is left of the file. 0, or
  // the system's number.
  int note_written(std::uint64_t offset) {
    const auto octets = window_.at(file_, offset, kRecordAlignment, ahead_);
    if (!octets) return octets.error();
    for (std::size_t i = 0; i < std::min(octets->size(), kRecordAlignment); ++i) {
      if ((*octets)[i] != 0) scanned_.written = offset + i + 1;
    }
    return 0;
  }

  void note_damage_before(std::uint64_t offset) {
    if (offset == scanned_.end) return;
    const Damage damage{position_of(number_, scanned_.end), offset - scanned_.end};
    ++scanned_.damaged;
    scanned_.damaged_octets += damage.octets;
    if (scanned_.damage.size() < kDamageListedMax) scanned_.damage.push_back(damage);
  }

  File& file_;
  const SegmentNumber number_;
  const std::uint64_t key_;
  const RecordVisitor& visitor_;
  std::size_t ahead_ = 0;
  Window window_;
  Scanned scanned_;
};

}  // namespace

std::string segment_name(SegmentNumber number) {
  return fmt::format("{}{:0{}x}", kNamePrefix, number, kNameDigits);
}

std::optional<SegmentNumber> segment_number(std::string_view name) {
  SegmentNumber number = 0;
  if (name.size() != kNamePrefix.size() + kNameDigits) return std::nullopt;
  const std::string_view digits = name.substr(kNamePrefix.size());
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  // Nothing but the one name that a number has.
  if (read.ec != std::errc{} || number == 0 || segment_name(number) != name) return std::nullopt;
  return number;
}

std::array<std::uint8_t, kRecordsBegin> header_octets(const SegmentHeader& header) {
  std::array<std::uint8_t, kRecordsBegin> octets{};
  put_header(octets.data(), header);
  put_header(octets.data() + kSecondHeader, header);
  return octets;
}

std::expected<SegmentHeader, HeaderError> read_header(File& file, SegmentNumber number) {
  std::array<std::uint8_t, kRecordsBegin> octets{};
  const auto got = file.read(0, octets);
  if (!got) return std::unexpected(HeaderError{HeaderError::Kind::kDisk, got.error()});
  const Bytes read = Bytes(octets).first(*got);
  for (const std::size_t copy : {std::size_t{0}, kSecondHeader}) {
    if (read.size() < copy + kHeaderOctets) continue;
    if (const auto header = get_header(read.subspan(copy, kHeaderOctets), number)) return *header;
  }
  const bool blank = read.size() < kRecordsBegin ||
                     std::ranges::all_of(read, [](std::uint8_t octet) { return octet == 0; });
  return std::unexpected(
      HeaderError{blank ? HeaderError::Kind::kBlank : HeaderError::Kind::kDamaged, 0});
}

std::expected<Scanned, int> scan_segment(File& file, const SegmentHeader& header,
                                         const RecordVisitor& visitor) {
  return Scan(file, header, visitor).run();
}

}  // namespace hermod::store
