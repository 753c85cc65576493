// SPDX-License-Identifier: Apache-2.0
#include "storm_run.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace hermod::durability {

using model::Guarantee;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration kPatience = seconds{60};
constexpr Duration kBackWithin = seconds{30};  // R29
constexpr Duration kQuiet = milliseconds{500};
constexpr unsigned kPublishers = 4;
constexpr std::uint32_t kConnectingMax = 512;  // below what a listener keeps waiting
constexpr unsigned kClientsMax = 50'000;

// Each client costs two descriptors, one on each side. The limit counts for each process, but may
// stand for all of them, in a container; some are left for everything else.
unsigned clients_allowed() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  constexpr rlim_t kOthers = 4'000;
  if (files.rlim_cur <= kOthers) return 100;
  return static_cast<unsigned>(std::min<rlim_t>(kClientsMax, (files.rlim_cur - kOthers) / 2));
}

}  // namespace

StormRun::StormRun(const Options& options, BrokerProcess& broker, Loop& loop)
    : options_(options),
      broker_(broker),
      loop_(loop),
      world_{.loop = loop,
             .checker = checker_,
             .broker = *transport::Address::literal("127.0.0.1", broker.port()),
             .verbose = options.verbose},
      rng_(options.seed) {
  outcome_.clients = options.clients != 0 ? options.clients : clients_allowed();
  add_clients();
}

// Each client has a topic of its own, at least once and exactly once by turns.
void StormRun::add_clients() {
  const auto guarantee = [](unsigned i) {
    return i / kPublishers % 2 == 0 ? Guarantee::kAtLeastOnce : Guarantee::kExactlyOnce;
  };
  std::vector<PublisherPlan> plans(kPublishers);
  for (unsigned i = 0; i < outcome_.clients; ++i) {
    plans[i % kPublishers].lanes.push_back(checker_.add_lane({.producer = i % kPublishers,
                                                              .topic = i,
                                                              .name = fmt::format("s/{}", i),
                                                              .guarantee = guarantee(i)}));
  }
  for (unsigned producer = 0; producer < kPublishers; ++producer) {
    PublisherPlan& plan = plans[producer];
    plan.window = 100;
    plan.count = options_.messages;
    plan.size_max = 200;
    publishers_.emplace_back(
        world_, Identity{.name = fmt::format("publisher-{}", producer), .inflight_max = 100},
        std::move(plan), rng_.next());
  }
  for (unsigned i = 0; i < outcome_.clients; ++i) {
    subscribers_.emplace_back(
        world_,
        Identity{.name = fmt::format("client-{}", i),
                 .version = i % 2 == 0 ? mqtt::Version::kV5 : mqtt::Version::kV311},
        SubscriberPlan{.filters = {{fmt::format("s/{}", i), guarantee(i)}},
                       .habit = SubscriberPlan::Habit::kAway},
        rng_.next());
  }
}

bool StormRun::fail(std::string why) {
  outcome_.failure = std::move(why);
  return false;
}

bool StormRun::start_broker() {
  started_ = loop_.now();
  world_.first_connack = kNever;
  if (auto error = broker_.start()) return fail(std::move(*error));
  return true;
}

template <typename Done>
bool StormRun::serve(Duration most, const Done& done) {
  const Instant until = loop_.now() + most;
  while (!done()) {
    if (loop_.now() >= until) return fail("it takes too long");
    start_more();
    loop_.turn(std::min(until, loop_.now() + milliseconds{5}));
    if (auto how = broker_.ended()) {
      return fail(fmt::format("the broker ended by itself, with {}", *how));
    }
  }
  return true;
}

// As fast as it goes, but with no more handshakes under way than a listener keeps waiting.
void StormRun::start_more() {
  std::uint32_t room = kConnectingMax - std::min(kConnectingMax, world_.connecting);
  for (; room > 0 && begun_ < subscribers_.size(); --room) {
    Subscriber& next = subscribers_[begun_++];
    if (returning_) {
      next.calm_down();
    } else {
      next.start();
    }
  }
}

bool StormRun::subscribe_all() {
  if (!start_broker()) return false;
  begun_ = 0;
  return serve(kPatience, [this] {
    return begun_ == subscribers_.size() && std::ranges::all_of(subscribers_, [](const auto& one) {
             return one.subscribed() && !one.connected();
           });
  });
}

bool StormRun::fill_queues() {
  for (Publisher& publisher : publishers_) {
    publisher.start();
    publisher.begin();
  }
  if (!serve(kPatience,
             [this] { return std::ranges::all_of(publishers_, &Publisher::finished); })) {
    return false;
  }
  for (Publisher& publisher : publishers_) publisher.leave();
  return true;
}

bool StormRun::kill_and_return() {
  broker_.kill();
  ++outcome_.kills;
  if (!start_broker()) return false;
  world_.connacks = 0;
  begun_ = 0;
  returning_ = true;
  const std::uint64_t expected = checker_.so_far().delivered + checker_.missing();
  const auto back = [this] {
    if (world_.connacks < subscribers_.size()) return false;
    if (outcome_.sessions_back == Duration{}) outcome_.sessions_back = loop_.now() - started_;
    return true;
  };
  const auto there = [this, expected] {
    if (checker_.so_far().delivered < expected) return false;
    if (outcome_.messages_there == Duration{}) outcome_.messages_there = loop_.now() - started_;
    return true;
  };
  const bool all = serve(kBackWithin, [&] {
    const bool both[] = {back(), there()};  // each notes its time
    return both[0] && both[1];
  });
  if (world_.first_connack != kNever) outcome_.ready_max = world_.first_connack - started_;
  return all;
}

StormOutcome StormRun::run() {
  bool go_on = subscribe_all() && fill_queues() && kill_and_return();
  if (go_on) {
    const Instant until = loop_.now() + kQuiet;
    go_on = serve(kQuiet * 2, [this, until] { return loop_.now() >= until; });
  }
  if (go_on) {
    if (const std::string how = broker_.stop(); !how.empty()) {
      outcome_.failure = fmt::format("the broker's end: {}", how);
    }
  }
  outcome_.report = checker_.judge();
  return outcome_;
}

}  // namespace hermod::durability
