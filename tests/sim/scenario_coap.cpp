// SPDX-License-Identifier: Apache-2.0
// What a run does with CoAP clients.
#include <algorithm>

#include "play.hpp"

namespace hermod::sim {

using std::chrono::hours;
using std::chrono::seconds;

namespace {
// RFC 7252 §4.8.2: a peer is remembered for as long after its last request, and a little longer.
constexpr Duration kExchangeLifetime = seconds{247};
constexpr Duration kGiveUp = seconds{93};
}  // namespace

CoapActor& Scenario::make_coap_client(CoapPlan plan) {
  coap_clients_.push_back(std::make_unique<CoapActor>(world_, ledger_, jury_, coap_jury_,
                                                      std::move(plan), rng_.next()));
  return *coap_clients_.back();
}

void Scenario::make_coap_clients() {
  if (options_.coap_clients == 0) return;
  std::vector<CoapPlan> plans(options_.coap_clients);
  for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
    for (CoapPlan& plan : plans) {
      if (chance(rng_, 600)) plan.reads.push_back(topic);
    }
    // A CoAP value is always retained.
    if (ledger_.topics()[topic].kind != Topic::Kind::kState) continue;
    const bool several = chance(rng_, options_.several_writers_permille);
    for (std::uint64_t left = several ? between(rng_, 2, 3) : 1; left > 0; --left) {
      std::vector<TopicId>& writes = plans[rng_.below(plans.size())].writes;
      if (std::ranges::find(writes, topic) == writes.end()) writes.push_back(topic);
    }
  }
  for (std::size_t i = 0; i < plans.size(); ++i) {
    plans[i].name = fmt::format("coap-{}", i);
    if (plans[i].reads.empty()) plans[i].reads.push_back(0);
    make_coap_client(std::move(plans[i]));
  }
}

// Who has heard of an acknowledgement may look at once, or write something newer, on whichever
// shard.
void Scenario::gossip(PublicationId id) {
  if (!has_coap() || !ledger_[id].retain || !chance(rng_, options_.gossip_permille)) return;
  CoapActor& friend_of_it = *coap_clients_[rng_.below(coap_clients_.size())];
  const TopicId topic = ledger_[id].label.topic;
  const bool state = ledger_.topics()[topic].kind == Topic::Kind::kState;
  if (state && !world_.is_calm() && chance(rng_, 400)) {
    friend_of_it.put_at_once(topic, between(rng_, kPayloadMin, 100));
  } else {
    friend_of_it.get_at_once(topic);
  }
}

// Without losses every observation must have brought its last value by now, and the client must not
// have had to ask again.
void Scenario::check_observers() {
  if (!has_coap() || trace_.failed()) return;
  world_.run(world_.now() + options_.coap.quiet + seconds{10});
  wait_until_settled("after the last notification");
  if (options_.network.loss_permille > 0 || options_.pauses > 0 || trace_.failed()) return;
  for (const auto& client : coap_clients_) client->check_observations(true);
}

// With losses an observation may have ended unnoticed: its client asks again once Max-Age is over.
// From then on nothing may get lost any more: one more round of publications shows it.
void Scenario::play_last_round() {
  if (!has_coap() || trace_.failed()) return;
  world_.run(world_.now() + seconds{options_.coap.observe_max_age_s + 20});
  wait_until_settled("after Max-Age");
  world_.run(world_.now() + seconds{10});
  wait_until_settled("after what Max-Age has brought");
  all_arrived();
  for (const auto& client : coap_clients_) client->check_observations(false);
  cancel_some();
  wait_until_settled("after cancelling");
  for (const auto& client : coap_clients_) client->lose_unconfirmed();
  publish_some();
  wait_until_settled("after the last round");
  world_.run(world_.now() + options_.coap.quiet + seconds{10});
  wait_until_settled("after the last values");
  if (trace_.failed()) return;
  all_arrived();
  for (const auto& client : coap_clients_) client->check_observations(false);
}

void Scenario::cancel_some() {
  for (const auto& client : coap_clients_) {
    for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
      if (!chance(rng_, 300)) continue;
      const bool by_reset = chance(rng_, 300);
      client->cancel(topic, by_reset, chance(rng_, 500));
    }
  }
}

void Scenario::publish_some() {
  for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
    if (ledger_.topics()[topic].kind == Topic::Kind::kWill) continue;
    if (ledger_.topics()[topic].kind == Topic::Kind::kState && chance(rng_, 700)) {
      CoapActor& client = *coap_clients_[rng_.below(coap_clients_.size())];
      const auto size = between(rng_, kPayloadMin, 100);
      client.put(topic, size, chance(rng_, 500));
    } else if (!clients_.empty()) {
      MqttActor& client = *clients_[rng_.below(clients_.size())];
      const auto size = between(rng_, kPayloadMin, 100);
      client.publish(topic, static_cast<model::Guarantee>(rng_.below(3)), size);
    }
  }
}

// A fresh client at every shard reads everything.
void Scenario::send_coap_visitors() {
  std::vector<CoapActor*> visitors;
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
    CoapActor& visitor = make_coap_client({.name = fmt::format("coap-visitor-{}", shard)});
    while (visitor.shard() != shard) visitor.restart();
    for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) visitor.get(topic, true);
    visitors.push_back(&visitor);
  }
  wait_until_settled("with CoAP visitors");
  for (const CoapActor* visitor : visitors) {
    check_found(*visitor);
    if (visitor->found() == visitors.front()->found()) continue;
    trace_.violation(world_.now(), "{} and {} find different values", visitor->name(),
                     visitors.front()->name());
  }
}

void Scenario::check_found(const CoapActor& visitor) {
  std::map<TopicId, PublicationId> values;
  for (const auto& [topic, value] : visitor.found()) {
    if (value.kind == Value::Kind::kMessage) values.emplace(topic, value.id);
  }
  jury_.check_retained(visitor.name(), values, false);
}

void Scenario::clear_retained_over_coap() {
  CoapActor& janitor = make_coap_client({.name = "coap-janitor"});
  for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
    if (ledger_.topics()[topic].kind == Topic::Kind::kState) janitor.remove(topic, true);
  }
  wait_until_settled("while clearing");
}

// Either they say that they go, or they do not; and of some that have gone the broker does not
// know, because nothing was published since. Then it asks, once a day at least.
void Scenario::leave_coap(bool vanishing) {
  const Duration longest = std::max<Duration>(options_.coap.confirm_every, kExchangeLifetime);
  if (vanishing) {
    for (const auto& client : coap_clients_) client->restart();
    world_.run(world_.now() + longest + kGiveUp + seconds{60});
    for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
      const std::size_t left = world_.shard(shard).connections();
      if (left == 0) continue;
      trace_.violation(world_.now(), "{} peers that are gone are kept on shard {}", left, shard);
    }
    clear_retained();
    for (const auto& client : clients_) client->retire();
  }
  const bool lingers = options_.sabotage == Sabotage::kLingeringClient;
  if (lingers) coap_clients_.front()->observe(0, true);
  for (std::size_t i = lingers ? 1 : 0; i < coap_clients_.size(); ++i) coap_clients_[i]->retire();
  wait_until_settled("while leaving");
  world_.run(world_.now() + longest + kExchangeLifetime + kGiveUp + seconds{60});
}

}  // namespace hermod::sim
