// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::durability {

using std::chrono::milliseconds;

void World::note(std::string_view who, std::string_view what) const {
  if (!verbose) return;
  const auto us =
      std::chrono::duration_cast<std::chrono::microseconds>(loop.now().time_since_epoch());
  fmt::print(stderr, "{}.{:06} {}: {}\n", us.count() / 1'000'000, us.count() % 1'000'000, who,
             what);
}

void World::note(std::string_view who, std::string_view what, std::string_view topic,
                 std::uint64_t sequence) const {
  if (verbose) note(who, fmt::format("{} {} of '{}'", what, sequence, topic));
}

Client::Client(World& world, Identity identity, std::uint64_t seed)
    : world_(world), identity_(std::move(identity)), rng_(seed), token_(world.loop.add(*this)) {}

void Client::start() {
  wanted_ = true;
  if (link_ || connect_at_ != kNever) return;
  connect_at_ = world_.loop.now();
  world_.loop.arm(token_, connect_at_);
}

void Client::leave() {
  wanted_ = false;
  connect_at_ = kNever;
  if (!link_) return;
  const Instant now = world_.loop.now();
  if (open_) {
    link_->disconnect(now);
  } else {
    link_->drop(now);
  }
  settle_down(now);
}

void Client::break_off(bool politely, Duration pause, Instant now) {
  pause_ = pause;
  if (politely) {
    link_->disconnect(now);
  } else {
    link_->drop(now);
  }
}

void Client::stay_away(Instant now) {
  wanted_ = false;
  link_->disconnect(now);
}

Duration Client::between(Duration least, Duration most) {
  const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + Duration{static_cast<Duration::rep>(rng_.below(span))};
}

mqtt::ClientOptions Client::options() const {
  mqtt::ClientOptions options;
  options.version = identity_.version;
  options.client_id = identity_.name;
  options.clean_session = !identity_.lasting;
  options.inflight_max = identity_.inflight_max;
  if (identity_.version == mqtt::Version::kV5) {
    options.session_expiry_s = identity_.lasting ? UINT32_MAX : 0;
    options.receive_max = identity_.receive_max;
  }
  return options;
}

void Client::connect(Instant now) {
  connect_at_ = kNever;
  auto stream = transport::connect_tcp(world_.broker);
  if (!stream || !world_.loop.poller().add(**stream, token_)) {
    connect_at_ = now + milliseconds{20};
    return;
  }
  ++world_.connecting;
  Link::Owner& owner = *this;
  link_ = std::make_unique<Link>(std::move(*stream), options(), std::move(inflight_), owner);
}

void Client::on_event(const transport::Event& event, Instant now) {
  if (!link_) return;
  link_->on_event(event, now);
  settle_down(now);
}

void Client::on_time(Instant now) {
  if (link_) {
    link_->on_time(now);
  } else if (wanted_ && connect_at_ <= now) {
    connect(now);
  }
  settle_down(now);
}

void Client::settle_down(Instant now) {
  if (open_ && !link_->over()) act(now);
  if (link_ && link_->over()) {
    if (!open_) --world_.connecting;
    if (link_->gave_up() != model::Reason::kOk) {
      world_.checker.broke_off(name(), static_cast<int>(link_->gave_up()));
    }
    const bool was_open = std::exchange(open_, false);
    inflight_ = link_->take_inflight();
    link_.reset();
    if (was_open) {
      world_.note(name(), "connection ended");
      on_lost(now);
    }
    const Duration most = was_open ? milliseconds{50} : milliseconds{15};
    connect_at_ = wanted_ ? now + pause_ + between(milliseconds{1}, most) : kNever;
    pause_ = {};
  }
  Instant next = connect_at_;
  if (link_) next = std::min(next, link_->due());
  if (open_) next = std::min(next, due());
  world_.loop.arm(token_, next);
}

void Client::on_effect(const session::Effect& effect) {
  if (const auto* publish = std::get_if<session::Publish>(&effect)) return on_message(*publish);
  if (const auto* settle = std::get_if<session::Settle>(&effect)) return on_settle(*settle);
  if (const auto* credit = std::get_if<session::Credit>(&effect)) return on_credit(credit->count);
  if (const auto* completed = std::get_if<session::Completed>(&effect)) {
    return on_completed(*completed);
  }
  const auto* opened = std::get_if<session::Opened>(&effect);
  if (opened == nullptr || opened->reason != model::Reason::kOk) return;
  const Instant now = world_.loop.now();
  world_.note(name(),
              opened->session_present ? "CONNACK, session present" : "CONNACK, new session");
  ++world_.connacks;
  --world_.connecting;
  world_.first_connack = std::min(world_.first_connack, now);
  if (opened->session_present) ++world_.sessions_present;
  open_ = true;
  if (confirmed_ && !opened->session_present) {
    world_.checker.session_lost(name());
    confirmed_ = false;
  }
  on_opened(opened->session_present, now);
}

}  // namespace hermod::durability
