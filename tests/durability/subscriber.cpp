// SPDX-License-Identifier: Apache-2.0
#include "subscriber.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::durability {

using std::chrono::milliseconds;
using Habit = SubscriberPlan::Habit;

Subscriber::Subscriber(World& world, Identity identity, SubscriberPlan plan, std::uint64_t seed)
    : Client(world, std::move(identity), seed),
      plan_(std::move(plan)),
      reader_(plan_.share.empty() ? world.checker.add_reader(name(), plan_.filters) : plan_.group) {
}

void Subscriber::calm_down() {
  plan_.habit = Habit::kSteady;
  break_off_at_ = kNever;
  answer_at_ = {};
  if (connected()) link().read_slowly(SIZE_MAX, Duration::zero());
  start();
}

void Subscriber::on_opened(bool session_present, Instant now) {
  if (!session_present) subscribed_ = false;
  asked_ = false;
  unanswered_.clear();
  if (plan_.habit == Habit::kRestless) {
    break_off_at_ = now + between(milliseconds{1}, milliseconds{400});
  }
}

void Subscriber::on_lost(Instant) {
  break_off_at_ = kNever;
  unanswered_.clear();
}

void Subscriber::on_completed(const session::Completed& completed) {
  if (completed.reason != model::Reason::kOk || ++granted_ < plan_.filters.size()) return;
  subscribed_ = true;
  session_confirmed();
  world().checker.subscribed(reader_);
  world().note(name(), "SUBACK");
}

void Subscriber::on_message(const session::Publish& publish) {
  const model::Message& message = publish.message;
  world().checker.arrived(reader_, message.destination.address, message.payload, message.retain);
  if (world().verbose) {
    if (const auto label = read_payload(message.payload)) {
      world().note(name(), message.retain ? "got the value" : "got", message.destination.address,
                   label->sequence);
    }
  }
  if (publish.ticket == 0) return;
  if (unanswered_.empty()) {
    const bool late = plan_.habit == Habit::kSlow;
    answer_at_ = world().loop.now() + (late ? between(Duration{0}, milliseconds{50}) : Duration{0});
  }
  unanswered_.push_back(publish.ticket);
}

void Subscriber::act(Instant now) {
  if (plan_.habit == Habit::kSlow) link().read_slowly(4096, milliseconds{4});
  if (!subscribed_ && !asked_) subscribe(now);
  if (!unanswered_.empty() && answer_at_ <= now && !link().over()) {
    const std::vector<session::Ticket> tickets = std::exchange(unanswered_, {});
    link().answer(tickets, now);
  }
  if (link().over() || !subscribed_) return;
  if (plan_.habit == Habit::kAway) return stay_away(now);
  if (break_off_at_ <= now) {
    break_off(chance(500), between(milliseconds{1}, milliseconds{600}), now);
  }
}

Instant Subscriber::due() const {
  return std::min(break_off_at_, unanswered_.empty() ? kNever : answer_at_);
}

void Subscriber::subscribe(Instant now) {
  asked_ = true;
  granted_ = 0;
  const std::string prefix = plan_.share.empty() ? "" : fmt::format("$share/{}/", plan_.share);
  std::vector<std::string> texts;
  for (const Filter& filter : plan_.filters) texts.push_back(prefix + filter.text);
  std::vector<mqtt::SubscribeEntry> entries;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    entries.push_back(
        {.filter = texts[i], .qos = static_cast<std::uint8_t>(plan_.filters[i].guarantee)});
  }
  (void)link().subscribe(entries, 1, now);
}

ValueReader::ValueReader(World& world, std::string filter, std::uint64_t seed)
    : Client(world, {.name = "values", .lasting = false}, seed), filter_(std::move(filter)) {}

void ValueReader::on_message(const session::Publish& publish) {
  const model::Message& message = publish.message;
  if (message.retain) world().checker.value(message.destination.address, message.payload);
  if (publish.ticket != 0) unanswered_.push_back(publish.ticket);
}

void ValueReader::act(Instant now) {
  if (!asked_) {
    asked_ = true;
    const mqtt::SubscribeEntry entry{.filter = filter_, .qos = 1};
    (void)link().subscribe({&entry, 1}, 1, now);
  }
  if (unanswered_.empty() || link().over()) return;
  const std::vector<session::Ticket> tickets = std::exchange(unanswered_, {});
  link().answer(tickets, now);
}

}  // namespace hermod::durability
