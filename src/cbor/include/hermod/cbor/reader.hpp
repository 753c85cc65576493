// SPDX-License-Identifier: Apache-2.0
// CBOR (RFC 8949) read item by item out of borrowed octets, without allocating: what each head says
// is compared with what is there, and nesting has a limit. Knows no schema. libcbor decodes the
// heads; what it refuses although it is well-formed (tags 6 to 20, simple values 0 to 19 and 32 to
// 255) is read here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "hermod/base/bytes.hpp"

namespace hermod::cbor {

/// What is wrong with some octets, for people.
struct Error {
  std::size_t offset = 0;
  const char* reason = "";  ///< a literal
};

enum class Kind : std::uint8_t {
  kUnsigned,
  kNegative,
  kBytes,
  kText,
  kArray,
  kMap,
  kTag,     ///< the next item is what it tags
  kSimple,  ///< false, true, null, undefined and the simple values without a name
  kFloat,
  kEnd,  ///< of an array, a map or a string in chunks
};

inline constexpr std::uint64_t kFalse = 20;
inline constexpr std::uint64_t kTrue = 21;
inline constexpr std::uint64_t kNull = 22;
inline constexpr std::uint64_t kUndefined = 23;

struct Item {
  Kind kind = Kind::kEnd;
  /// Its length is not told: kArray and kMap end with kEnd as the others do; kBytes and kText are
  /// followed by their chunks, which are strings of the same kind, and kEnd (RFC 8949 §3.2.3).
  bool indefinite = false;
  std::size_t offset = 0;  ///< of the head
  /// kUnsigned: the value; kNegative: n, for the value -1 - n; kArray: its items; kMap: its pairs;
  /// kTag: the number; kSimple: the value.
  std::uint64_t value = 0;
  double number = 0;  ///< kFloat
  Bytes bytes;        ///< kBytes and kText; borrows

  [[nodiscard]] bool is_simple(std::uint64_t which) const {
    return kind == Kind::kSimple && value == which;
  }
};

/// Example, a map of unsigned keys:
///   Reader reader(octets);
///   auto map = reader.next();                       // kMap
///   for (auto key = reader.next(); key && key->kind != Kind::kEnd; key = reader.next()) {
///     auto value = reader.next();
///     if (!value || !reader.skip(*value)) break;    // over what is in it
///   }
class Reader {
 public:
  /// Arrays, maps and tags inside one another.
  static constexpr std::size_t kDepthMax = 16;

  explicit Reader(Bytes octets) : octets_(octets) {}

  /// The next item. An error when there is none, when it is not well-formed (RFC 8949 §3, Appendix
  /// F), lies too deep, or is a text that is not UTF-8; from then on always the same error.
  [[nodiscard]] std::expected<Item, Error> next();
  /// Goes over what is left of the item that next() has returned last: what is in it, its end
  /// included, or what it tags.
  [[nodiscard]] std::expected<void, Error> skip(const Item& item);
  /// Fails when octets are left, or when an array, a map or a tag is unfinished.
  [[nodiscard]] std::expected<void, Error> finish();

 private:
  struct Open {
    Kind kind = Kind::kEnd;
    bool indefinite = false;
    bool key_read = false;   // of a map without length: its value must follow
    std::uint64_t left = 0;  // items that are to come when the length is told
  };

  std::expected<Item, Error> read_head();
  std::expected<Item, Error> close(const Item& end);
  std::expected<Item, Error> place(const Item& item);
  std::unexpected<Error> fail(std::size_t offset, const char* reason);

  Bytes octets_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t tags_ = 0;  // read since the last item
  std::array<Open, kDepthMax> open_{};
  std::optional<Error> error_;
};

}  // namespace hermod::cbor
