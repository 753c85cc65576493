// SPDX-License-Identifier: Apache-2.0
// Options of a CoAP message: numbers and their properties (RFC 7252 §5.4, §5.10), the cursor that
// reads them out of borrowed octets (RFC 7252 §3.1) and the rules of their values. What a server
// recognises is its own business: the table here only says what the specifications define.
//
//   +-------+--------+------------------+------------------+-----------+
//   | delta | length | delta, extended  | length, extended | value     |
//   | 4 bit | 4 bit  | 0, 1 or 2 octets | 0, 1 or 2 octets | length... |
//   +-------+--------+------------------+------------------+-----------+
//   0-12: the value itself; 13: one octet, minus 13; 14: two octets, minus 269; 15: reserved
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "hermod/base/bytes.hpp"

namespace hermod::coap {

/// Option numbers (RFC 7252 §12.2, and the documents named). Any other number is a value of this
/// type too.
enum class OptionNumber : std::uint16_t {
  kIfMatch = 1,
  kUriHost = 3,
  kETag = 4,
  kIfNoneMatch = 5,
  kObserve = 6,  ///< RFC 7641 §2
  kUriPort = 7,
  kLocationPath = 8,
  kUriPath = 11,
  kContentFormat = 12,
  kMaxAge = 14,
  kUriQuery = 15,
  kHopLimit = 16,  ///< RFC 8768 §3
  kAccept = 17,
  kLocationQuery = 20,
  kBlock2 = 23,  ///< RFC 7959 §2.1
  kBlock1 = 27,  ///< RFC 7959 §2.1
  kSize2 = 28,   ///< RFC 7959 §4
  kProxyUri = 35,
  kProxyScheme = 39,
  kSize1 = 60,
  kEcho = 252,        ///< RFC 9175 §2.2
  kNoResponse = 258,  ///< RFC 7967 §2
  kRequestTag = 292,  ///< RFC 9175 §3.2
};

/// Max-Age that holds when the option is absent, in seconds (RFC 7252 §5.10.5).
inline constexpr std::uint32_t kMaxAgeDefaultS = 60;

/// Who does not understand the option must not process the message (RFC 7252 §5.4.1).
[[nodiscard]] constexpr bool is_critical(OptionNumber number) {
  return (static_cast<unsigned>(number) & 1u) != 0;
}
/// A proxy that does not understand the option must not forward it (RFC 7252 §5.4.2).
[[nodiscard]] constexpr bool is_unsafe(OptionNumber number) {
  return (static_cast<unsigned>(number) & 2u) != 0;
}
/// Safe to forward and no part of the cache key (RFC 7252 §5.4.2).
[[nodiscard]] constexpr bool is_no_cache_key(OptionNumber number) {
  return (static_cast<unsigned>(number) & 0x1eu) == 0x1c;
}

/// One option; `value` borrows from the datagram.
struct OptionView {
  OptionNumber number{};
  Bytes value;
};

/// The octet between options and payload (RFC 7252 §3).
inline constexpr std::uint8_t kPayloadMarker = 0xFF;

/// Why an option could not be read (RFC 7252 §3.1).
enum class OptionFault : std::uint8_t {
  kNone,
  kReservedDelta,   ///< delta 15 that is not the payload marker
  kReservedLength,  ///< length 15
  kTruncated,       ///< the option goes past the end of the datagram
  kNumberTooLarge,  ///< the deltas add up to more than 65,535
};

/// Reads options one after the other, checking every octet. Stops at the end of the octets, in
/// front of a payload marker, and at a fault.
/// Example: OptionCursor cursor(octets); while (cursor.next()) use(cursor.option());
class OptionCursor {
 public:
  explicit OptionCursor(Bytes octets)
      : begin_(octets.data()), at_(octets.data()), end_(octets.data() + octets.size()) {}

  /// True when there is a next option, which option() then shows.
  [[nodiscard]] bool next();
  [[nodiscard]] const OptionView& option() const { return option_; }
  /// Why next() has returned false; kNone at the end and at the payload marker.
  [[nodiscard]] OptionFault fault() const { return fault_; }
  /// Octets read: the start of the payload marker or of the faulty option, or the size of the
  /// input.
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  bool stop(OptionFault fault) {
    fault_ = fault;
    return false;
  }
  // Replaces a nibble of 13 to 15 by the value that the octets at `at` extend it to.
  bool extend(const std::uint8_t*& at, std::uint32_t& nibble, OptionFault reserved);

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  OptionView option_;
  OptionFault fault_ = OptionFault::kNone;
};

/// The encoded options of a message as a range of OptionView, in ascending order of their numbers.
/// Borrows. Octets that decode() has not checked are safe too: the range ends at the first fault.
class Options {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = OptionView;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Bytes octets) : cursor_(octets), more_(cursor_.next()) {}
    const OptionView& operator*() const { return cursor_.option(); }
    const OptionView* operator->() const { return &cursor_.option(); }
    Iterator& operator++() {
      more_ = cursor_.next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& at, std::default_sentinel_t) { return !at.more_; }

   private:
    OptionCursor cursor_;
    bool more_;
  };

  Options() = default;
  explicit Options(Bytes octets) : octets_(octets) {}

  [[nodiscard]] Iterator begin() const { return Iterator{octets_}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }
  [[nodiscard]] bool empty() const { return octets_.empty(); }
  /// As they stand on the wire.
  [[nodiscard]] Bytes octets() const { return octets_; }
  /// Value of the first option with this number. Linear.
  [[nodiscard]] std::optional<Bytes> find(OptionNumber number) const;

 private:
  Bytes octets_;
};

/// How the value of an option is to be read (RFC 7252 §3.2).
enum class OptionFormat : std::uint8_t { kEmpty, kOpaque, kUint, kString };

/// What the specification says about one option (RFC 7252 §5.10 Table 4, and the like).
struct OptionRule {
  OptionNumber number{};
  OptionFormat format{};
  std::uint16_t length_min = 0;
  std::uint16_t length_max = 0;
  bool repeatable = false;
  std::string_view name;

  /// A value of another length makes the option an unrecognised one (RFC 7252 §5.4.3).
  [[nodiscard]] bool allows_length(std::size_t length) const {
    return length >= length_min && length <= length_max;
  }
};

/// The rule of an option, nullptr when this codec knows none. Constant time.
[[nodiscard]] const OptionRule* find_rule(OptionNumber number);

/// Value of a uint option; leading zeros are legal, more than four octets give nothing
/// (RFC 7252 §3.2).
[[nodiscard]] std::optional<std::uint32_t> uint_value(Bytes value);

inline bool OptionCursor::extend(const std::uint8_t*& at, std::uint32_t& nibble,
                                 OptionFault reserved) {
  if (nibble == 15) return stop(reserved);
  const std::ptrdiff_t extra = nibble == 13 ? 1 : 2;
  if (end_ - at < extra) return stop(OptionFault::kTruncated);
  nibble = nibble == 13 ? at[0] + 13u : (static_cast<std::uint32_t>(at[0]) << 8 | at[1]) + 269u;
  at += extra;
  return true;
}

inline bool OptionCursor::next() {
  if (at_ == end_ || *at_ == kPayloadMarker) return false;
  const std::uint8_t* at = at_;
  std::uint32_t delta = *at >> 4;
  std::uint32_t length = *at & 0x0fu;
  ++at;
  if (delta > 12 && !extend(at, delta, OptionFault::kReservedDelta)) return false;
  if (length > 12 && !extend(at, length, OptionFault::kReservedLength)) return false;
  const std::uint32_t number = static_cast<std::uint32_t>(option_.number) + delta;
  if (number > 0xffff) return stop(OptionFault::kNumberTooLarge);
  if (end_ - at < static_cast<std::ptrdiff_t>(length)) return stop(OptionFault::kTruncated);
  option_ = {static_cast<OptionNumber>(number), {at, length}};
  at_ = at + length;
  return true;
}

}  // namespace hermod::coap
