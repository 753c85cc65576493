// SPDX-License-Identifier: Apache-2.0
// The server under test as a process: its processor time and memory, and, when asked, its start and
// end. Only a process that was started here is ever ended, by its id.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace hermod::load {

/// User and system seconds of all threads, from the process's own clock: exact to far below the
/// clock tick that /proc counts in.
[[nodiscard]] std::optional<double> process_cpu_s(int pid);

/// Resident octets (/proc/PID/smaps_rollup, which is exact; else VmRSS of /proc/PID/status).
[[nodiscard]] std::optional<std::uint64_t> process_memory(int pid);

/// Octets from a "Rss:   123 kB" line with this name.
[[nodiscard]] std::optional<std::uint64_t> kilobyte_line(std::string_view text,
                                                         std::string_view name);

/// The command with every "{port}" replaced.
[[nodiscard]] std::string with_port(std::string_view command, std::uint16_t port);

/// A child process; the destructor ends it.
class ServerProcess {
 public:
  /// Runs the command with the shell's rules; its output goes nowhere. It gets SIGTERM should this
  /// program die. Error in words.
  [[nodiscard]] static std::expected<ServerProcess, std::string> start(const std::string& command);
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;
  /// stop().
  ~ServerProcess();

  [[nodiscard]] int pid() const { return pid_; }
  /// How it ended ("exit status 1", "signal 11"); nothing while it runs.
  [[nodiscard]] std::optional<std::string> ended();
  /// SIGTERM, and SIGKILL when it has not ended within five seconds.
  void stop();

 private:
  explicit ServerProcess(int pid) : pid_(pid) {}

  int pid_ = 0;
  std::optional<std::string> ending_;
};

}  // namespace hermod::load
