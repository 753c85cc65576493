// SPDX-License-Identifier: Apache-2.0
// What a simulated CoAP client does by itself.
#include <algorithm>
#include <array>
#include <functional>

#include "coap_actor.hpp"

namespace hermod::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
constexpr std::size_t kPlannedMax = 50;
}  // namespace

TopicId CoapActor::some_topic() {
  return plan_.reads[rng_.below(plan_.reads.size())];
}

bool CoapActor::by_chance_confirmable() {
  return !chance(rng_, world_.options().non_permille);
}

void CoapActor::act() {
  if (calm_ || frozen_until_ > world_.now() || planned_.size() >= kPlannedMax) return;
  const CoapWeights& w = world_.options().coap_weights;
  const bool confirmable = by_chance_confirmable();
  const std::array<std::pair<unsigned, std::function<void()>>, 8> choices{{
      {w.put, [this] { put_some(); }},
      {w.get, [&] { get(some_topic(), confirmable); }},
      {w.remove,
       [&] {
         if (plan_.writes.empty()) return;
         remove(plan_.writes[rng_.below(plan_.writes.size())], confirmable);
       }},
      {w.observe, [&] { observe(some_topic(), confirmable); }},
      {w.cancel, [&] { cancel(some_topic(), false, confirmable); }},
      {w.forget, [this] { cancel(some_topic(), true, false); }},
      {w.freeze, [this] { freeze(); }},
      {w.restart, [this] { restart(); }},
  }};
  std::uint64_t sum = 0;
  for (const auto& [weight, act] : choices) sum += weight;
  std::uint64_t chosen = rng_.below(sum);
  for (const auto& [weight, act] : choices) {
    if (chosen < weight) return act();
    chosen -= weight;
  }
}

void CoapActor::put_some() {
  if (plan_.writes.empty()) return;
  const Options& options = world_.options();
  const TopicId topic = plan_.writes[rng_.below(plan_.writes.size())];
  for (std::uint64_t left = between(rng_, 1, options.burst_max); left > 0; --left) {
    std::size_t size = between(rng_, kPayloadMin, 100);
    if (chance(rng_, options.big_payload_permille)) {
      size = between(rng_, 900, options.big_body_max);
    }
    put(topic, size, by_chance_confirmable());
  }
}

void CoapActor::put(TopicId topic, std::size_t size, bool confirmable) {
  plan({.aim = Aim::kPut, .topic = topic, .size = size, .confirmable = confirmable});
}

void CoapActor::remove(TopicId topic, bool confirmable) {
  plan({.aim = Aim::kDelete, .topic = topic, .confirmable = confirmable});
}

void CoapActor::get(TopicId topic, bool confirmable) {
  plan({.aim = Aim::kGet, .topic = topic, .confirmable = confirmable});
}

void CoapActor::get_at_once(TopicId topic) {
  if (frozen_until_ > world_.now() || planned_.size() >= kPlannedMax) return;
  planned_.push_front({.aim = Aim::kGet, .topic = topic, .confirmable = false});
  kick_ = true;
}

void CoapActor::put_at_once(TopicId topic, std::size_t size) {
  if (frozen_until_ > world_.now() || planned_.size() >= kPlannedMax) return;
  planned_.push_front({.aim = Aim::kPut, .topic = topic, .size = size, .confirmable = false});
  kick_ = true;
}

void CoapActor::observe(TopicId topic, bool confirmable) {
  Request request{.aim = Aim::kRegister, .topic = topic, .confirmable = confirmable};
  for (const auto& [token, observation] : observations_) {
    const bool same = observation.observer.topic() == topic;
    // A second observation of the same topic is as good, with a token of its own.
    if (same && observation.state == Observation::State::kActive && chance(rng_, 700)) {
      request.token = token;
    }
  }
  plan(std::move(request));
}

void CoapActor::cancel(TopicId topic, bool by_reset, bool confirmable) {
  for (auto& [token, observation] : observations_) {
    if (observation.observer.topic() != topic) continue;
    if (observation.state != Observation::State::kActive) continue;
    world_.trace().note(world_.now(), "cancel", {{"client", producer_}, {"by_reset", by_reset}});
    if (by_reset) {
      observation.state = Observation::State::kForgotten;
      return;
    }
    observation.state = Observation::State::kCancelled;
    plan({.aim = Aim::kCancel, .topic = topic, .confirmable = confirmable, .token = token});
    return;
  }
}

void CoapActor::freeze() {
  const Duration most = chance(rng_, 700) ? Duration{seconds{1}} : Duration{seconds{120}};
  frozen_until_ = world_.now() + between(rng_, Duration{milliseconds{10}}, most);
  world_.trace().note(world_.now(), "freeze", {{"client", producer_}});
  for (auto& [token, observation] : observations_) observation.disturbed = true;
}

void CoapActor::restart() {
  world_.trace().note(world_.now(), "restart", {{"client", producer_}});
  poller_.remove(*socket_);
  socket_.reset();
  exchanges_.clear();
  planned_.clear();
  open_.clear();
  proven_ = false;
  octets_in_ = 0;
  octets_out_ = 0;
  observations_.clear();
  seen_.clear();
  open_socket();
}

void CoapActor::calm_down() {
  calm_ = true;
  calm_at_ = world_.now();
  kick_ = true;
  frozen_until_ = std::min(frozen_until_, world_.now());
}

void CoapActor::retire() {
  for (auto& [token, observation] : observations_) {
    if (observation.state != Observation::State::kActive) continue;
    observation.state = Observation::State::kCancelled;
    plan({.aim = Aim::kCancel, .topic = observation.observer.topic(), .token = token});
  }
}

}  // namespace hermod::sim
