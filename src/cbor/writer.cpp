// SPDX-License-Identifier: Apache-2.0
#include "hermod/cbor/writer.hpp"

#include <cbor.h>

#include <array>
#include <cmath>
#include <limits>

#include "hermod/base/assert.hpp"
#include "hermod/cbor/reader.hpp"

namespace hermod::cbor {
namespace {

// The longest head: an octet and 64 bits.
struct Head {
  std::array<std::uint8_t, 9> octets{};
  std::size_t size = 0;

  [[nodiscard]] Bytes bytes() const { return Bytes(octets).first(size); }
};

// What one of libcbor's encoders makes of the values.
template <typename Encode, typename... Values>
Head head(Encode encode, Values... values) {
  Head out;
  out.size = encode(values..., out.octets.data(), out.octets.size());
  HERMOD_ASSERT(out.size > 0);  // 0: there was no room
  return out;
}

// Whether the head is read as this number again.
bool keeps(const Head& head, double value) {
  const auto item = Reader(head.bytes()).next();
  return item && item->number == value;
}

// Zero and the subnormal halves, multiples of 2^-24, which libcbor 0.8 rounds; empty for others.
Head small_half_head(double value) {
  const double multiple = std::ldexp(std::abs(value), 24);
  if (multiple >= 1024 || multiple != std::floor(multiple)) return {};
  const unsigned bits = (std::signbit(value) ? 0x8000u : 0u) | static_cast<unsigned>(multiple);
  return {.octets = {0xf9, static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits)},
          .size = 3};
}

Head float_head(double value) {
  if (std::isnan(value)) return head(cbor_encode_half, std::numeric_limits<float>::quiet_NaN());
  if (const Head small = small_half_head(value); small.size > 0) return small;
  const bool in_range = std::isinf(value) || std::abs(value) <= std::numeric_limits<float>::max();
  const float single = in_range ? static_cast<float>(value) : 0.0f;
  if (!in_range || static_cast<double>(single) != value) {
    return head(cbor_encode_double, value);
  }
  const Head half = head(cbor_encode_half, single);
  return keeps(half, value) ? half : head(cbor_encode_single, single);
}

}  // namespace

void Writer::append(Bytes octets) {
  if (octets_ != nullptr) {
    octets_->insert(octets_->end(), octets.begin(), octets.end());
  } else {
    text_->append(as_text(octets));
  }
}

void Writer::unsigned_integer(std::uint64_t value) {
  append(head(cbor_encode_uint, value).bytes());
}

void Writer::integer(std::int64_t value) {
  if (value >= 0) {
    unsigned_integer(static_cast<std::uint64_t>(value));
  } else {
    negative(static_cast<std::uint64_t>(-1 - value));
  }
}

void Writer::negative(std::uint64_t n) {
  append(head(cbor_encode_negint, n).bytes());
}

void Writer::bytes(Bytes value) {
  append(head(cbor_encode_bytestring_start, value.size()).bytes());
  append(value);
}

void Writer::text(std::string_view value) {
  append(head(cbor_encode_string_start, value.size()).bytes());
  append(as_bytes(value));
}

void Writer::array(std::uint64_t items) {
  append(head(cbor_encode_array_start, items).bytes());
}

void Writer::map(std::uint64_t pairs) {
  append(head(cbor_encode_map_start, pairs).bytes());
}

void Writer::begin_array() {
  append(head(cbor_encode_indef_array_start).bytes());
}

void Writer::begin_map() {
  append(head(cbor_encode_indef_map_start).bytes());
}

void Writer::begin_bytes() {
  append(head(cbor_encode_indef_bytestring_start).bytes());
}

void Writer::begin_text() {
  append(head(cbor_encode_indef_string_start).bytes());
}

void Writer::end() {
  append(head(cbor_encode_break).bytes());
}

void Writer::tag(std::uint64_t number) {
  append(head(cbor_encode_tag, number).bytes());
}

void Writer::boolean(bool value) {
  append(head(cbor_encode_bool, value).bytes());
}

void Writer::null() {
  append(head(cbor_encode_null).bytes());
}

void Writer::undefined() {
  append(head(cbor_encode_undef).bytes());
}

void Writer::simple(std::uint8_t value) {
  HERMOD_ASSERT(value < 24 || value > 31);
  append(head(cbor_encode_ctrl, value).bytes());
}

void Writer::number(double value) {
  append(float_head(value).bytes());
}

}  // namespace hermod::cbor
