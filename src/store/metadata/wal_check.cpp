// SPDX-License-Identifier: Apache-2.0
#include "wal_check.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "hermod/base/bytes.hpp"

namespace hermod::store {
namespace {

using Checked = std::expected<void, std::string>;

constexpr std::size_t kHeaderSize = 32;  // magic, format, page size, sequence, two salts, checksum
constexpr std::size_t kFrameHeaderSize = 24;  // page, size at commit, two salts, checksum
constexpr std::size_t kFrameSize = kFrameHeaderSize + kPageSize;
constexpr std::uint32_t kMagic =
    0x377f0682;  // the last bit: the words of a checksum are big-endian
constexpr std::size_t kSaltSize = 8;

std::uint32_t word_at(Bytes octets, std::size_t at, bool big_endian = true) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    word = word << 8 | octets[at + (big_endian ? i : 3 - i)];
  }
  return word;
}

// The two sums that run through header and frames.
struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  bool operator==(const Checksum&) const = default;

  void add(Bytes octets, bool big_endian) {
    for (std::size_t at = 0; at < octets.size(); at += 8) {
      first += word_at(octets, at, big_endian) + second;
      second += word_at(octets, at + 4, big_endian) + first;
    }
  }
  static Checksum at(Bytes octets, std::size_t at) {
    return {word_at(octets, at), word_at(octets, at + 4)};
  }
};

struct Header {
  Checksum stored;
  Checksum computed;
  bool big_endian = false;
  bool whole = false;
  std::array<std::uint8_t, kSaltSize> salt{};

  explicit Header(Bytes octets) : stored(Checksum::at(octets, 24)) {
    const std::uint32_t magic = word_at(octets, 0);
    big_endian = (magic & 1) != 0;
    computed.add(octets.first(24), big_endian);
    whole = (magic & ~1u) == kMagic && stored == computed;
    std::memcpy(salt.data(), octets.data() + 16, kSaltSize);
  }
};

// Whether `frame` comes after `before`, which then is the sum up to it.
bool continues(Checksum& before, Bytes frame, bool big_endian) {
  Checksum sum = before;
  sum.add(frame.first(8), big_endian);
  sum.add(frame.subspan(kFrameHeaderSize), big_endian);
  if (sum != Checksum::at(frame, 16)) return false;
  before = sum;
  return true;
}

// The header is synced before any frame is written: when there is a frame of this header, it was
// whole.
bool belongs(Bytes frame, const Header& header, Bytes header_octets) {
  for (const bool big_endian : {false, true}) {
    Checksum computed;
    computed.add(header_octets.first(24), big_endian);
    Checksum stored = header.stored;
    if (continues(stored, frame, big_endian) || continues(computed, frame, big_endian)) return true;
  }
  return false;
}

// Whether a frame says how many pages the database then has. Where a header was torn there may be
// anything; we never make the database smaller, so that no page lies behind its end.
bool ends_transaction(Bytes frame) {
  constexpr std::uint32_t kPagesMax = 1u << 24;
  const std::uint32_t page = word_at(frame, 0);
  const std::uint32_t pages = word_at(frame, 4);
  return page > 0 && page <= pages && pages <= kPagesMax;
}

// Looks at one frame after the other.
class Frames {
 public:
  explicit Frames(const Header& header) : header_(header), sum_(header.stored) {}

  // Whether this frame shows that one before it, or itself, was whole once and no longer is.
  bool shows_damage(Bytes frame) {
    const bool ours = std::memcmp(frame.data() + 8, header_.salt.data(), kSaltSize) == 0;
    if (!torn_ && ours && continues(sum_, frame, header_.big_endian)) return false;
    torn_ = true;
    if (!ours) return false;
    if (committed_) return true;
    committed_ = ends_transaction(frame);
    return false;
  }

 private:
  const Header& header_;
  Checksum sum_;
  bool torn_ = false;  // a frame was not whole
  bool committed_ =
      false;  // since then a transaction has ended: what follows was written behind it
};

std::unexpected<std::string> unreadable(int error) {
  return std::unexpected("its write-ahead log cannot be read: " +
                         std::generic_category().message(error));
}

}  // namespace

Checked check_wal(Disk& disk, std::string_view name) {
  const auto file = disk.open(name, Disk::Mode::kRead);
  if (!file && file.error() == ENOENT) return {};
  if (!file) return unreadable(file.error());
  (*file)->forget_memory();
  std::array<std::uint8_t, kHeaderSize> header_octets{};
  auto got = (*file)->read(0, header_octets);
  if (!got) return unreadable(got.error());
  if (*got < kHeaderSize) return {};
  const Header header(header_octets);
  Frames frames(header);
  std::array<std::uint8_t, kFrameSize> frame{};
  for (std::uint64_t at = kHeaderSize;; at += kFrameSize) {
    got = (*file)->read(at, frame);
    if (!got) return unreadable(got.error());
    if (*got < kFrameSize) return {};
    if (!header.whole) {
      if (!belongs(frame, header, header_octets)) return {};
      return std::unexpected("the header of its write-ahead log is not whole");
    }
    if (frames.shows_damage(frame)) {
      return std::unexpected("a transaction of its write-ahead log is not whole");
    }
  }
}

}  // namespace hermod::store
