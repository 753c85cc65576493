// SPDX-License-Identifier: Apache-2.0
// How a store comes up.
#include <fmt/format.h>

#include "hermod/store/metadata.hpp"
#include "hermod/store/store.hpp"
#include "message_log.hpp"
#include "recovery.hpp"

namespace hermod::store {

std::expected<RecoveredState, std::string> Store::recover() {
  Recovery recovery{std::chrono::milliseconds{calendar_->to_calendar(Instant{})}};
  const auto loaded =
      metadata_->load(*calendar_, [&](core::Change&& change) { recovery.add(std::move(change)); });
  if (!loaded) return std::unexpected(loaded.error());
  const auto read = messages_->recover([&](const RecordView& record) { recovery.add(record); });
  if (!read) return std::unexpected(read.error());
  if (recovery.generation() > metadata_->generation()) {
    return std::unexpected(fmt::format(
        "{}: the metadata has lost changes: it is at {}, and the log knows of {}. Its file is "
        "damaged or was replaced by an older one. Put the right one back, or save what is left: "
        "\"hermod store export\", then \"hermod store import\" into an empty directory.",
        settings_.folder, metadata_->generation(), recovery.generation()));
  }
  for (const Damage& damage : read->damage) {
    log_.print(LogLevel::kError, "{}: {} octets at octet {} of segment {} are damaged: skipped.",
               settings_.folder, damage.octets, offset_of(damage.position),
               segment_of(damage.position));
  }
  if (read->torn_octets > 0) {
    log_.print(LogLevel::kNotice,
               "{}: {} octets that were being written at the last stop have been cut off.",
               settings_.folder, read->torn_octets);
  }
  RecoveredState state =
      recovery.finish([this](SegmentNumber segment, std::uint64_t live, std::uint64_t total) {
        messages_->account(segment, live, total);
      });
  clears_ = recovery.clears();
  if (recovery.not_understood() > 0) {
    log_.print(LogLevel::kError, "{}: {} records cannot be understood: skipped.", settings_.folder,
               recovery.not_understood());
  }
  damaged_ += read->damaged + recovery.not_understood();
  return state;
}

}  // namespace hermod::store
