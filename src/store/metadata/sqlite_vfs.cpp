// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/sqlite_vfs.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "hermod/base/assert.hpp"

namespace hermod::store {

namespace {

struct Context {
  Disk& disk;
  int last_error = 0;  // errno, for sqlite3_system_errno()

  // `code`, or what a full disk is.
  int fail(int error, int code) {
    last_error = error;
    return error == ENOSPC || error == EDQUOT ? SQLITE_FULL : code;
  }
};

// SQLite's own, for what is no matter of files.
sqlite3_vfs* system_vfs() {
  return sqlite3_vfs_find("unix");
}

constexpr int kNameMax = 512;
constexpr int kSectorSize = 4096;

// --- an open file ---

// What SQLite allocates for a file; `base` first, as it only knows that.
struct OpenFile {
  sqlite3_file base{};
  File* file = nullptr;
  Context* context = nullptr;
  bool created = false;  // and its name in the directory has not been synced yet
  bool wal = false;      // it is a write-ahead log
};

OpenFile& self(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}

int close_file(sqlite3_file* file) {
  delete self(file).file;
  self(file).file = nullptr;
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* into, int count, sqlite3_int64 offset) {
  const std::span<std::uint8_t> room{static_cast<std::uint8_t*>(into),
                                     static_cast<std::size_t>(count)};
  const auto got = self(file).file->read(static_cast<std::uint64_t>(offset), room);
  if (!got) {
    self(file).context->last_error = got.error();
    return SQLITE_IOERR_READ;
  }
  if (*got == room.size()) return SQLITE_OK;
  std::ranges::fill(room.subspan(*got), std::uint8_t{0});  // as SQLite demands
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  const Bytes piece{static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(count)};
  const int error = self(file).file->write(static_cast<std::uint64_t>(offset), {&piece, 1});
  return error == 0 ? SQLITE_OK : self(file).context->fail(error, SQLITE_IOERR_WRITE);
}

// An error of a sync is never a full disk: what was lost cannot be told.
int sync_file(sqlite3_file* file, int) {
  OpenFile& open = self(file);
  int error = open.file->sync();
  if (error == 0 && open.created) error = open.context->disk.sync_directory();
  if (error != 0) {
    open.context->last_error = error;
    return SQLITE_IOERR_FSYNC;
  }
  open.created = false;
  return SQLITE_OK;
}

// A write-ahead log stays cut: its next frames never lie over old ones, see wal_check.hpp.
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  const int error = self(file).file->truncate(static_cast<std::uint64_t>(size));
  if (error != 0) return self(file).context->fail(error, SQLITE_IOERR_TRUNCATE);
  return self(file).wal ? sync_file(file, SQLITE_SYNC_NORMAL) : SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const auto is = self(file).file->size();
  if (!is) {
    self(file).context->last_error = is.error();
    return SQLITE_IOERR_FSTAT;
  }
  *size = static_cast<sqlite3_int64>(*is);
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) {
  return SQLITE_OK;
}
int check_lock(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return kSectorSize;
}
// A write that is torn by a power cut harms nothing beside what it writes: what SQLite takes for
// granted of the system's files, too.
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

constexpr sqlite3_io_methods kMethods{
    .iVersion = 1,  // no shared memory, no mapping
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

// --- the disk ---

Context& context(sqlite3_vfs* vfs) {
  return *static_cast<Context*>(vfs->pAppData);
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  Context& on = context(vfs);
  auto& open = *new (file) OpenFile;  // without methods it is not closed when this fails
  if (name == nullptr) return SQLITE_CANTOPEN;
  const bool read_only = (flags & SQLITE_OPEN_READONLY) != 0;
  auto opened = on.disk.open(name, read_only ? Disk::Mode::kRead : Disk::Mode::kWrite);
  if (!opened && opened.error() == ENOENT && (flags & SQLITE_OPEN_CREATE) != 0) {
    opened = on.disk.open(name, Disk::Mode::kCreate);
    open.created = true;
  }
  if (!opened) {
    return on.fail(opened.error(), SQLITE_CANTOPEN);
  }
  open.file = opened->release();
  // A checkpoint would otherwise take pages whose sync has failed, from memory only, into the file.
  open.file->forget_memory();
  open.context = &on;
  open.wal = (flags & SQLITE_OPEN_WAL) != 0;
  open.base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  Context& on = context(vfs);
  int error = on.disk.remove(name);
  if (error == ENOENT) return SQLITE_IOERR_DELETE_NOENT;
  if (error == 0 && sync_directory != 0) error = on.disk.sync_directory();
  on.last_error = error;
  return error == 0 ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* may) {
  Context& on = context(vfs);
  const auto opened = on.disk.open(name, Disk::Mode::kRead);
  *may = opened ? 1 : 0;
  if (opened || opened.error() == ENOENT) return SQLITE_OK;
  on.last_error = opened.error();
  return SQLITE_IOERR_ACCESS;
}

// Names are those of the disk.
int full_name(sqlite3_vfs*, const char* name, int room, char* out) {
  if (std::strlen(name) >= static_cast<std::size_t>(room)) return SQLITE_CANTOPEN;
  std::strcpy(out, name);
  return SQLITE_OK;
}

int random_octets(sqlite3_vfs*, int count, char* out) {
  return system_vfs()->xRandomness(system_vfs(), count, out);
}
int sleep_for(sqlite3_vfs*, int microseconds) {
  return system_vfs()->xSleep(system_vfs(), microseconds);
}
int julian_day(sqlite3_vfs*, double* day) {
  return system_vfs()->xCurrentTime(system_vfs(), day);
}

int last_error(sqlite3_vfs* vfs, int, char*) {
  return context(vfs).last_error;
}

}  // namespace

struct SqliteVfs::Registered {
  explicit Registered(Disk& disk) : context{disk} {}
  Context context;
  std::string name;
  sqlite3_vfs vfs{};
};

SqliteVfs::SqliteVfs(Disk& disk) : registered_(std::make_unique<Registered>(disk)) {
  registered_->name = fmt::format("hermod-{}", static_cast<const void*>(registered_.get()));
  registered_->vfs = {.iVersion = 1,
                      .szOsFile = sizeof(OpenFile),
                      .mxPathname = kNameMax,
                      .zName = registered_->name.c_str(),
                      .pAppData = &registered_->context,
                      .xOpen = open_file,
                      .xDelete = remove_file,
                      .xAccess = access_file,
                      .xFullPathname = full_name,
                      .xRandomness = random_octets,
                      .xSleep = sleep_for,
                      .xCurrentTime = julian_day,
                      .xGetLastError = last_error};
  HERMOD_ASSERT(sqlite3_vfs_register(&registered_->vfs, 0) == SQLITE_OK);
}

SqliteVfs::~SqliteVfs() {
  sqlite3_vfs_unregister(&registered_->vfs);
}

const char* SqliteVfs::name() const {
  return registered_->name.c_str();
}

}  // namespace hermod::store
