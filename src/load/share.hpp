// SPDX-License-Identifier: Apache-2.0
// What a scenario is for the engine: a workload that is divided into one share for each generator
// thread. Shares run on their threads alone; workloads are asked by the measuring thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "hermod/base/time.hpp"
#include "hermod/load/report.hpp"
#include "hermod/transport/epoll.hpp"
#include "tally.hpp"

namespace hermod::load {

/// The course of a run; it only goes forward.
enum class Phase : std::uint8_t {
  kSetUp,  ///< clients connect and subscribe
  kLoad,   ///< the load runs, warm-up first
  kDrain,  ///< nothing new is sent; what is under way arrives
  kEnd,    ///< everything is closed
};

/// When what happens; fixed before kLoad begins.
struct Schedule {
  Instant load_begin{};
  Instant measure_begin{};
  Instant measure_end{};
};

/// What a share sees of its thread during one turn of the loop.
struct Turn {
  Phase phase = Phase::kSetUp;
  Instant now{};
  const Schedule* schedule = nullptr;
  transport::Poller* poller = nullptr;
  Tally* tally = nullptr;
  const Clock* clock = nullptr;
  std::span<std::uint8_t> scratch;  ///< read buffer of the thread
  std::string* fault = nullptr;     ///< set once: the run has no sense any more, and why
  std::span<const std::unique_ptr<transport::EpollPoller>> pollers;  ///< of all threads

  /// True when `at` lies in the measured time. The schedule is fixed once the load begins.
  [[nodiscard]] bool measured(Instant at) const {
    return phase >= Phase::kLoad && at >= schedule->measure_begin && at < schedule->measure_end;
  }
  void fail(std::string why) {
    if (fault->empty()) *fault = std::move(why);
  }
  /// The other threads' turns come soon.
  void wake_peers() const {
    for (const auto& other : pollers) {
      if (other.get() != poller) other->wake();
    }
  }
};

/// Bounds of a run that is not going well.
inline constexpr Duration kStallAfter = std::chrono::seconds{1};
inline constexpr Duration kSetUpStallAfter = std::chrono::seconds{10};
/// Connections of one thread that are being made at the same time in the set-up: below the listen
/// backlog of every server.
inline constexpr unsigned kConnectingMax = 64;

/// One generator thread's part.
class Share {
 public:
  virtual ~Share() = default;
  /// Something happened to the source that was registered with this token.
  virtual void on_event(const transport::Event& event, Turn& turn) = 0;
  /// After the events of a turn, and at least every 100 ms. Returns how long the thread may sleep
  /// when nothing happens.
  virtual Duration on_turn(Turn& turn) = 0;
};

/// A scenario at work.
class Workload {
 public:
  virtual ~Workload() = default;
  /// Called once for each thread 0 to threads - 1, before any of them runs.
  [[nodiscard]] virtual std::unique_ptr<Share> make_share(unsigned thread) = 0;
  /// Clients that have to be ready before the load begins.
  [[nodiscard]] virtual std::uint64_t clients() const = 0;
  /// Nothing is under way and nothing will come. While the threads run.
  [[nodiscard]] virtual bool settled() const = 0;
  /// Adds the exact counts and the histograms, after the threads have ended and while the shares
  /// still exist.
  virtual void collect(Measurement& measurement) const = 0;
};

/// The sleep of a share that waits for events.
inline constexpr Duration kTurnMax = std::chrono::milliseconds{100};

}  // namespace hermod::load
