// SPDX-License-Identifier: Apache-2.0
// Lets SQLite keep its files on a Disk, so that the metadata lies on the same one as the log: in
// tests a faulty one. There is no shared memory and there are no locks: whoever has the disk is
// alone with it, and opens a database with locking_mode=EXCLUSIVE. Files without a name, which are
// temporary, are refused (temp_store=MEMORY).
#pragma once

#include <memory>

#include "hermod/store/disk.hpp"

namespace hermod::store {

/// Registered with SQLite while it lives. Of one thread at a time, as are its databases.
class SqliteVfs {
 public:
  /// `disk` outlives this, and this the databases that are opened by its name().
  explicit SqliteVfs(Disk& disk);
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  /// What sqlite3_open_v2() finds it by; no other one has it.
  [[nodiscard]] const char* name() const;

 private:
  struct Registered;
  std::unique_ptr<Registered> registered_;
};

}  // namespace hermod::store
