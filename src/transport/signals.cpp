// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/signals.hpp"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hermod::transport {

std::expected<std::unique_ptr<SignalSource>, std::string> SignalSource::open(
    std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    if (sigaddset(&set, signal) != 0) {
      return std::unexpected(fmt::format("cannot watch signal {}: no such signal", signal));
    }
  }
  sigset_t before;
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, &before); error != 0) {
    return std::unexpected(fmt::format("cannot watch signals: pthread_sigmask: {}",
                                       std::generic_category().message(error)));
  }
  const int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return std::unexpected(
        fmt::format("cannot watch signals: signalfd: {}", std::generic_category().message(error)));
  }
  return std::unique_ptr<SignalSource>(new SignalSource(descriptor, before));
}

SignalSource::~SignalSource() {
  ::close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int SignalSource::next() {
  signalfd_siginfo info;
  ssize_t count;
  do {
    count = ::read(descriptor_, &info, sizeof(info));
  } while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(sizeof(info)) ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace hermod::transport
