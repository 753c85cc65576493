// SPDX-License-Identifier: Apache-2.0
#include "text/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hermod::app {
namespace {

std::string last_error() {
  return std::strerror(errno != 0 ? errno : EIO);
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// The new name is on the disk only with its directory.
void sync_directory(const std::string& directory) {
  const int opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  (void)::fsync(opened);
  ::close(opened);
}

}  // namespace

std::expected<std::string, std::string> read_whole_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::unexpected("it is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::unexpected(last_error());
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return std::unexpected(std::strerror(EIO));
  return std::move(text).str();
}

std::expected<void, std::string> replace_file(const std::string& path, std::string_view text) {
  // A link is followed: what it points to is replaced, not the link.
  std::error_code failure;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, failure);
  const std::string target = failure ? path : real.string();
  const std::string directory = std::filesystem::path(target).parent_path().string();
  std::string temporary = target + ".XXXXXX";
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);  // with mode 0600
  if (file < 0) {
    return std::unexpected(fmt::format("a file beside it cannot be made: {}", last_error()));
  }
  // Whoever owns the file keeps it, also when root changes it.
  struct stat old{};
  const bool kept = ::stat(target.c_str(), &old) != 0 || ::geteuid() != 0 ||
                    ::fchown(file, old.st_uid, old.st_gid) == 0;
  bool done = kept && write_all(file, text) && ::fsync(file) == 0;
  std::string why = done ? std::string() : last_error();
  ::close(file);
  if (done && std::rename(temporary.c_str(), target.c_str()) != 0) {
    why = last_error();
    done = false;
  }
  if (!done) {
    (void)::unlink(temporary.c_str());
    return std::unexpected(why);
  }
  sync_directory(directory.empty() ? "." : directory);
  return {};
}

}  // namespace hermod::app
