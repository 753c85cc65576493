// SPDX-License-Identifier: Apache-2.0
#include "offline/metadata_copy.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "hermod/base/rng.hpp"
#include "hermod/store/metadata.hpp"
#include "hermod/store/sqlite_vfs.hpp"
#include "metadata/salvage.hpp"
#include "metadata/wal_check.hpp"
#include "offline/memory_disk.hpp"

namespace hermod::store {
namespace {

constexpr const char* kFile = Metadata::kFileName;
constexpr const char* kWal = "metadata.sqlite-wal";

// For what opening writes: at most the write-ahead log goes into the database.
constexpr std::uint64_t kRoomBeside = 16u << 20;

// Whether everything is as a start wants it.
bool read_whole(MemoryDisk& copy, const std::string& folder, MetadataFindings& findings) {
  SeededRng rng(1);  // of use for a new store only, and this is none
  const auto metadata = Metadata::open(copy, {.rng = rng, .folder = folder, .existing = true});
  if (!metadata) {
    findings.refusal = metadata.error();
    return false;
  }
  const auto loaded = (*metadata)->load(at_rest_calendar(), [&](core::Change&& change) {
    findings.changes.push_back(std::move(change));
  });
  if (!loaded) {
    findings.refusal = loaded.error();
    return false;
  }
  findings.anchor = (*metadata)->anchor();
  findings.generation = (*metadata)->generation();
  findings.store_key = (*metadata)->key();
  findings.first_free_queue = (*metadata)->first_free_queue();
  return true;
}

void read_rest(MemoryDisk& copy, MetadataFindings& findings) {
  if (const auto wal = check_wal(copy, kWal); !wal) {
    findings.lost.push_back(
        fmt::format("the last changes of the metadata may be missing: {}", wal.error()));
  }
  const SqliteVfs vfs(copy);
  Salvage salvaged = salvage(vfs, at_rest_calendar());
  findings.lost.insert(findings.lost.end(), salvaged.lost.begin(), salvaged.lost.end());
  findings.changes = std::move(salvaged.changes);
  if (!salvaged.store) return;
  findings.anchor = salvaged.store->anchor;
  findings.generation = salvaged.store->generation;
  findings.first_free_queue = salvaged.store->first_free_queue;
}

}  // namespace

MetadataFindings read_metadata(Disk& disk, const std::string& folder, std::uint64_t octets_max) {
  MetadataFindings findings;
  // Opening may mend or cut what the second look wants to see.
  for (const bool whole : {true, false}) {
    MemoryDisk copy(2 * octets_max + kRoomBeside);
    for (const char* const name : {kFile, kWal}) {
      if (const int error = copy.copy_from(disk, name, octets_max); error != 0) {
        findings.there = true;
        findings.refusal =
            error == ENOSPC
                ? fmt::format("{}/{} is too large to be looked at: {} octets are the most", folder,
                              name, octets_max)
                : fmt::format("{}/{} cannot be read: {}", folder, name,
                              std::generic_category().message(error));
        findings.lost = {findings.refusal};
        return findings;
      }
    }
    findings.there = copy.holds(kFile) || copy.holds(kWal);
    if (!findings.there) return findings;
    if (whole && read_whole(copy, folder, findings)) return findings;
    if (!whole) read_rest(copy, findings);
  }
  return findings;
}

const Calendar& at_rest_calendar() {
  static const Calendar kCalendar{std::nullopt, Moment{}, {}};
  return kCalendar;
}

}  // namespace hermod::store
