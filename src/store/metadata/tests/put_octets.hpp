// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hermod/testkit/faulty_disk.hpp"

namespace hermod::store {

/// Makes a file what `octets` are, as if it had been so for long.
inline void put_octets(testkit::FaultyDisk& disk, std::string_view name, Bytes octets) {
  (void)disk.open(name, Disk::Mode::kCreate);  // it may be there
  (void)disk.sync_directory();
  disk.cut_file(name, 0);
  disk.overwrite(name, 0, octets);
}

}  // namespace hermod::store
