// SPDX-License-Identifier: Apache-2.0
// The generator threads: each runs its share of the workload over a poller of its own, through the
// phases that the measuring thread announces.
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "share.hpp"
#include "tally.hpp"

namespace hermod::load {

class Generator {
 public:
  /// Makes the shares; error in words when the system gives no pollers. `cpus` as in Options.
  [[nodiscard]] static std::expected<std::unique_ptr<Generator>, std::string> make(
      Workload& workload, unsigned threads, std::vector<int> cpus);
  /// Ends the threads.
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  /// Starts the threads in kSetUp.
  void start();
  /// The schedule is to be set before kLoad and stays from then on.
  void set_schedule(const Schedule& schedule) { schedule_ = schedule; }
  void enter(Phase phase);
  /// kEnd, and waits for the threads.
  void end();

  /// Sums over the threads, while they run.
  [[nodiscard]] std::uint64_t sum(Counter Tally::* counter) const;
  /// Processor seconds of each thread since it started.
  [[nodiscard]] std::vector<double> cpu_s() const;
  /// Why the run has no sense any more; empty while it has.
  [[nodiscard]] std::string fault() const;

 private:
  struct Worker {
    std::unique_ptr<Share> share;
    Tally tally;
    std::thread thread;
  };
  Generator() = default;
  void run(std::size_t index);
  void note_fault(const std::string& why);

  std::vector<int> cpus_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<transport::EpollPoller>> pollers_;
  SystemClock clock_;
  Schedule schedule_;
  std::atomic<Phase> phase_ = Phase::kSetUp;
  mutable std::mutex fault_mutex_;
  std::string fault_;
};

}  // namespace hermod::load
