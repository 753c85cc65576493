// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/hashing_pool.hpp"

#include <algorithm>
#include <utility>

namespace hermod::identity {

void Desk::put(const Result& result) {
  const std::scoped_lock lock{mutex_};
  results_.push_back(result);
  if (empty_.exchange(false, std::memory_order_release) && wake_) wake_();
}

std::vector<Desk::Result> Desk::take() {
  const std::scoped_lock lock{mutex_};
  empty_.store(true, std::memory_order_release);
  return std::exchange(results_, {});
}

void Desk::close() {
  const std::scoped_lock lock{mutex_};
  wake_ = nullptr;
}

HashingPool::HashingPool(const Limits& limits) : limits_(limits) {
  for (std::uint16_t i = 0; i < limits_.threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

HashingPool::~HashingPool() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (Job& job : waiting_) wipe(job.password);
}

bool HashingPool::submit(Job job) {
  {
    const std::scoped_lock lock{mutex_};
    if (waiting_.size() < limits_.jobs_max && job.password.size() <= limits_.bytes_max - bytes_) {
      bytes_ += job.password.size();
      waiting_.push_back(std::move(job));
      wanted_.notify_one();
      return true;
    }
  }
  wipe(job.password);
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void HashingPool::cancel(const Desk& desk, std::uint64_t ticket) {
  const std::scoped_lock lock{mutex_};
  const auto found = std::ranges::find_if(
      waiting_, [&](const Job& job) { return job.desk.get() == &desk && job.ticket == ticket; });
  if (found == waiting_.end()) return;
  bytes_ -= found->password.size();
  wipe(found->password);
  waiting_.erase(found);
}

void HashingPool::work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock{mutex_};
      wanted_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
      bytes_ -= job.password.size();
    }
    const bool matches = verify_password(*job.hash, job.password);
    wipe(job.password);
    job.desk->put({job.ticket, matches && !job.decoy, job.proof});
  }
}

}  // namespace hermod::identity
