// SPDX-License-Identifier: Apache-2.0
#include "kill_run.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::durability {

using model::Guarantee;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Habit = SubscriberPlan::Habit;

namespace {

constexpr Duration kPatience = seconds{30};     // for anything that has to happen
constexpr Duration kStandstill = seconds{3};    // without any progress, nothing more will come
constexpr Duration kQuiet = milliseconds{500};  // a message too many has time to come
constexpr std::uint32_t kTopics = 4;            // of each publisher, beside its value
constexpr Guarantee kGuarantees[] = {Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce,
                                     Guarantee::kAtLeastOnce, Guarantee::kAtMostOnce};

}  // namespace

KillRun::KillRun(const Options& options, BrokerProcess& broker, Loop& loop)
    : options_(options),
      broker_(broker),
      loop_(loop),
      world_{.loop = loop,
             .checker = checker_,
             .broker = *transport::Address::literal("127.0.0.1", broker.port()),
             .verbose = options.verbose},
      rng_(options.seed) {
  add_publishers();
  add_devices();
  add_subscribers();
}

// Half of them speak MQTT 5, and every fourth has no lasting session.
void KillRun::add_publishers() {
  const Duration pause{static_cast<Duration::rep>(1e9 * options_.publishers / options_.rate)};
  for (std::uint32_t producer = 0; producer < options_.publishers; ++producer) {
    PublisherPlan plan{.window = 6 + producer % 8, .pause = pause};
    for (std::uint32_t topic = 0; topic <= kTopics; ++topic) {
      const bool value = topic == kTopics;
      plan.lanes.push_back(checker_.add_lane(
          {.producer = producer,
           .topic = topic,
           .name = value ? fmt::format("d/{}/value", producer)
                         : fmt::format("d/{}/{}", producer, topic),
           .guarantee = value ? kGuarantees[producer % 2] : kGuarantees[topic % kTopics],
           .retain = value}));
    }
    publishers_.emplace_back(
        world_,
        Identity{.name = fmt::format("publisher-{}", producer),
                 .version = producer % 2 == 0 ? mqtt::Version::kV311 : mqtt::Version::kV5,
                 .lasting = producer % 4 != 3},
        std::move(plan), rng_.next());
  }
}

// What is PUT is a value, and comes at least once: a copy of the request may be done twice when the
// broker was stopped in between.
void KillRun::add_devices() {
  for (std::uint32_t i = 0; i < options_.devices; ++i) {
    const std::uint32_t producer = options_.publishers + i;
    const LaneId lane = checker_.add_lane({.producer = producer,
                                           .topic = kTopics,
                                           .name = fmt::format("d/{}/value", producer),
                                           .guarantee = Guarantee::kAtLeastOnce,
                                           .retain = true});
    devices_.emplace_back(world_, lane, milliseconds{20}, rng_.next());
  }
}

void KillRun::add_subscriber(SubscriberPlan plan) {
  const std::size_t number = subscribers_.size();
  const bool v5 = number % 2 == 0;
  const bool slow = plan.habit == Habit::kSlow;
  subscribers_.emplace_back(world_,
                            Identity{.name = fmt::format("subscriber-{}", number),
                                     .version = v5 ? mqtt::Version::kV5 : mqtt::Version::kV311,
                                     .receive_max = static_cast<std::uint16_t>(slow ? 10 : 65'535)},
                            std::move(plan), rng_.next());
}

void KillRun::add_group(const std::string& name, std::vector<Filter> filters,
                        std::initializer_list<Habit> members) {
  const ReaderId group = checker_.add_reader("group " + name, filters, true);
  for (const Habit habit : members) {
    add_subscriber({.filters = filters, .habit = habit, .share = name, .group = group});
  }
}

void KillRun::add_subscribers() {
  using enum Guarantee;
  add_subscriber({.filters = {{"d/#", kExactlyOnce}}, .habit = Habit::kSteady});
  add_subscriber({.filters = {{"d/#", kExactlyOnce}}, .habit = Habit::kAway});
  add_subscriber(
      {.filters = {{"d/+/1", kExactlyOnce}, {"d/+/+", kAtLeastOnce}}, .habit = Habit::kSteady});
  add_subscriber(
      {.filters = {{"d/+/0", kAtLeastOnce}, {"d/0/#", kExactlyOnce}}, .habit = Habit::kRestless});
  add_subscriber({.filters = {{"d/+/1", kExactlyOnce}}, .habit = Habit::kRestless});
  add_subscriber(
      {.filters = {{"d/1/#", kExactlyOnce}, {"d/2/#", kExactlyOnce}}, .habit = Habit::kSlow});
  add_subscriber(
      {.filters = {{"d/3/+", kExactlyOnce}, {"d/+/3", kAtMostOnce}}, .habit = Habit::kSlow});
  add_subscriber(
      {.filters = {{"d/4/1", kExactlyOnce}, {"d/4/0", kAtLeastOnce}}, .habit = Habit::kSteady});
  add_subscriber({.filters = {{"d/5/#", kExactlyOnce}, {"d/+/value", kExactlyOnce}},
                  .habit = Habit::kRestless});
  add_subscriber({.filters = {{"+/+/2", kAtLeastOnce}}, .habit = Habit::kAway});
  add_subscriber(
      {.filters = {{"d/6/1", kExactlyOnce}, {"d/6/#", kAtLeastOnce}}, .habit = Habit::kAway});
  add_group("all", {{"d/#", kExactlyOnce}}, {Habit::kSteady, Habit::kRestless, Habit::kSlow});
  add_group("some", {{"d/+/0", kAtLeastOnce}, {"d/+/1", kExactlyOnce}},
            {Habit::kRestless, Habit::kRestless, Habit::kAway});
  late_.emplace(world_, Identity{.name = "late"},
                SubscriberPlan{.filters = {{"d/#", kExactlyOnce}}}, rng_.next());
}

bool KillRun::fail(std::string why) {
  outcome_.failure = std::move(why);
  return false;
}

bool KillRun::start_broker() {
  started_ = loop_.now();
  world_.first_connack = kNever;
  if (auto error = broker_.start()) return fail(std::move(*error));
  world_.note("broker", "started");
  return true;
}

void KillRun::note_ready() {
  if (world_.first_connack == kNever) return;
  outcome_.ready_max = std::max(outcome_.ready_max, world_.first_connack - started_);
}

template <typename Done>
bool KillRun::serve(Duration most, const Done& done) {
  const Instant until = loop_.now() + most;
  Instant look_at = loop_.now() + milliseconds{100};
  while (loop_.now() < until && !done()) {
    loop_.turn(std::min(until, loop_.now() + milliseconds{20}));
    if (loop_.now() < look_at) continue;
    look_at = loop_.now() + milliseconds{100};
    if (auto how = broker_.ended()) {
      return fail(fmt::format("the broker ended by itself, with {}", *how));
    }
  }
  return true;
}

bool KillRun::set_up() {
  if (!start_broker()) return false;
  for (Publisher& publisher : publishers_) publisher.start();
  for (Subscriber& subscriber : subscribers_) subscriber.start();
  const auto ready = [this] {
    return std::ranges::all_of(subscribers_, &Subscriber::subscribed) &&
           std::ranges::all_of(publishers_, &Publisher::open);
  };
  if (!serve(kPatience, ready)) return false;
  if (!ready()) return fail("not all clients could connect and subscribe");
  note_ready();
  for (Publisher& publisher : publishers_) publisher.begin();
  for (CoapPublisher& device : devices_) {
    if (auto begun = device.begin(); !begun) return fail(std::move(begun.error()));
  }
  return true;
}

// One of three moments: any; while clients are coming back; while the broker is starting.
bool KillRun::kill_once() {
  const std::uint64_t kind = rng_.below(10);
  const auto within = [this](double most_s) {
    return Duration{static_cast<Duration::rep>(1e9 * most_s *
                                               static_cast<double>(rng_.below(1'000'000)) / 1e6)};
  };
  bool go_on = true;
  if (kind < 1) {
    go_on = serve(within(0.03), [] { return false; });
  } else {
    // Whoever waits for a broker that does not come up waits at most so long.
    go_on = serve(kPatience, [this] { return world_.first_connack != kNever; });
    if (go_on && world_.first_connack == kNever) return fail("no CONNACK after a restart");
    const double most_s = kind < 4 ? 0.06 : options_.seconds_between * 2;
    go_on = go_on && serve(within(most_s), [] { return false; });
  }
  if (!go_on) return false;
  note_ready();
  broker_.kill();
  ++outcome_.kills;
  world_.note("broker", "killed");
  return start_broker();
}

bool KillRun::published() const {
  return std::ranges::all_of(publishers_, &Publisher::finished) &&
         std::ranges::all_of(devices_, &CoapPublisher::finished);
}

bool KillRun::all_finished() const {
  return published() && std::ranges::all_of(subscribers_, &Subscriber::settled) &&
         late_->settled() && checker_.missing() == 0;
}

bool KillRun::wind_up() {
  for (Publisher& publisher : publishers_) publisher.finish();
  for (CoapPublisher& device : devices_) device.finish();
  for (Subscriber& subscriber : subscribers_) subscriber.calm_down();
  late_->calm_down();
  // As long as anything comes, more may come.
  for (std::uint64_t before = ~std::uint64_t{0}; before != checker_.progress();) {
    before = checker_.progress();
    const Instant look_at = loop_.now() + kStandstill;
    if (!serve(kStandstill, [&] { return loop_.now() >= look_at || all_finished(); })) return false;
    if (all_finished()) break;
  }
  note_ready();
  if (!serve(kQuiet, [] { return false; })) return false;
  if (!published()) return fail("publishers wait for acknowledgements that do not come");
  ValueReader values(world_, "d/+/value", rng_.next());
  values.start();
  return serve(kStandstill, [this] { return checker_.values_missing() == 0; });
}

Outcome KillRun::run() {
  bool go_on = set_up();
  for (unsigned i = 0; go_on && i < options_.kills; ++i) {
    if (i == options_.kills / 3) late_->start();
    go_on = kill_once();
  }
  if (go_on) go_on = wind_up();
  if (go_on) {
    if (const std::string how = broker_.stop(); !how.empty()) {
      outcome_.failure = fmt::format("the broker's end: {}", how);
    }
  }
  outcome_.report = checker_.judge();
  return outcome_;
}

}  // namespace hermod::durability
