// SPDX-License-Identifier: Apache-2.0
#include "server_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

namespace hermod::load {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string ending(int status) {
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                             : fmt::format("exit status {}", WEXITSTATUS(status));
}

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(const char* command, int parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it died before the line above
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int descriptor : {0, 1, 2}) dup2(nowhere, descriptor);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

std::optional<std::uint64_t> kilobyte_line(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    std::uint64_t kilobytes = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), kilobytes);
    if (error != std::errc{}) return std::nullopt;
    return kilobytes * 1024;
  }
  return std::nullopt;
}

std::optional<double> process_cpu_s(int pid) {
  clockid_t clock{};
  timespec used{};
  if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::optional<std::uint64_t> process_memory(int pid) {
  if (auto exact = kilobyte_line(text_of(fmt::format("/proc/{}/smaps_rollup", pid)), "Rss")) {
    return exact;
  }
  return kilobyte_line(text_of(fmt::format("/proc/{}/status", pid)), "VmRSS");
}

std::string with_port(std::string_view command, std::uint16_t port) {
  constexpr std::string_view kPlace = "{port}";
  std::string out{command};
  for (std::size_t at = out.find(kPlace); at != std::string::npos; at = out.find(kPlace, at)) {
    out.replace(at, kPlace.size(), std::to_string(port));
  }
  return out;
}

std::expected<ServerProcess, std::string> ServerProcess::start(const std::string& command) {
  const std::string replaced = "exec " + command;  // the shell's process becomes the server
  const int parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(replaced.c_str(), parent);
  if (pid < 0) {
    return std::unexpected(
        fmt::format("cannot start the server: {}", std::generic_category().message(errno)));
  }
  return ServerProcess(pid);
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), ending_(std::move(other.ending_)) {}

ServerProcess::~ServerProcess() {
  stop();
}

std::optional<std::string> ServerProcess::ended() {
  int status = 0;
  if (pid_ != 0 && !ending_ && waitpid(pid_, &status, WNOHANG) == pid_) ending_ = ending(status);
  return ending_;
}

void ServerProcess::stop() {
  if (pid_ == 0 || ended()) return;
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (!ended() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  if (ended()) return;
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  ending_ = ending(status);
}

}  // namespace hermod::load
