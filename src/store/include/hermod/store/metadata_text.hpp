// SPDX-License-Identifier: Apache-2.0
// The metadata as text, for people and for carrying it to another store: JSON Lines, one object
// with one member a line, named after what the line holds.
//
//   {"anchor":{"calendar_ms":1700000000000,...}}
//   {"subscriber":{"queue":1,"name":"kitchen","group":false,...}}
//   {"subscription":{"queue":1,"filter":"a/#",...}}
//   {"declaration":{"topic":"a/b",...}}
//
// Times are in the store's calendar, null for never. Texts that are not UTF-8, and octets that are
// not, are {"hex":"00ff"}. docs/formats/metadata.md tells the members.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "hermod/core/journal.hpp"
#include "hermod/store/calendar.hpp"

namespace hermod::store {

class MetadataText {
 public:
  /// What a line may hold. Of the changes those that Metadata::load() gives.
  using Line = std::variant<Anchor, core::Change>;
  /// A longer line is refused.
  static constexpr std::size_t kLineMax = 1u << 30;

  /// `calendar` is the one of the store that is written; it outlives this.
  explicit MetadataText(const Calendar& calendar) : calendar_(calendar) {}

  /// One line, without its end. Of a change only what keeps something.
  [[nodiscard]] std::string write(const core::Change& change) const;
  [[nodiscard]] std::string write(const model::Message& message) const;
  [[nodiscard]] static std::string write(const Anchor& anchor);

  /// What write() was given; else what is wrong with the line, for people. Every member has to be
  /// there, and no other.
  [[nodiscard]] std::expected<Line, std::string> read(std::string_view line) const;
  [[nodiscard]] std::expected<model::MessageRef, std::string> read_message(
      std::string_view line) const;

 private:
  const Calendar& calendar_;
};

}  // namespace hermod::store
