// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include "play.hpp"

namespace hermod::sim {

using model::Guarantee;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Scenario::Scenario(const Options& options, bool verbose)
    : options_(options),
      trace_(verbose),
      world_(options_, trace_),
      jury_(world_, ledger_),
      coap_jury_(world_, ledger_, jury_),
      group_jury_(world_, ledger_, jury_),
      rng_(options.seed ^ 0xac7) {
  world_.on_turn([this](std::uint16_t shard) { jury_.check_limits(shard); });
  jury_.on_acknowledged([this](PublicationId id) { gossip(id); });
}

Outcome Scenario::run() {
  make_topics();
  make_clients();
  make_coap_clients();
  for (const auto& client : clients_) {
    client->start();
    schedule(*client);
  }
  for (const auto& client : coap_clients_) schedule(*client);
  plan_pauses();
  plan_stops();
  world_.run(world_.now() + options_.traffic);
  come_to_rest();
  judge();
  if (options_.seed % 8 == 0) {
    shut_down();
  } else {
    leave();
  }
  return outcome();
}

// --- who and what ---

void Scenario::make_topics() {
  for (unsigned i = 0; i < options_.state_topics; ++i) {
    ledger_.add_topic(fmt::format("state/{}/s{}", i % 3, i), Topic::Kind::kState);
  }
  for (unsigned i = 0; i < options_.event_topics; ++i) {
    ledger_.add_topic(fmt::format("event/{}/e{}", i % 2, i), Topic::Kind::kEvent);
  }
  ledger_.add_topic("$private/e", Topic::Kind::kEvent);
  for (unsigned i = 0; i < options_.mqtt_clients; ++i) {
    ledger_.add_topic(fmt::format("will/{}", i), Topic::Kind::kWill);
  }
}

std::string Scenario::random_filter() {
  constexpr std::array<std::string_view, 10> kWild = {
      "#",      "state/#", "event/#",   "will/+",    "+/+/+",
      "will/#", "+/0/#",   "state/1/+", "event/0/#", "$private/+"};
  if (chance(rng_, 550)) return std::string{kWild[rng_.below(kWild.size())]};
  return ledger_.topics()[rng_.below(ledger_.topics().size())].name;
}

MqttPlan Scenario::make_plan(unsigned index) {
  MqttPlan plan{.name = fmt::format("client-{}", index),
                .lasting = !chance(rng_, options_.clean_permille),
                .will = ledger_.find_topic(fmt::format("will/{}", index)),
                .retain_will = chance(rng_, 300),
                .slow_answers = chance(rng_, options_.slow_answer_permille),
                .slow_reader = chance(rng_, options_.slow_reader_permille)};
  if (chance(rng_, options_.v5_permille)) {
    plan.version = mqtt::Version::kV5;
    if (chance(rng_, 500)) plan.receive_max = static_cast<std::uint16_t>(between(rng_, 1, 5));
    if (chance(rng_, 500)) plan.alias_max = static_cast<std::uint16_t>(between(rng_, 1, 4));
    if (chance(rng_, 500)) plan.own_alias_max = static_cast<std::uint16_t>(between(rng_, 1, 4));
  }
  if (chance(rng_, options_.member_permille)) {
    constexpr std::array<std::string_view, 4> kGroups = {"$share/a/#", "$share/b/event/#",
                                                         "$share/a/state/#", "$share/c/+/+"};
    plan.group = kGroups[rng_.below(chance(rng_, 500) ? 1 : kGroups.size())];
    plan.filters = {plan.group};
    return plan;
  }
  for (std::uint64_t i = between(rng_, 0, 5); i > 0; --i) plan.filters.push_back(random_filter());
  std::ranges::sort(plan.filters);
  plan.filters.erase(std::ranges::unique(plan.filters).begin(), plan.filters.end());
  return plan;
}

MqttActor& Scenario::make_client(MqttPlan plan) {
  plan.producer = static_cast<ProducerId>(clients_.size());
  clients_.push_back(std::make_unique<MqttActor>(world_, ledger_, jury_, plan, rng_.next()));
  if (!plan.group.empty()) group_jury_.add(plan.group, clients_.back()->reader());
  return *clients_.back();
}

void Scenario::make_clients() {
  if (options_.mqtt_clients == 0) return;
  std::vector<MqttPlan> plans;
  for (unsigned i = 0; i < options_.mqtt_clients; ++i) plans.push_back(make_plan(i));
  // Every topic but wills has a writer; some have more.
  for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
    const Topic::Kind kind = ledger_.topics()[topic].kind;
    if (kind == Topic::Kind::kWill) continue;
    const bool state = kind == Topic::Kind::kState;
    const bool several = chance(rng_, state ? options_.several_writers_permille : 500);
    for (std::uint64_t left = several ? between(rng_, 2, 4) : 1; left > 0; --left) {
      std::vector<TopicId>& topics = plans[rng_.below(plans.size())].topics;
      if (std::ranges::find(topics, topic) == topics.end()) topics.push_back(topic);
    }
  }
  for (MqttPlan& plan : plans) make_client(std::move(plan));
}

template <typename Client>
void Scenario::schedule(Client& client) {
  world_.after(between(rng_, Duration{0}, options_.act_every * 2), [this, &client] {
    if (world_.is_calm()) return;
    client.act();
    schedule(client);
  });
}

void Scenario::plan_pauses() {
  for (unsigned i = 0; i < options_.pauses; ++i) {
    world_.after(between(rng_, Duration{0}, options_.traffic), [this] {
      world_.pause(between(rng_, Duration{milliseconds{100}}, Duration{seconds{30}}));
    });
  }
}

// --- the end ---

bool Scenario::settled() const {
  const auto each = [](const auto& client) { return client->settled(); };
  return std::ranges::all_of(clients_, each) && std::ranges::all_of(coap_clients_, each);
}

void Scenario::wait_until_settled(std::string_view when) {
  // A value takes thousands of round trips where blocks are small, and NSTART is 1.
  const Duration patience = has_coap() ? Duration{hours{3}} : Duration{seconds{600}};
  if (world_.run(world_.now() + patience, [this] { return settled(); }) || trace_.failed()) return;
  for (const auto& client : coap_clients_) {
    if (client->settled()) continue;
    trace_.violation(world_.now(), "does not come to rest {}: {}", when, client->state());
  }
  for (const auto& client : clients_) {
    if (client->settled()) continue;
    trace_.violation(world_.now(), "does not come to rest {}: {}", when, client->state());
  }
}

void Scenario::come_to_rest() {
  world_.calm();
  mend();
  for (const auto& client : clients_) client->calm_down();
  for (const auto& client : coap_clients_) client->calm_down();
  wait_until_settled("after the traffic");
  check_observers();
  // By then connections that nobody ended are found out.
  world_.run(world_.now() + milliseconds{1500} * options_.keep_alive_s + seconds{15});
  wait_until_quiet();
  wait_until_settled("after the keep-alive time");
  play_last_round();
}

// A slow connection may have much to bring: until nobody has received anything for a while.
void Scenario::wait_until_quiet() {
  const Instant patience = world_.now() + seconds{2'000};
  std::uint64_t before = 0;
  std::uint64_t received = 0;
  do {
    before = received;
    world_.run(world_.now() + seconds{5});
    received = 0;
    for (const auto& client : clients_) received += client->received();
    for (const auto& client : coap_clients_) received += client->received();
  } while (received != before && world_.now() < patience && !trace_.failed());
}

void Scenario::all_arrived() {
  for (const auto& client : clients_) {
    ledger_.all_arrived(client->producer(), client->connection(), world_.moment());
  }
}

void Scenario::judge() {
  if (trace_.failed()) return;
  coap_jury_.check_reads();
  all_arrived();
  for (PublicationId id = 0; id < ledger_.size(); ++id) {
    if (ledger_[id].will == Publication::Will::kDue) ledger_.accepted(id, world_.moment());
  }
  jury_.check_deliveries();
  jury_.check_new_subscriptions();
  jury_.check_wills();
  jury_.check_queues_empty();
  group_jury_.check();
  if (options_.cast != Cast::kCoap && !trace_.failed()) send_visitors();
  if (has_coap() && !trace_.failed()) send_coap_visitors();
}

// A fresh subscriber on every shard asks for everything that is retained.
void Scenario::send_visitors() {
  std::vector<MqttActor*> visitors;
  std::vector<std::uint64_t> dropped;
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
    std::string name;
    for (unsigned i = 0; name.empty() || world_.owner_of(name) != shard; ++i) {
      name = fmt::format("visitor-{}", i);
    }
    visitors.push_back(&make_client({.name = name, .filters = {"#"}, .subscribes_to_all = true}));
    dropped.push_back(jury_.dropped(shard));
    visitors.back()->calm_down();
    visitors.back()->start();
  }
  wait_until_settled("with visitors");
  wait_until_quiet();
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
    const MqttActor& visitor = *visitors[shard];
    const bool any_dropped = jury_.dropped(shard) > dropped[shard];
    jury_.check_retained(visitor.name(), visitor.retained(), any_dropped);
    if (any_dropped || jury_.dropped(0) > dropped[0]) continue;
    if (visitor.retained() != visitors.front()->retained()) {
      trace_.violation(world_.now(), "{} and {} find different retained values", visitor.name(),
                       visitors.front()->name());
    }
  }
}

void Scenario::clear_retained() {
  if (options_.cast == Cast::kCoap) return clear_retained_over_coap();
  MqttActor& janitor = make_client({.name = "janitor"});
  janitor.calm_down();
  janitor.start();
  for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
    if (ledger_.topics()[topic].kind == Topic::Kind::kEvent) continue;
    janitor.publish(topic, Guarantee::kAtLeastOnce, 0);
  }
  wait_until_settled("while clearing");
}

void Scenario::leave() {
  if (trace_.failed()) return;
  // A broker that nobody publishes to has to find out by itself who is gone.
  const bool vanishes = has_coap() && options_.seed % 4 == 1;
  if (!vanishes) clear_retained();
  const std::size_t stays = options_.sabotage == Sabotage::kLingeringClient ? 1 : 0;
  for (std::size_t i = stays; i < clients_.size(); ++i) clients_[i]->retire();
  const auto gone = [&] {
    return std::all_of(
        clients_.begin() + static_cast<std::ptrdiff_t>(std::min(stays, clients_.size())),
        clients_.end(), [](const auto& client) { return client->retired(); });
  };
  if (!world_.run(world_.now() + seconds{300}, gone) && !trace_.failed()) {
    for (const auto& client : clients_) {
      if (client->retired()) continue;
      trace_.violation(world_.now(), "does not come away: {}", client->state());
    }
  }
  if (has_coap()) leave_coap(vanishes);
  world_.run(world_.now() + seconds{10});
  jury_.check_leftovers();
}

void Scenario::shut_down() {
  if (trace_.failed()) return;
  world_.shut_down();
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
    if (world_.shard(shard).connections() == 0) continue;
    trace_.violation(world_.now(), "left on shard {} after shutting down: {} connections", shard,
                     world_.shard(shard).connections());
  }
}

Outcome Scenario::outcome() {
  Outcome out{.violations = trace_.violations(),
              .trace_hash = trace_.hash(),
              .publications = ledger_.size()};
  for (PublicationId id = 0; id < ledger_.size(); ++id) out.marked += ledger_[id].marked ? 1 : 0;
  out.shared = group_jury_.shared();
  out.passed_on = group_jury_.passed_on();
  for (const auto& client : coap_clients_) out.coap += client->counts();
  out.stops = stops_;
  out.damages = damages_;
  if (!world_.is_up()) return out;
  if (KeptStore* kept = world_.kept()) {
    out.removed = kept->removed();
    out.unwell = kept->unwell();
    out.refused = world_.refused();
  }
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
    const core::RouterCounters& counters = world_.shard(shard).core().counters();
    out.deliveries += counters.delivered;
    out.dropped += counters.dropped_full();
  }
  return out;
}

Outcome run_scenario(const Options& options, bool verbose) {
  return Scenario(options, verbose).run();
}

}  // namespace hermod::sim
