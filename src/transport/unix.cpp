// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/unix.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "sockaddr.hpp"

namespace hermod::transport {
namespace {

constexpr mode_t kNotForOthers = 0007;  // as mosquitto makes its socket

sockaddr_un to_unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

std::string unix_failure(const std::string& path, int error) {
  return fmt::format("cannot listen on {}: {}", path, std::generic_category().message(error));
}

/// Removes the file of a socket when it is gone, unless another socket has taken its place.
class SocketFile {
 public:
  SocketFile(std::string path, const struct stat& made)
      : path_(std::move(path)), device_(made.st_dev), inode_(made.st_ino) {}
  ~SocketFile() {
    struct stat now{};
    if (lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) {
      static_cast<void>(::unlink(path_.c_str()));
    }
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  std::string path_;
  dev_t device_;
  ino_t inode_;
};

class UnixListener final : public StreamListener {
 public:
  UnixListener(int descriptor, std::shared_ptr<const SocketFile> file)
      : descriptor_(descriptor), file_(std::move(file)) {}

  [[nodiscard]] int descriptor() const override { return descriptor_.get(); }
  [[nodiscard]] std::unique_ptr<Stream> accept(int& error) override {
    return accept_stream(descriptor_.get(), error);
  }
  [[nodiscard]] Address local() const override { return {}; }
  [[nodiscard]] std::string local_text() const override { return bound_path(descriptor()); }

 private:
  OwnedDescriptor descriptor_;
  std::shared_ptr<const SocketFile> file_;
};

/// Makes room for a new socket at `path`: a file that somebody listens on, or that is no socket, is
/// not ours to remove. An errno; 0 when there is room.
int make_room(const std::string& path, const sockaddr_un& address) {
  struct stat there{};
  if (lstat(path.c_str(), &there) != 0) return 0;  // bind() tells what else is wrong
  if (!S_ISSOCK(there.st_mode)) return EEXIST;
  const OwnedDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int answer =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (answer == 0 || errno == EAGAIN) return EADDRINUSE;
  return ::unlink(path.c_str()) == 0 ? 0 : errno;
}

/// bind() makes the file, with a mode that only the mask of the process bounds.
int bind_file(int descriptor, const sockaddr_un& address) {
  const mode_t before = ::umask(kNotForOthers);
  const int done = ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = done == 0 ? 0 : errno;
  ::umask(before);
  return error;
}

}  // namespace

std::string unix_path_fault(const std::string& path) {
  constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty()) return "it is empty";
  if (path.size() > kPathMax) {
    return fmt::format("it has {} octets, and the kernel takes at most {}", path.size(), kPathMax);
  }
  return {};
}

std::expected<std::vector<std::unique_ptr<StreamListener>>, std::string> listen_unix(
    const std::string& path, std::size_t count, int backlog) {
  if (const std::string fault = unix_path_fault(path); !fault.empty()) {
    return std::unexpected(fmt::format("\"{}\" cannot be the path of a socket: {}", path, fault));
  }
  const auto refuse = [&path](int error) { return std::unexpected(unix_failure(path, error)); };
  const sockaddr_un address = to_unix_address(path);
  if (const int error = make_room(path, address); error != 0) return refuse(error);
  OwnedDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return refuse(errno);
  if (const int error = bind_file(socket.get(), address); error != 0) return refuse(error);
  struct stat made{};
  if (lstat(path.c_str(), &made) != 0) return refuse(errno);
  const auto file = std::make_shared<const SocketFile>(path, made);
  if (::listen(socket.get(), backlog) != 0) return refuse(errno);
  std::vector<std::unique_ptr<StreamListener>> all;
  for (std::size_t i = 0; i < count; ++i) {
    const int copy = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return refuse(errno);
    all.push_back(std::make_unique<UnixListener>(copy, file));
  }
  return all;
}

}  // namespace hermod::transport
