// SPDX-License-Identifier: Apache-2.0
// What a simulated client does by itself.
#include <algorithm>
#include <array>

#include "mqtt_actor.hpp"

namespace hermod::sim {

using model::Guarantee;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
constexpr std::size_t kBacklogMax = 200;
constexpr unsigned kClearPermille = 80;
}  // namespace

void MqttActor::act() {
  if (stage_ != Stage::kRunning || calm_ || frozen_until_ > world_.now()) return;
  const Weights& w = world_.options().weights;
  const std::array<std::pair<unsigned, std::function<void()>>, 8> choices{{
      {w.publish, [this] { publish_some(); }},
      {w.subscribe, [this] { subscribe_some(); }},
      {w.unsubscribe, [this] { unsubscribe_some(); }},
      {w.goodbye, [this] { say_goodbye(); }},
      {w.reset, [this] { break_connection(false); }},
      {w.silence, [this] { break_connection(true); }},
      {w.freeze, [this] { freeze(); }},
      {w.takeover, [this] { take_over(); }},
  }};
  std::uint64_t sum = 0;
  for (const auto& [weight, act] : choices) sum += weight;
  std::uint64_t chosen = rng_.below(sum);
  for (const auto& [weight, act] : choices) {
    if (chosen < weight) return act();
    chosen -= weight;
  }
}

void MqttActor::publish_some() {
  if (plan_.topics.empty()) return;
  const Options& options = world_.options();
  const TopicId topic = plan_.topics[rng_.below(plan_.topics.size())];
  const bool mixed = chance(rng_, 300);
  auto guarantee = static_cast<Guarantee>(rng_.below(3));
  for (std::uint64_t left = between(rng_, 1, options.burst_max); left > 0; --left) {
    if (mixed) guarantee = static_cast<Guarantee>(rng_.below(3));
    const bool state = ledger_.topics()[topic].kind == Topic::Kind::kState;
    std::size_t size = between(rng_, kPayloadMin, 100);
    if (chance(rng_, options.big_payload_permille)) {
      size = between(rng_, 900, options.big_payload_max);
    }
    if (state && chance(rng_, kClearPermille)) size = 0;
    publish(topic, guarantee, size);
  }
}

void MqttActor::publish(TopicId topic, Guarantee guarantee, std::size_t size) {
  if (outgoing_.size() >= kBacklogMax) return;
  const PublicationId id =
      ledger_.draft({.producer = plan_.producer,
                     .topic = topic,
                     .guarantee = guarantee,
                     .retain = ledger_.topics()[topic].kind != Topic::Kind::kEvent,
                     .size = size});
  outgoing_.push_back({.id = id});
  kick_ = true;
}

void MqttActor::subscribe(const std::string& filter, Guarantee guarantee) {
  if (!open_ || link_->said_goodbye()) return;
  const Instant now = world_.now();
  const mqtt::SubscribeEntry entry{.filter = filter, .qos = static_cast<std::uint8_t>(guarantee)};
  const std::size_t grant = reader_.asked(filter, guarantee, world_.moment());
  requests_.emplace(++last_request_, Request{filter, grant});
  world_.trace().note(now, "subscribe", {{"client", connection_}, {"grant", grant}});
  world_.trace().remark("'{}' at level {}", filter, static_cast<unsigned>(guarantee));
  if (!link_->subscribe({&entry, 1}, last_request_, now)) {
    requests_.erase(last_request_);
    reader_.refused(grant, world_.moment());
  }
}

// A new session has no subscriptions: some of the filters, in some order.
void MqttActor::choose_subscriptions() {
  wanted_ = plan_.filters;
  if (plan_.subscribes_to_all || wanted_.empty()) return;
  for (std::size_t i = wanted_.size() - 1; i > 0; --i) {
    std::swap(wanted_[i], wanted_[rng_.below(i + 1)]);
  }
  wanted_.resize(between(rng_, 1, wanted_.size()));
}

// Members of a group want to be told that nothing is lost.
Guarantee MqttActor::some_guarantee() {
  const std::uint64_t least = plan_.group.empty() ? 0 : 1;
  return static_cast<Guarantee>(between(rng_, least, 2));
}

void MqttActor::subscribe_wanted() {
  if (!open_) return;
  for (const std::string& filter : std::exchange(wanted_, {})) {
    subscribe(filter, plan_.subscribes_to_all ? Guarantee::kAtLeastOnce : some_guarantee());
  }
}

void MqttActor::subscribe_some() {
  if (plan_.filters.empty()) return;
  const Guarantee guarantee = some_guarantee();
  subscribe(plan_.filters[rng_.below(plan_.filters.size())], guarantee);
}

void MqttActor::unsubscribe_some() {
  if (!open_ || plan_.filters.empty() || link_->said_goodbye()) return;
  const Instant now = world_.now();
  const std::string& filter = plan_.filters[rng_.below(plan_.filters.size())];
  const std::string_view view = filter;
  const std::size_t before = reader_.leaving(filter, world_.moment());
  requests_.emplace(++last_request_, Request{filter, std::nullopt, before});
  world_.trace().note(now, "unsubscribe", {{"client", connection_}});
  world_.trace().remark("'{}'", filter);
  if (!link_->unsubscribe({&view, 1}, last_request_, now)) requests_.erase(last_request_);
}

void MqttActor::say_goodbye() {
  if (!open_) return;
  world_.trace().note(world_.now(), "goodbye", {{"client", connection_}});
  link_->disconnect(world_.now());
}

void MqttActor::break_connection(bool silently) {
  if (!link_ || link_->end() != MqttLink::End::kNone) return;
  world_.trace().note(world_.now(), silently ? "silence" : "reset", {{"client", connection_}});
  if (silently) {
    world_.network().silence(link_->stream());
  } else {
    world_.network().reset(link_->stream());
  }
}

void MqttActor::freeze() {
  const Duration longest = milliseconds{2'500} * world_.options().keep_alive_s;
  const Duration most = chance(rng_, 700) ? Duration{seconds{1}} : longest;
  frozen_until_ = world_.now() + between(rng_, Duration{milliseconds{10}}, most);
  world_.trace().note(world_.now(), "freeze", {{"client", connection_}});
}

// A second process with the same name: the first one's connection stands until the broker ends it.
void MqttActor::take_over() {
  if (!link_ || link_->end() != MqttLink::End::kNone) return;
  const Instant now = world_.now();
  world_.trace().note(now, "takeover", {{"client", connection_}});
  link_->abandon(now);
  const bool unanswered = !open_;
  old_links_.push_back(
      {lose_link(now), now + between(rng_, Duration{0}, Duration{seconds{5}}), unanswered});
  connect_at_ = now;
}

void MqttActor::calm_down() {
  calm_ = true;
  kick_ = true;
  frozen_until_ = std::min(frozen_until_, world_.now());
  if (connect_at_ != kNever) connect_at_ = world_.now();
  answer_at_ = world_.now();
  if (link_) link_->read_slowly(4096, Duration{0});
}

void MqttActor::retire() {
  stage_ = Stage::kWiping;
  kick_ = true;
  if (!link_) connect_at_ = world_.now();
}

}  // namespace hermod::sim
