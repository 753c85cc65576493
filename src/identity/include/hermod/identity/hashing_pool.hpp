// SPDX-License-Identifier: Apache-2.0
// A few threads that check passwords, so that nobody who serves clients waits for a hash. What
// waits is bounded; results go to the desk of whoever asked. It knows no users and no connections.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "hermod/identity/password_hash.hpp"

namespace hermod::identity {

/// Where the results of one asker arrive. Shared with the jobs under way, so that the asker may go.
class Desk {
 public:
  struct Result {
    std::uint64_t ticket = 0;
    bool matches = false;
    std::uint64_t proof = 0;  ///< the job's
  };
  /// `wake` is called from the pool's threads, after a result was put on the empty desk.
  explicit Desk(std::function<void()> wake) : wake_(std::move(wake)) {}

  void put(const Result& result);
  /// Asker: cheap.
  [[nodiscard]] bool empty() const { return empty_.load(std::memory_order_acquire); }
  [[nodiscard]] std::vector<Result> take();
  /// Asker: wakes nobody from now on. When it has returned, no wake is running.
  void close();

 private:
  std::mutex mutex_;  // guards results_ and wake_
  std::vector<Result> results_;
  std::atomic<bool> empty_ = true;
  std::function<void()> wake_;
};

class HashingPool {
 public:
  struct Limits {
    std::uint16_t threads = 1;
    std::size_t jobs_max = 1'000;        ///< waiting, beside those that are being worked on
    std::size_t bytes_max = 256u << 10;  ///< of the passwords that wait
  };
  struct Job {
    /// What the password is compared with; keeps its users alive.
    std::shared_ptr<const PasswordHash> hash;
    std::vector<std::uint8_t> password;  ///< wiped afterwards
    bool decoy = false;                  ///< the answer is no, after the same time
    std::uint64_t ticket = 0;
    std::uint64_t proof = 0;
    std::shared_ptr<Desk> desk;
  };

  explicit HashingPool(const Limits& limits);
  /// What waits is given up; ends after the hashes that are being made.
  ~HashingPool();
  HashingPool(const HashingPool&) = delete;
  HashingPool& operator=(const HashingPool&) = delete;

  /// False when too much waits already; then nothing comes. From any thread, as all here.
  [[nodiscard]] bool submit(Job job);
  /// A job that has not begun is given up, without a result.
  void cancel(const Desk& desk, std::uint64_t ticket);
  /// Submissions that were refused.
  [[nodiscard]] std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  void work();

  const Limits limits_;
  std::mutex mutex_;  // guards what follows, to stopping_
  std::condition_variable wanted_;
  std::deque<Job> waiting_;
  std::size_t bytes_ = 0;
  bool stopping_ = false;
  std::atomic<std::uint64_t> refused_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace hermod::identity
