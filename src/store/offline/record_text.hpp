// SPDX-License-Identifier: Apache-2.0
// Records and rows in words, one line each: what `hermod store dump` shows.
#pragma once

#include <string>

#include "hermod/core/journal.hpp"
#include "message_record.hpp"
#include "record.hpp"
#include "segment.hpp"

namespace hermod::store {

/// "3:4160", segment and offset.
[[nodiscard]] std::string text_of(Position position);

class RecordText {
 public:
  /// `payloads`: they are shown, not only how long they are.
  explicit RecordText(bool payloads) : payloads_(payloads) {}

  /// "3:4160 message \"a/b\" at least once, 5 octets, for 7 as 12 at least once"
  [[nodiscard]] std::string write(const RecordView& record);
  /// Of changes those that the metadata keeps.
  [[nodiscard]] std::string write(const core::Change& change) const;

 private:
  [[nodiscard]] std::string body_of(const RecordView& record);
  [[nodiscard]] std::string message(const RecordView& record);
  [[nodiscard]] std::string value(const RecordView& record);
  [[nodiscard]] std::string content(const model::Message& message) const;

  bool payloads_;
  PropertyStorage properties_;
};

}  // namespace hermod::store
