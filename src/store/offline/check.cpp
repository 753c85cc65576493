// SPDX-License-Identifier: Apache-2.0
// `hermod store check`: what a store holds, and what is wrong with it.
#include <fmt/format.h>

#include <algorithm>

#include "hermod/store/metadata.hpp"
#include "hermod/store/offline.hpp"
#include "offline/survey.hpp"

namespace hermod::store {
namespace {

// Places that are named one by one; what is more is counted.
constexpr std::size_t kShownMax = 64;

std::string place(Position position) {
  return fmt::format("segment {}, octet {}", segment_of(position), offset_of(position));
}

std::string text_of(const Damage& damage) {
  if (offset_of(damage.position) == 0) {
    return fmt::format("segment {}: its header is damaged, and {} octets cannot be read",
                       segment_of(damage.position), damage.octets);
  }
  return fmt::format("{}: {} octets are damaged", place(damage.position), damage.octets);
}

void describe_log(const Survey& is, std::vector<std::string>& lines) {
  const Census& has = is.census;
  lines.push_back(fmt::format("log: {} segments, {} octets, {} records", is.log.segments,
                              is.log.octets, is.log.records));
  lines.push_back(fmt::format(
      "records: {} messages, {} values, {} settled, {} released, {} closed, {} states, {} metadata",
      has.of(RecordKind::kMessage), has.of(RecordKind::kValue), has.of(RecordKind::kSettled),
      has.of(RecordKind::kReleased), has.of(RecordKind::kClosed), has.of(RecordKind::kState),
      has.of(RecordKind::kMetadata)));
  if (has.unknown() > 0) {
    lines.push_back(
        fmt::format("records of a later release, which are skipped: {}", has.unknown()));
  }
  if (is.log.blank > 0) {
    lines.push_back(fmt::format("blank files, which the next start removes: {}", is.log.blank));
  }
  if (is.log.torn.octets > 0) {
    lines.push_back(fmt::format(
        "torn end: {} octets from octet {} of segment {} on were being written at the last stop; "
        "nobody was told that they were kept, and the next start cuts them off",
        is.log.torn.octets, offset_of(is.log.torn.position), segment_of(is.log.torn.position)));
  }
}

void describe_state(const Survey& is, CheckReport& report) {
  std::size_t subscriptions = 0;
  std::size_t wills = 0;
  std::size_t groups = 0;
  std::size_t exchanges = 0;
  for (const RecoveredQueue& queue : is.state.queues) {
    subscriptions += queue.subscriptions.size();
    wills += queue.subscriber.will ? 1 : 0;
    groups += queue.subscriber.group ? 1 : 0;
    exchanges += queue.exchanges.size();
  }
  report.subscribers = is.state.queues.size() - is.orphans.size();
  report.messages = is.state.messages;
  report.deliveries = is.census.deliveries();
  report.values = is.state.values.size();
  report.lines.push_back(
      fmt::format("metadata: generation {}, {} subscribers ({} of them groups, {} with a will), {} "
                  "subscriptions, {} declared topics",
                  is.metadata.generation, report.subscribers, groups, wills, subscriptions,
                  is.state.declarations.size()));
  report.lines.push_back(
      fmt::format("messages in queues: {} wait; the log has {}, the others are over",
                  report.messages, report.deliveries));
  report.lines.push_back(fmt::format("retained values: {}", report.values));
  report.lines.push_back(fmt::format("exchanges of exactly once that are open: {}", exchanges));
}

void find_faults_of_log(const Survey& is, std::vector<std::string>& faults) {
  faults.insert(faults.end(), is.log.unread.begin(), is.log.unread.end());
  const std::size_t named = std::min(is.log.damage.size(), kShownMax);
  for (std::size_t i = 0; i < named; ++i) faults.push_back(text_of(is.log.damage[i]));
  if (is.log.damaged > named) {
    faults.push_back(fmt::format("{} more places of the log are damaged, {} octets of it in all",
                                 is.log.damaged - named, is.log.damaged_octets));
  }
  const std::vector<Position>& strange = is.census.not_understood();
  for (std::size_t i = 0; i < std::min(strange.size(), kShownMax); ++i) {
    faults.push_back(
        fmt::format("{}: the record is whole, but cannot be understood", place(strange[i])));
  }
  if (strange.size() > kShownMax) {
    faults.push_back(
        fmt::format("{} more records cannot be understood", strange.size() - kShownMax));
  }
}

void find_faults_of_metadata(const Survey& is, std::vector<std::string>& faults) {
  if (!is.metadata.there) {
    faults.push_back(fmt::format("{}/{} is missing, or empty: the log has no subscribers",
                                 is.folder, Metadata::kFileName));
  } else if (!is.metadata.refusal.empty()) {
    faults.push_back(is.metadata.refusal);
    for (const std::string& lost : is.metadata.lost) {
      if (lost != is.metadata.refusal) faults.push_back(lost);
    }
  } else if (is.log.store_key != 0 && is.log.store_key != is.metadata.store_key) {
    faults.push_back("metadata and log are of two stores");
  } else if (is.metadata_is_older()) {
    faults.push_back(fmt::format(
        "the metadata is older than the log: it is at generation {}, and the log knows of {}{}",
        is.metadata.generation, is.census.generation(),
        is.beyond_metadata ? " and names queues that it never gave out" : ""));
  }
  if (!is.orphans.empty()) {
    faults.push_back(
        fmt::format("{} queues of the log have no subscriber in the metadata", is.orphans.size()));
  }
}

}  // namespace

std::expected<CheckReport, std::string> check_store(Disk& disk, const std::string& folder) {
  const auto found = survey(disk, folder);
  if (!found) return std::unexpected(found.error());
  CheckReport report;
  report.damaged = found->log.damaged;
  report.torn_octets = found->log.torn.octets;
  describe_log(*found, report.lines);
  describe_state(*found, report);
  find_faults_of_log(*found, report.faults);
  find_faults_of_metadata(*found, report.faults);
  return report;
}

}  // namespace hermod::store
