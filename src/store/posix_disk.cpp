// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/posix_disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "piece_cursor.hpp"

namespace hermod::store {
namespace {

// Linux takes 1,024 pieces in one call.
constexpr std::size_t kPiecesMax = 1024;

template <typename Call>
auto retried(Call call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

int error_of(int result) {
  return result < 0 ? errno : 0;
}

class PosixFile final : public File {
 public:
  explicit PosixFile(int descriptor) : descriptor_(descriptor) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  std::expected<std::size_t, int> read(std::uint64_t offset,
                                       std::span<std::uint8_t> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = retried([&] {
        return ::pread(descriptor_, into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (got < 0) return std::unexpected(errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  int write(std::uint64_t offset, std::span<const Bytes> pieces) override {
    for (PieceCursor left(pieces); !left.at_end();) {
      const ssize_t put = write_some(offset, left);
      if (put < 0) return errno;
      if (put == 0) return ENOSPC;  // no system says so, and it must not loop for ever
      offset += static_cast<std::uint64_t>(put);
      left.advance(static_cast<std::size_t>(put));
    }
    return 0;
  }

  int sync() override {
    return error_of(retried([&] { return ::fdatasync(descriptor_); }));
  }

  void forget_memory() override { ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED); }

  std::expected<std::uint64_t, int> size() override {
    struct stat status{};
    if (::fstat(descriptor_, &status) < 0) return std::unexpected(errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  int truncate(std::uint64_t size) override {
    return error_of(retried([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }));
  }

 private:
  [[nodiscard]] ssize_t write_some(std::uint64_t offset, const PieceCursor& left) const {
    std::array<iovec, kPiecesMax> vectors;
    const std::size_t count = std::min(left.count(), kPiecesMax);
    for (std::size_t i = 0; i < count; ++i) {
      // The system takes the pointer without const, but only reads.
      vectors[i] = {const_cast<std::uint8_t*>(left[i].data()), left[i].size()};
    }
    return retried([&] {
      return ::pwritev(descriptor_, vectors.data(), static_cast<int>(count),
                       static_cast<off_t>(offset));
    });
  }

  const int descriptor_;
};

std::unexpected<std::string> cannot(std::string_view what, std::string_view path) {
  return std::unexpected(
      fmt::format("cannot {} {}: {}", what, path, std::generic_category().message(errno)));
}

// So that a directory that was just made survives a power cut, too.
bool sync_above(int directory) {
  const int above = ::openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) return false;
  const bool synced = retried([&] { return ::fsync(above); }) == 0;
  const int error = errno;
  ::close(above);
  errno = error;
  return synced;
}

}  // namespace

std::expected<std::unique_ptr<PosixDisk>, std::string> PosixDisk::open(const std::string& path) {
  std::unique_ptr<PosixDisk> disk(new PosixDisk);
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return cannot("make the store's directory", path);
  disk->directory_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (disk->directory_ < 0) return cannot("open the store's directory", path);
  if (made && !sync_above(disk->directory_)) return cannot("sync the directory above", path);
  const std::string lock_path = fmt::format("{}/{}", path, kLockName);
  disk->lock_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (disk->lock_ < 0) return cannot("open", lock_path);
  if (retried([&] { return ::flock(disk->lock_, LOCK_EX | LOCK_NB); }) < 0) {
    if (errno != EWOULDBLOCK) return cannot("lock", lock_path);
    return std::unexpected(
        fmt::format("the store {} is in use: another broker holds {}. Stop it, or give this one a "
                    "directory of its own",
                    path, lock_path));
  }
  return disk;
}

std::expected<std::unique_ptr<PosixDisk>, std::string> PosixDisk::open_to_read(
    const std::string& path) {
  std::unique_ptr<PosixDisk> disk(new PosixDisk);
  disk->read_only_ = true;
  disk->directory_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (disk->directory_ < 0) return cannot("open the store's directory", path);
  const std::string lock_path = fmt::format("{}/{}", path, kLockName);
  disk->lock_ = ::open(lock_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (disk->lock_ < 0 && errno == ENOENT) return disk;  // a copy that no broker has run on
  if (disk->lock_ < 0) return cannot("open", lock_path);
  if (retried([&] { return ::flock(disk->lock_, LOCK_SH | LOCK_NB); }) < 0) {
    if (errno != EWOULDBLOCK) return cannot("lock", lock_path);
    return std::unexpected(
        fmt::format("the store {} is in use: a broker holds {}. Stop it first", path, lock_path));
  }
  return disk;
}

PosixDisk::~PosixDisk() {
  if (lock_ >= 0) ::close(lock_);
  if (directory_ >= 0) ::close(directory_);
}

std::expected<std::unique_ptr<File>, int> PosixDisk::open(std::string_view name, Mode mode) {
  if (read_only_ && mode != Mode::kRead) return std::unexpected(EROFS);
  int flags = O_CLOEXEC | O_NOFOLLOW;
  flags |= mode == Mode::kRead ? O_RDONLY : O_RDWR;
  if (mode == Mode::kCreate) flags |= O_CREAT | O_EXCL;
  const std::string path(name);
  const int descriptor = retried([&] { return ::openat(directory_, path.c_str(), flags, 0600); });
  if (descriptor < 0) return std::unexpected(errno);
  return std::make_unique<PosixFile>(descriptor);
}

std::expected<std::vector<std::string>, int> PosixDisk::list() {
  // One of its own, as reading moves a place that duplicates share.
  const int descriptor = ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(errno);
  DIR* const listing = ::fdopendir(descriptor);
  if (listing == nullptr) {
    const int error = errno;
    ::close(descriptor);
    return std::unexpected(error);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name != kLockName) names.emplace_back(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(listing);
  if (error != 0) return std::unexpected(error);
  std::ranges::sort(names);
  return names;
}

int PosixDisk::remove(std::string_view name) {
  if (read_only_) return EROFS;
  return error_of(::unlinkat(directory_, std::string(name).c_str(), 0));
}

int PosixDisk::rename(std::string_view from, std::string_view to) {
  if (read_only_) return EROFS;
  return error_of(
      ::renameat(directory_, std::string(from).c_str(), directory_, std::string(to).c_str()));
}

int PosixDisk::sync_directory() {
  if (read_only_) return EROFS;
  return error_of(retried([&] { return ::fsync(directory_); }));
}

}  // namespace hermod::store
