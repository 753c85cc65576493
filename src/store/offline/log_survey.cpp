// SPDX-License-Identifier: Apache-2.0
#include "offline/log_survey.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace hermod::store {
namespace {

std::string failed(std::string_view name, int error) {
  return fmt::format("{} cannot be read: {}", name, std::generic_category().message(error));
}

void note_damage(LogFindings& findings, const Damage& damage) {
  ++findings.damaged;
  findings.damaged_octets += damage.octets;
  findings.damage.push_back(damage);
}

}  // namespace

std::expected<LogSurvey, std::string> LogSurvey::open(Disk& disk) {
  LogSurvey survey(disk);
  const auto names = disk.list();  // sorted: ascending
  if (!names) return std::unexpected(failed("the store's directory", names.error()));
  for (const std::string& name : *names) {
    if (const auto number = segment_number(name)) survey.numbers_.push_back(*number);
  }
  return survey;
}

LogFindings LogSurvey::read(const RecordVisitor& visitor) {
  LogFindings findings;
  store_key_ = 0;
  for (const SegmentNumber number : numbers_) {
    if (findings.torn.octets != 0) note_damage(findings, std::exchange(findings.torn, {}));
    read(number, visitor, findings);
  }
  findings.store_key = store_key_;
  return findings;
}

void LogSurvey::read(SegmentNumber number, const RecordVisitor& visitor, LogFindings& findings) {
  const std::string name = segment_name(number);
  const auto file = disk_.open(name, Disk::Mode::kRead);
  const auto size = file ? (*file)->size() : std::unexpected(file.error());
  if (!size) return findings.unread.push_back(failed(name, size.error()));
  const auto header = read_header(**file, number);
  if (!header && header.error().kind == HeaderError::Kind::kDisk) {
    return findings.unread.push_back(failed(name, header.error().error));
  }
  if (!header && header.error().kind == HeaderError::Kind::kBlank) {
    ++findings.blank;
    return;
  }
  ++findings.segments;
  findings.octets += *size;
  if (!header) return note_damage(findings, {position_of(number, 0), *size});
  if (std::string why = refused(*header); !why.empty()) {
    return findings.unread.push_back(std::move(why));
  }
  store_key_ = header->store_key;
  const auto scanned = scan_segment(**file, *header, visitor);
  if (!scanned) return findings.unread.push_back(failed(name, scanned.error()));
  findings.records += scanned->records;
  findings.damaged += scanned->damaged;
  findings.damaged_octets += scanned->damaged_octets;
  findings.damage.insert(findings.damage.end(), scanned->damage.begin(), scanned->damage.end());
  const bool last = number == numbers_.back();
  findings.torn = {position_of(number, scanned->end),
                   last ? scanned->torn_octets() : scanned->size - scanned->end};
}

// Why its records are none that could be read; empty: they can.
std::string LogSurvey::refused(const SegmentHeader& header) {
  if (header.format > kFormatVersion) {
    return fmt::format("{} has format {}, and this release reads formats up to {}",
                       segment_name(header.number), header.format, kFormatVersion);
  }
  if (store_key_ != 0 && header.store_key != store_key_) {
    return fmt::format("{} is of another store than the segments before it",
                       segment_name(header.number));
  }
  return {};
}

}  // namespace hermod::store
