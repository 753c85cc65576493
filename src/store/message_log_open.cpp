// SPDX-License-Identifier: Apache-2.0
// How the log is found at the start: which segments there are, what they hold, and where the last
// one ends.
#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "hermod/base/assert.hpp"
#include "message_log.hpp"

namespace hermod::store {
namespace {

std::string failed(std::string_view what, std::string_view name, int error) {
  return fmt::format("cannot {} {}: {}", what, name, std::generic_category().message(error));
}

void list_damage(Recovered& recovered, const Damage& damage) {
  if (recovered.damage.size() < kDamageListedMax) recovered.damage.push_back(damage);
}

}  // namespace

MessageLog::MessageLog(Disk& disk, Rng& rng, const LogLimits& limits)
    : disk_(disk),
      rng_(rng),
      limits_(limits),
      files_(disk, limits.open_files_max),
      writer_(disk, limits.segment_octets_max, limits.zeros_octets) {
  HERMOD_ASSERT(limits.segment_octets_max <= UINT32_MAX);  // positions have 32 bits for the offset
}

std::expected<std::unique_ptr<MessageLog>, std::string> MessageLog::open(Disk& disk, Rng& rng,
                                                                         const LogLimits& limits) {
  std::unique_ptr<MessageLog> log(new MessageLog(disk, rng, limits));
  const auto names = disk.list();
  if (!names) return std::unexpected(failed("list", "the store's directory", names.error()));
  for (const std::string& name : *names) {  // sorted: ascending
    const auto number = segment_number(name);
    if (!number) continue;
    if (std::string error = log->look_at(*number); !error.empty()) return std::unexpected(error);
  }
  return log;
}

bool MessageLog::belong_to(std::uint64_t store_key) {
  if (store_key_ == 0) store_key_ = store_key;
  return store_key_ == store_key;
}

// What is wrong, for people; empty: nothing.
std::string MessageLog::look_at(SegmentNumber number) {
  const std::string name = segment_name(number);
  const auto file = disk_.open(name, Disk::Mode::kRead);
  if (!file) return failed("open", name, file.error());
  found_.push_back(number);
  const auto header = read_header(**file, number);
  if (!header && header.error().kind == HeaderError::Kind::kDisk) {
    return failed("read", name, header.error().error);
  }
  if (!header && header.error().kind == HeaderError::Kind::kBlank) {
    found_.pop_back();
    const int error = disk_.remove(name);
    return error == 0 ? std::string() : failed("remove the blank file", name, error);
  }
  if (!header) {
    damaged_.push_back(number);
    return {};
  }
  if (header->format > kFormatVersion) {
    return fmt::format(
        "{} has format {}, and this release reads formats up to {}: use the release that wrote it, "
        "or a later one",
        name, header->format, kFormatVersion);
  }
  if (store_key_ != 0 && header->store_key != store_key_) {
    return fmt::format("{} is of another store than the segments before it: move it elsewhere",
                       name);
  }
  store_key_ = header->store_key;
  files_.add(*header);
  return {};
}

std::expected<Recovered, std::string> MessageLog::recover(const RecordVisitor& visitor) {
  HERMOD_ASSERT(!recovered_);
  Recovered recovered;
  recovered.segments = found_.size();
  for (const SegmentNumber number : found_) {
    const bool last = number == found_.back();
    std::string error = recover_segment(number, last, visitor, recovered);
    if (!error.empty()) return std::unexpected(std::move(error));
  }
  if (const int error = disk_.sync_directory(); error != 0) {
    return std::unexpected(failed("sync", "the store's directory", error));
  }
  if (store_key_ == 0) store_key_ = rng_.next();
  const std::lock_guard lock(mutex_);
  written_ = found_.empty() ? 1 : found_.back() + 1;
  begin_segment(written_);
  recovered_ = true;
  return recovered;
}

std::string MessageLog::recover_segment(SegmentNumber number, bool last,
                                        const RecordVisitor& visitor, Recovered& recovered) {
  const std::string name = segment_name(number);
  if (std::ranges::find(damaged_, number) != damaged_.end()) {
    const auto file = disk_.open(name, Disk::Mode::kRead);
    const auto size = file ? (*file)->size() : std::unexpected(file.error());
    if (!size) return failed("read", name, size.error());
    list_damage(recovered, {position_of(number, 0), *size});
    ++recovered.damaged;
    recovered.damaged_octets += *size;
    use_[number].octets = *size;
    return {};
  }
  if (last) {
    if (std::string error = make_safe(name); !error.empty()) return error;
  }
  const auto scanned = scan(number, visitor);
  if (!scanned) return failed("read", name, scanned.error());
  recovered.records += scanned->records;
  recovered.octets += scanned->size;
  recovered.damaged += scanned->damaged;
  recovered.damaged_octets += scanned->damaged_octets;
  for (const Damage& damage : scanned->damage) list_damage(recovered, damage);
  const std::uint64_t behind = scanned->size - scanned->end;
  use_[number].octets = scanned->size;
  if (last) {
    recovered.torn_octets = scanned->torn_octets();
    use_[number].octets = scanned->size - behind;
    return behind == 0 ? std::string() : cut(name, scanned->end);
  }
  if (behind != 0) {
    list_damage(recovered, {position_of(number, scanned->end), behind});
    ++recovered.damaged;
    recovered.damaged_octets += behind;
  }
  return {};
}

// What a killed broker has written was perhaps never synced, and what it could not sync is perhaps
// in memory only. Answers will be given that rest on what is found.
std::string MessageLog::make_safe(const std::string& name) {
  const auto file = disk_.open(name, Disk::Mode::kWrite);
  if (!file) return failed("open", name, file.error());
  if (const int error = (*file)->sync(); error != 0) return failed("sync", name, error);
  (*file)->forget_memory();
  return {};
}

std::string MessageLog::cut(const std::string& name, std::uint64_t end) {
  const auto file = disk_.open(name, Disk::Mode::kWrite);
  if (!file) return failed("open", name, file.error());
  int error = (*file)->truncate(end);
  if (error == 0) error = (*file)->sync();
  return error == 0 ? std::string() : failed("cut the torn end of", name, error);
}

}  // namespace hermod::store
