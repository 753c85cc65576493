// SPDX-License-Identifier: Apache-2.0
// An item, read and written again.
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "hermod/cbor/reader.hpp"
#include "hermod/cbor/writer.hpp"

namespace hermod::cbor::test {

inline void write(Writer& writer, const Item& item) {
  switch (item.kind) {
    case Kind::kUnsigned:
      return writer.unsigned_integer(item.value);
    case Kind::kNegative:
      return writer.negative(item.value);
    case Kind::kBytes:
      return item.indefinite ? writer.begin_bytes() : writer.bytes(item.bytes);
    case Kind::kText:
      return item.indefinite ? writer.begin_text() : writer.text(as_text(item.bytes));
    case Kind::kArray:
      return item.indefinite ? writer.begin_array() : writer.array(item.value);
    case Kind::kMap:
      return item.indefinite ? writer.begin_map() : writer.map(item.value);
    case Kind::kTag:
      return writer.tag(item.value);
    case Kind::kSimple:
      return writer.simple(static_cast<std::uint8_t>(item.value));
    case Kind::kFloat:
      return writer.number(item.number);
    case Kind::kEnd:
      return writer.end();
  }
}

/// One item and what is in it, in preferred form.
[[nodiscard]] inline std::expected<std::vector<std::uint8_t>, Error> copy(Bytes octets) {
  std::vector<std::uint8_t> out;
  Writer writer(out);
  Reader reader(octets);
  std::vector<bool> open;  // whether each needs an end
  bool more = true;
  while (more) {
    const auto item = reader.next();
    if (!item) return std::unexpected(item.error());
    const bool opens = item->kind == Kind::kArray || item->kind == Kind::kMap || item->indefinite;
    if (item->kind == Kind::kEnd) {
      if (open.back()) write(writer, *item);
      open.pop_back();
    } else {
      write(writer, *item);
      if (opens) open.push_back(item->indefinite);
    }
    more = !open.empty() || item->kind == Kind::kTag;
  }
  if (const auto end = reader.finish(); !end) return std::unexpected(end.error());
  return out;
}

}  // namespace hermod::cbor::test
