// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/broker/restore.hpp"
#include "hermod/mqtt/session/plugin.hpp"

namespace hermod::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kBegin = Instant{} + seconds{1000};
// What a turn takes: a clock that stands still while much happens is none.
constexpr Duration kStep = microseconds{20};
constexpr std::uint64_t kHashKey = 0x6a09e667f3bcc908u;

}  // namespace

// One shard with what it is made of.
struct World::Machine {
  Machine(World& world, std::uint16_t self)
      : rng(world.rng_.next()),
        poller(world.network_),
        shard({.settings = world.settings_,
               .self = self,
               .hash_key = kHashKey + world.starts_ - 1,
               .clock = world.network_,
               .rng = rng,
               .log = world.log_,
               .journal = world.kept_ ? world.kept_->journal(self)
                                      : static_cast<core::Journal&>(world.journal_),
               .authorizers = {world.settings_.listeners.size(), &world.authorizer_},
               .poller = poller,
               .mailroom = *world.mailroom_,
               .sources = *world.sources_}) {}

  SeededRng rng;
  transport::MemoryPoller poller;
  broker::Shard shard;
  Instant due{};
  Instant stalled_until{};
};

World::World(const Options& options, Trace& trace)
    : options_(options),
      trace_(trace),
      settings_(options.broker),
      rng_(options.seed ^ 0x5eed),
      network_(options.network),
      mqtt_address_(*transport::Address::literal("127.0.0.1", 1883)),
      coap_address_(*transport::Address::literal("127.0.0.1", 5683)),
      coap_(options.coap),
      log_(trace),
      journal_(
          [this, own = SeededRng{rng_.next()}](std::function<void()> done) mutable {
            if (options_.sync_max == Duration::zero()) return done();
            after(between(own, options_.sync_min, options_.sync_max), std::move(done));
          },
          [this] {
            for (auto& machine : machines_) machine->poller.wake();
          },
          options.sabotage == Sabotage::kHollowJournal) {
  network_.advance_to(kBegin);
  settings_.listeners.push_back({.protocol = &mqtt::protocol(),
                                 .address = mqtt_address_,
                                 .allow_anonymous = true,
                                 .limits = options.session});
  settings_.listeners.push_back({.protocol = &coap_,
                                 .address = coap_address_,
                                 .allow_anonymous = true,
                                 .limits = options.session});
  if (options.kept.on) {
    kept_ = std::make_unique<KeptStore>(options, network_, log_);
    (void)start();
  } else {
    make_machines();
    listen();
  }
}

World::~World() {
  machines_.clear();  // before their journals
}

void World::make_machines() {
  ++starts_;
  mailroom_ = std::make_unique<broker::Mailroom>(settings_.threads);
  sources_ = std::make_unique<broker::Sources>();
  std::vector<transport::Poller*> pollers;
  for (std::uint16_t i = 0; i < settings_.threads; ++i) {
    machines_.push_back(std::make_unique<Machine>(*this, i));
    pollers.push_back(&machines_.back()->poller);
  }
  for (auto& machine : machines_) machine->shard.connect(pollers);
}

void World::listen() {
  for (auto& machine : machines_) {
    auto listener = network_.listen(mqtt_address_, true);
    HERMOD_ASSERT(listener.has_value());
    HERMOD_ASSERT(machine->shard.add_listener(0, std::move(*listener)));
    auto socket = network_.bind(coap_address_, true);
    HERMOD_ASSERT(socket.has_value());
    HERMOD_ASSERT(machine->shard.add_socket(1, std::move(*socket)));
  }
}

void World::calm() {
  calm_ = true;
  network_.heal_datagrams();
}

// As the network chooses among the sockets of an address.
std::uint16_t World::shard_of(const transport::Address& peer) const {
  return static_cast<std::uint16_t>(transport::AddressHash{}(peer) % settings_.threads);
}

broker::Shard& World::shard(std::uint16_t index) {
  return machines_[index]->shard;
}

void World::after(Duration delay, std::function<void()> action) {
  timers_.emplace(now() + delay, std::move(action));
}

bool World::run(Instant until, const std::function<bool()>& done) {
  while (!trace_.failed()) {
    const Instant before = now();
    if (!step(until)) break;
    if (done && now() != before && done()) return true;
  }
  return done && done();
}

// Collects who could go on; returns when the next one could.
Instant World::survey(Instant until) {
  runnable_.clear();
  Instant next = std::min(until, network_.next_due());
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    const Machine& machine = *machines_[i];
    if (machine.stalled_until > now()) {
      next = std::min(next, machine.stalled_until);
    } else if (machine.poller.ready() || machine.due <= now()) {
      runnable_.push_back(i);
    } else {
      next = std::min(next, machine.due);
    }
  }
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Instant due = tasks_[i]->due();
    if (due <= now()) {
      runnable_.push_back(machines_.size() + i);
    } else {
      next = std::min(next, due);
    }
  }
  return next;
}

// One thing happens. False once `until` has come.
bool World::step(Instant until) {
  if (++steps_busy_ > kBusyStepsMax) {
    trace_.violation(now(), "the broker or a client spins: {} turns without a rest", steps_busy_);
    return false;
  }
  fire_timers();
  if (until <= now()) return false;  // a timer may have moved the clock
  Instant next = survey(until);
  if (!calm_ && is_up() && chance(rng_, options_.idle_turn_permille)) {
    turn(static_cast<std::uint16_t>(rng_.below(machines_.size())));
    return true;
  }
  const bool lag = !calm_ && chance(rng_, options_.lag_permille);
  if (runnable_.empty()) steps_busy_ = 0;
  if (runnable_.empty() || lag) {
    if (lag) next = std::min(next, now() + between(rng_, microseconds{1}, milliseconds{3}));
    network_.advance_to(next);
    return now() < until;
  }
  const std::size_t chosen = runnable_[rng_.below(runnable_.size())];
  if (chosen >= machines_.size()) {
    tasks_[chosen - machines_.size()]->run(now());
  } else {
    turn(static_cast<std::uint16_t>(chosen));
  }
  network_.advance_to(now() + kStep);
  return true;
}

void World::turn(std::uint16_t index) {
  Machine& machine = *machines_[index];
  machine.due = machine.shard.turn(Duration::max());
  trace_.note(now(), "turn", {{"shard", index}});
  if (!calm_ && chance(rng_, options_.stall_permille)) {
    const Duration most = chance(rng_, 50) ? Duration{seconds{3}} : Duration{milliseconds{50}};
    machine.stalled_until = now() + between(rng_, Duration{1}, most);
  }
  if (kept_) arm_writer(between(rng_, options_.sync_min, options_.sync_max));
  if (on_turn_) on_turn_(index);
}

void World::fire_timers() {
  while (!timers_.empty() && timers_.begin()->first <= now()) {
    const auto node = timers_.extract(timers_.begin());
    node.mapped()();
  }
}

void World::pause(Duration duration) {
  trace_.note(now(), "pause", {{"ms", static_cast<std::uint64_t>(duration / milliseconds{1})}});
  network_.advance_to(now() + duration);
}

void World::shut_down() {
  for (auto& machine : machines_) machine->shard.shut_down();
}

// The writer of the store, whose batch takes that long.
void World::arm_writer(Duration delay) {
  if (std::exchange(writer_armed_, true)) return;
  after(delay, [this, start = starts_] {
    if (!is_up() || start != starts_) return;
    writer_armed_ = false;
    kept_->write();
    trace_.note(now(), "written", {{"state", static_cast<std::uint64_t>(kept_->state())}});
    if (kept_->disk().stopped()) {
      if (on_power_lost_) on_power_lost_();
    } else if (kept_->state() == core::Journal::State::kFull) {
      arm_writer(milliseconds{250});
    }
  });
}

void World::stop(Stop how) {
  trace_.note(now(), "stop", {{"how", static_cast<std::uint64_t>(how)}});
  for (int round = 0; how == Stop::kClean && round < 3; ++round) shut_down();
  if (how == Stop::kClean) {
    kept_->write();
    for (auto& machine : machines_) machine->shard.hear_last();
  }
  refused_ = refused();
  machines_.clear();
  mailroom_.reset();
  writer_armed_ = false;
  kept_->close(how);
}

std::uint64_t World::refused() const {
  std::uint64_t sum = refused_;
  for (const auto& machine : machines_) sum += machine->shard.core().own_counters().refused;
  return sum;
}

bool World::start() {
  auto left = kept_->open(settings_.threads, [this](std::uint16_t shard) {
    if (shard < machines_.size()) machines_[shard]->poller.wake();
  });
  if (!left) {
    trace_.violation(now(), "the store refuses to open: {}", left.error());
    return false;
  }
  trace_.note(now(), "start",
              {{"sessions", left->queues.size()},
               {"messages", left->messages},
               {"values", left->values.size()}});
  make_machines();
  std::vector<broker::Shard*> shards;
  for (auto& machine : machines_) shards.push_back(&machine->shard);
  broker::restore(std::move(*left), shards);
  listen();
  return true;
}

}  // namespace hermod::sim
