// SPDX-License-Identifier: Apache-2.0
// The lines of an export: those of the metadata (metadata_text.hpp), and those of what the log
// holds. docs/formats/export.md tells the members.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hermod/core/journal.hpp"
#include "hermod/model/message.hpp"
#include "hermod/store/metadata_text.hpp"

namespace hermod::store {

/// The first line.
struct ExportBegin {
  static constexpr std::uint32_t kFormat = 1;
  std::uint32_t format = kFormat;
};
/// A queue of a subscriber, beside its messages.
struct ExportedQueue {
  core::QueueId queue = 0;
  model::Tag next = 1;                        ///< that will be given out
  std::vector<core::OpenExchange> exchanges;  ///< of its subscriber as a publisher
};
struct ExportedRecipient {
  core::QueueId queue = 0;
  model::Tag tag = 0;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain_as_published = false;
  bool released = false;
  std::vector<std::uint32_t> subscription_ids;
};
/// A message and the queues where it waits.
struct ExportedMessage {
  std::vector<ExportedRecipient> recipients;
  model::MessageRef message;
};
struct ExportedValue {
  model::MessageRef message;
};
/// The last line.
struct ExportEnd {
  std::uint64_t lines = 0;  ///< before it
  bool complete = true;     ///< nothing of the store was unreadable
};

class StoreText {
 public:
  using Line = std::variant<ExportBegin, Anchor, core::Change, ExportedQueue, ExportedMessage,
                            ExportedValue, ExportEnd>;
  /// Tags of an export: so that no sum of them overflows.
  static constexpr model::Tag kTagMax = model::Tag{1} << 62;

  [[nodiscard]] static std::string write(const ExportBegin& is);
  [[nodiscard]] static std::string write(const Anchor& is) { return MetadataText::write(is); }
  [[nodiscard]] std::string write(const core::Change& is) const { return metadata_.write(is); }
  [[nodiscard]] static std::string write(const ExportedQueue& is);
  [[nodiscard]] static std::string write(std::span<const ExportedRecipient> recipients,
                                         const model::Message& message);
  [[nodiscard]] static std::string write_value(const model::Message& message);
  [[nodiscard]] static std::string write(const ExportEnd& is);

  /// What write() was given; else what is wrong with the line, for people.
  [[nodiscard]] std::expected<Line, std::string> read(std::string_view line) const;

 private:
  MetadataText metadata_{at_rest()};
  [[nodiscard]] static const Calendar& at_rest();
};

}  // namespace hermod::store
