// SPDX-License-Identifier: Apache-2.0
#include "commands/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "commands/exit_code.hpp"

namespace hermod::app {
namespace {

using Wrong = std::unexpected<std::string>;

std::string reason() {
  return std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): one thread
}

/// The parent: until the child says that it works, or ends.
[[noreturn]] void wait_for_child(pid_t child, int pipe) {
  char said = 0;
  ssize_t count = 0;
  do {
    count = read(pipe, &said, 1);
  } while (count < 0 && errno == EINTR);
  if (count == 1) _exit(kExitOk);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : kExitError);
}

}  // namespace

std::expected<Background, std::string> Background::enter() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Wrong(fmt::format("no pipe: {}.", reason()));
  const pid_t child = fork();
  if (child < 0) return Wrong(fmt::format("cannot go to the background: {}.", reason()));
  if (child > 0) {
    close(ends[1]);
    wait_for_child(child, ends[0]);
  }
  close(ends[0]);
  setsid();
  return Background(ends[1]);
}

void Background::ready() {
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
  if (nowhere > STDERR_FILENO) close(nowhere);
  while (::write(parent_, "", 1) < 0 && errno == EINTR) {
  }
  close(parent_);
}

std::expected<PidFile, std::string> PidFile::write(const std::string& path) {
  std::ofstream file(path, std::ios::trunc);
  if (file) file << getpid() << '\n' << std::flush;
  if (!file) {
    return Wrong(
        fmt::format("the pid_file \"{}\" cannot be written: {}. Name another one, or make its "
                    "directory and let "
                    "this user write there.",
                    path, reason()));
  }
  return PidFile(path);
}

PidFile::~PidFile() {
  if (!path_.empty()) static_cast<void>(unlink(path_.c_str()));
}

PidFile::PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}

bool is_root() {
  return geteuid() == 0;
}

bool has_user(const std::string& user) {
  return getpwnam(user.c_str()) != nullptr;  // NOLINT(concurrency-mt-unsafe): one thread
}

std::expected<void, std::string> become_user(const std::string& user,
                                             const std::vector<std::string>& files) {
  const passwd* const entry = getpwnam(user.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (entry == nullptr) {
    return Wrong(fmt::format(
        "there is no user \"{}\" to run as. Make one with \"useradd --system {}\", or name another "
        "in the configuration: user NAME",
        user, user));
  }
  const uid_t uid = entry->pw_uid;
  const gid_t gid = entry->pw_gid;
  for (const std::string& file : files) {
    if (chown(file.c_str(), uid, gid) != 0) {
      return Wrong(
          fmt::format("\"{}\" cannot be given to the user \"{}\": {}.", file, user, reason()));
    }
  }
  if (initgroups(user.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
    return Wrong(fmt::format("cannot go on as the user \"{}\": {}.", user, reason()));
  }
  return {};
}

}  // namespace hermod::app
