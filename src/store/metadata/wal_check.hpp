// SPDX-License-Identifier: Apache-2.0
// Whether SQLite's write-ahead log is damaged. SQLite reads it up to the first frame that is not
// whole and takes what follows for what a power cut has torn, which after a flipped bit would be
// transactions that were told as kept. What a cut can tear is the last transaction only, as each is
// synced before the next one is written; damage before it can so be told from a cut. Damage in the
// last one cannot: Metadata::generation() is for that.
// The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "hermod/store/disk.hpp"

namespace hermod::store {

/// Of every database of ours.
inline constexpr std::size_t kPageSize = 4096;

/// `name` need not be there. The error is what is wrong, for people. It counts on a log that is
/// never written anew over old frames, but cut to nothing before.
[[nodiscard]] std::expected<void, std::string> check_wal(Disk& disk, std::string_view name);

}  // namespace hermod::store
