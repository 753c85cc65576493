// SPDX-License-Identifier: Apache-2.0
#include "generator.hpp"

#include <pthread.h>

#include <algorithm>
#include <ctime>

#include "cpu.hpp"

namespace hermod::load {
namespace {

// Large enough for what a socket holds in a busy turn: one read fetches it all.
constexpr std::size_t kScratchBytes = 256 * 1024;

}  // namespace

std::expected<std::unique_ptr<Generator>, std::string> Generator::make(Workload& workload,
                                                                       unsigned threads,
                                                                       std::vector<int> cpus) {
  std::unique_ptr<Generator> generator{new Generator};
  generator->cpus_ = std::move(cpus);
  for (unsigned i = 0; i < threads; ++i) {
    auto poller = transport::EpollPoller::open();
    if (!poller) return std::unexpected(poller.error());
    generator->pollers_.push_back(std::move(*poller));
    generator->workers_.push_back(std::make_unique<Worker>());
    generator->workers_.back()->share = workload.make_share(i);
  }
  return generator;
}

Generator::~Generator() {
  end();
}

void Generator::start() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->thread = std::thread([this, i] { run(i); });
  }
}

void Generator::enter(Phase phase) {
  phase_.store(phase, std::memory_order_release);
  for (const auto& poller : pollers_) poller->wake();
}

void Generator::end() {
  enter(Phase::kEnd);
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

void Generator::run(std::size_t index) {
  if (!cpus_.empty()) pin_this_thread(cpus_[index % cpus_.size()]);
  Worker& worker = *workers_[index];
  std::vector<std::uint8_t> scratch(kScratchBytes);
  std::string fault;
  Turn turn{.schedule = &schedule_,
            .poller = pollers_[index].get(),
            .tally = &worker.tally,
            .clock = &clock_,
            .scratch = scratch,
            .fault = &fault,
            .pollers = pollers_};
  Duration sleep{0};
  do {
    const auto events = turn.poller->wait(sleep);
    turn.phase = phase_.load(std::memory_order_acquire);
    turn.now = clock_.now();
    for (const transport::Event& event : events) worker.share->on_event(event, turn);
    sleep = worker.share->on_turn(turn);
    if (!fault.empty()) note_fault(fault);
  } while (turn.phase != Phase::kEnd);
}

void Generator::note_fault(const std::string& why) {
  const std::scoped_lock lock(fault_mutex_);
  if (fault_.empty()) fault_ = why;
}

std::string Generator::fault() const {
  const std::scoped_lock lock(fault_mutex_);
  return fault_;
}

std::uint64_t Generator::sum(Counter Tally::* counter) const {
  std::uint64_t total = 0;
  for (const auto& worker : workers_) total += (worker->tally.*counter).value();
  return total;
}

std::vector<double> Generator::cpu_s() const {
  std::vector<double> seconds;
  for (const auto& worker : workers_) {
    clockid_t clock{};
    timespec used{};
    if (pthread_getcpuclockid(worker->thread.native_handle(), &clock) == 0) {
      clock_gettime(clock, &used);
    }
    seconds.push_back(static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9);
  }
  return seconds;
}

}  // namespace hermod::load
