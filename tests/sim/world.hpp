// SPDX-License-Identifier: Apache-2.0
// The whole broker on one thread: its shards, the network in memory they listen on, a clock that
// only moves when nobody has anything to do (or chance says so), and a scheduler that lets chance
// decide who goes on next. It knows neither what the clients do nor what is right.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "hermod/broker/authorizers.hpp"
#include "hermod/broker/shard.hpp"
#include "hermod/coap/session/plugin.hpp"
#include "hermod/transport/memory.hpp"
#include "journal.hpp"
#include "kept_store.hpp"
#include "options.hpp"
#include "trace.hpp"

namespace hermod::sim {

/// Something beside the shards that wants to run: a client.
class Task {
 public:
  virtual ~Task() = default;
  /// When run() is wanted at the latest; not after now: as soon as possible.
  [[nodiscard]] virtual Instant due() const = 0;
  virtual void run(Instant now) = 0;
};

/// The broker's log as part of the trace, for people.
class TraceLog final : public Log {
 public:
  explicit TraceLog(Trace& trace) : trace_(trace) {}
  [[nodiscard]] bool enabled(LogLevel) const override { return trace_.verbose(); }
  void write(LogLevel, std::string_view line) override { trace_.remark("broker: {}", line); }

 private:
  Trace& trace_;
};

class World {
 public:
  /// Both outlive the world. The broker listens from the start.
  World(const Options& options, Trace& trace);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] Instant now() const { return network_.now(); }
  /// now(), but never twice the same: the order of what happens at one instant counts too.
  [[nodiscard]] Instant moment() {
    return last_moment_ = std::max(now(), last_moment_ + Duration{1});
  }
  [[nodiscard]] transport::MemoryNetwork& network() { return network_; }
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] const broker::Settings& settings() const { return settings_; }

  [[nodiscard]] std::uint16_t shards() const { return settings_.threads; }
  [[nodiscard]] broker::Shard& shard(std::uint16_t index);
  [[nodiscard]] const SlowJournal& journal() const { return journal_; }
  [[nodiscard]] broker::Mailroom& mailroom() { return *mailroom_; }
  /// The shard on which a client id's subscriber lives; 0 while there is no broker.
  [[nodiscard]] std::uint16_t owner_of(std::string_view name) {
    return is_up() ? shard(0).core().owner_of(name) : std::uint16_t{0};
  }
  [[nodiscard]] const transport::Address& mqtt_address() const { return mqtt_address_; }
  [[nodiscard]] const transport::Address& coap_address() const { return coap_address_; }
  /// The shard that gets the datagrams of a peer.
  [[nodiscard]] std::uint16_t shard_of(const transport::Address& peer) const;

  /// A client; outlives the last run().
  void add(Task& task) { tasks_.push_back(&task); }
  /// Calls `action` once, that much later.
  void after(Duration delay, std::function<void()> action);
  /// Called after each turn of a shard.
  void on_turn(std::function<void(std::uint16_t shard)> callback) {
    on_turn_ = std::move(callback);
  }

  /// Lets the world go on until `until`, or until `done` says so (asked when time passes); true
  /// when it did.
  bool run(Instant until, const std::function<bool()>& done = {});
  /// From now on shards are turned when they want to be, and datagrams arrive.
  void calm();
  [[nodiscard]] bool is_calm() const { return calm_; }
  /// The clock jumps; what arrives meanwhile waits.
  void pause(Duration duration);
  /// Ends the broker as a signal would.
  void shut_down();

  // --- a broker with a store (Options::kept), which may stop and start again ---

  /// Nothing: it is ephemeral.
  [[nodiscard]] KeptStore* kept() { return kept_.get(); }
  [[nodiscard]] bool is_up() const { return !machines_.empty(); }
  void stop(Stop how);
  /// False, with a violation, when the store refuses.
  bool start();
  /// Publications that were refused, by all brokers so far.
  [[nodiscard]] std::uint64_t refused() const;
  /// Called when the store's disk has lost its power: stop() is wanted.
  void on_power_lost(std::function<void()> callback) { on_power_lost_ = std::move(callback); }

 private:
  struct Machine;
  static constexpr std::size_t kBusyStepsMax = 500'000;

  void listen();
  [[nodiscard]] bool step(Instant until);
  [[nodiscard]] Instant survey(Instant until);
  void turn(std::uint16_t index);
  void fire_timers();
  void make_machines();
  void arm_writer(Duration delay);

  const Options& options_;
  Trace& trace_;
  broker::Settings settings_;
  SeededRng rng_;
  transport::MemoryNetwork network_;
  transport::Address mqtt_address_;
  transport::Address coap_address_;
  coap::Plugin coap_;
  broker::AnonymousAuthorizer authorizer_{true};
  TraceLog log_;
  std::unique_ptr<broker::Mailroom> mailroom_;
  SlowJournal journal_;
  std::unique_ptr<broker::Sources> sources_;
  std::unique_ptr<KeptStore> kept_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<Task*> tasks_;
  std::multimap<Instant, std::function<void()>> timers_;
  std::function<void(std::uint16_t)> on_turn_;
  std::function<void()> on_power_lost_;
  std::uint64_t starts_ = 0;   // of a broker
  std::uint64_t refused_ = 0;  // by those that have stopped
  bool writer_armed_ = false;
  std::vector<std::size_t> runnable_;  // machines first, then tasks
  std::size_t steps_busy_ = 0;         // since nobody had anything to do
  Instant last_moment_{};
  bool calm_ = false;
};

}  // namespace hermod::sim
