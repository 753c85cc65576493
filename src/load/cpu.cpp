// SPDX-License-Identifier: Apache-2.0
#include "cpu.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace hermod::load {
namespace {

cpu_set_t set_of(std::span<const int> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  return set;
}

}  // namespace

void pin_this_thread(int cpu) {
  const cpu_set_t set = set_of({&cpu, 1});
  sched_setaffinity(0, sizeof(set), &set);
}

std::expected<void, std::string> confine_process(int pid, std::span<const int> cpus) {
  const cpu_set_t set = set_of(cpus);
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    const std::string name = entry.path().filename();
    int thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    // A thread that has just ended is no failure.
    if (sched_setaffinity(thread, sizeof(set), &set) != 0 && errno != ESRCH) {
      return std::unexpected(fmt::format("cannot confine process {} to the processors: {}", pid,
                                         std::generic_category().message(errno)));
    }
  }
  if (error) return std::unexpected(fmt::format("there is no process {}", pid));
  return {};
}

}  // namespace hermod::load
