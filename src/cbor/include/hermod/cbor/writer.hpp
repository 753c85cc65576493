// SPDX-License-Identifier: Apache-2.0
// Writes CBOR (RFC 8949) item by item, each in its preferred form (§4.1). It does not count: an
// array of three is followed by three items because its caller writes them.
//
//   std::vector<std::uint8_t> out;
//   Writer writer(out);
//   writer.map(1);
//   writer.unsigned_integer(0);
//   writer.text("living-room-sensor");
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"

namespace hermod::cbor {

class Writer {
 public:
  /// Appends to `out`, which outlives the writer.
  explicit Writer(std::vector<std::uint8_t>& out) : octets_(&out) {}
  explicit Writer(std::string& out) : text_(&out) {}

  void unsigned_integer(std::uint64_t value);
  void integer(std::int64_t value);
  /// -1 - n, for values that no std::int64_t has.
  void negative(std::uint64_t n);
  void bytes(Bytes value);
  /// UTF-8.
  void text(std::string_view value);
  /// `items` items follow.
  void array(std::uint64_t items);
  /// `pairs` pairs of key and value follow.
  void map(std::uint64_t pairs);
  /// Items follow, then end(); here and below.
  void begin_array();
  void begin_map();
  /// Strings of the same kind follow.
  void begin_bytes();
  void begin_text();
  void end();
  /// What it tags follows.
  void tag(std::uint64_t number);
  void boolean(bool value);
  void null();
  void undefined();
  /// Not 24 to 31, which are no simple values (RFC 8949 §3.3).
  void simple(std::uint8_t value);
  /// In the shortest of the three forms that keeps the value.
  void number(double value);

 private:
  void append(Bytes octets);

  std::vector<std::uint8_t>* octets_ = nullptr;
  std::string* text_ = nullptr;
};

}  // namespace hermod::cbor
