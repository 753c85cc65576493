// SPDX-License-Identifier: Apache-2.0
// The broker under test as a child process, with a port and a folder of its own: started, killed
// without warning, started again on what it left. Only this child is ever signalled, by its id.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>

namespace hermod::durability {

/// How a broker is started. In `command` and `config` {port}, {folder} and {config} stand for what
/// they say.
struct BrokerPlan {
  std::string command;  ///< with the shell's rules
  std::string config;   ///< text of its configuration file
};

/// What `hermod serve` is run with: everything kept, no limit that the load could reach.
[[nodiscard]] BrokerPlan hermod_plan(const std::string& program, unsigned threads,
                                     const std::string& options);

class BrokerProcess {
 public:
  /// Makes the folder and looks for a port, free for TCP and UDP, below those that the kernel gives
  /// to clients: a client that dials while no broker listens must not reach itself. Error in words.
  [[nodiscard]] static std::expected<BrokerProcess, std::string> prepare(const BrokerPlan& plan);
  BrokerProcess(BrokerProcess&& other) noexcept;
  BrokerProcess& operator=(BrokerProcess&&) = delete;
  /// Kills it and removes the folder, unless keep_folder() was called.
  ~BrokerProcess();

  /// Error in words when there are no more processes. Its output goes to broker.log in the folder.
  [[nodiscard]] std::optional<std::string> start();
  /// SIGKILL, and waits for the end.
  void kill();
  /// SIGTERM, and waits for the end, 20 s at most; then kills it. How it ended, in words; empty: as
  /// it should.
  [[nodiscard]] std::string stop();
  /// How it ended by itself, in words; nothing while it runs.
  [[nodiscard]] std::optional<std::string> ended();

  void keep_folder() { keep_ = true; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The end of what it wrote to its log.
  [[nodiscard]] std::string last_words() const;

 private:
  BrokerProcess() = default;

  std::filesystem::path folder_;
  std::string command_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
  bool keep_ = false;
};

}  // namespace hermod::durability
