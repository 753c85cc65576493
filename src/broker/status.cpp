// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace hermod::broker {
namespace {

using Member = std::uint64_t Counts::*;

struct Number {
  std::string_view topic;
  Member member;
};
constexpr std::array kNumbers{
    Number{"clients/total", &Counts::clients_total},
    Number{"clients/connected", &Counts::clients_connected},
    Number{"clients/active", &Counts::clients_connected},
    Number{"clients/expired", &Counts::clients_expired},
    Number{"messages/received", &Counts::messages_received},
    Number{"messages/sent", &Counts::messages_sent},
    Number{"messages/stored", &Counts::stored},
    Number{"messages/inflight", &Counts::inflight},
    Number{"store/messages/count", &Counts::stored},
    Number{"store/messages/bytes", &Counts::stored_bytes},
    Number{"store/batches", &Counts::store_batches},
    Number{"publish/messages/received", &Counts::publishes_received},
    Number{"publish/messages/sent", &Counts::publishes_sent},
    Number{"publish/messages/dropped", &Counts::publishes_dropped},
    Number{"dropped/queue_messages", &Counts::dropped_length},
    Number{"dropped/queue_bytes", &Counts::dropped_bytes},
    Number{"dropped/user_quota", &Counts::dropped_user},
    Number{"dropped/oldest", &Counts::dropped_head},
    Number{"dropped/expired", &Counts::dropped_expired},
    Number{"dropped/damaged", &Counts::dropped_damaged},
    Number{"dropped/away", &Counts::dropped_away},
    Number{"dropped/refused", &Counts::publishes_refused},
    Number{"publish/bytes/received", &Counts::publish_bytes_received},
    Number{"publish/bytes/sent", &Counts::publish_bytes_sent},
    Number{"bytes/received", &Counts::bytes_received},
    Number{"bytes/sent", &Counts::bytes_sent},
    Number{"subscriptions/count", &Counts::subscriptions},
    Number{"shared_subscriptions/count", &Counts::shared_subscriptions},
    Number{"retained messages/count", &Counts::retained},
    Number{"declared topics/count", &Counts::declared},
    Number{"connections/unauthenticated", &Counts::unauthenticated},
    Number{"connections/refused", &Counts::refused},
};

// What happens in a minute.
constexpr std::array kLoads{
    Number{"messages/received", &Counts::messages_received},
    Number{"messages/sent", &Counts::messages_sent},
    Number{"publish/received", &Counts::publishes_received},
    Number{"publish/sent", &Counts::publishes_sent},
    Number{"publish/dropped", &Counts::publishes_dropped},
    Number{"bytes/received", &Counts::bytes_received},
    Number{"bytes/sent", &Counts::bytes_sent},
    Number{"sockets", &Counts::sockets},
    Number{"connections", &Counts::connects},
};
constexpr std::array kMinutes{1, 5, 15};

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  constexpr std::array kMembers{
      &Counts::bytes_received,
      &Counts::bytes_sent,
      &Counts::messages_received,
      &Counts::messages_sent,
      &Counts::publishes_received,
      &Counts::publishes_sent,
      &Counts::publish_bytes_received,
      &Counts::publish_bytes_sent,
      &Counts::publishes_dropped,
      &Counts::dropped_length,
      &Counts::dropped_bytes,
      &Counts::dropped_user,
      &Counts::dropped_head,
      &Counts::dropped_away,
      &Counts::dropped_expired,
      &Counts::dropped_damaged,
      &Counts::publishes_refused,
      &Counts::sockets,
      &Counts::connects,
      &Counts::refused,
      &Counts::clients_expired,
      &Counts::clients_connected,
      &Counts::clients_total,
      &Counts::unauthenticated,
      &Counts::subscriptions,
      &Counts::shared_subscriptions,
      &Counts::retained,
      &Counts::declared,
      &Counts::stored,
      &Counts::stored_bytes,
      &Counts::inflight,
      &Counts::store_batches,
  };
  using ByListener = decltype(Counts::by_listener);
  static_assert(sizeof(Counts) == kMembers.size() * sizeof(std::uint64_t) + sizeof(ByListener));
  for (const Member member : kMembers) this->*member += other.*member;
  by_listener.resize(std::max(by_listener.size(), other.by_listener.size()));
  for (std::size_t i = 0; i < other.by_listener.size(); ++i) by_listener[i] += other.by_listener[i];
  return *this;
}

// One update: who is told what.
struct Status::Round {
  boost::unordered_flat_map<std::string, std::string>& last;
  const Publish& publish;
  Instant now;

  void say(std::string_view topic, std::string text) {
    std::string& before = last[std::string{topic}];
    if (before == text) return;
    publish(topic, text);
    before = std::move(text);
  }
};

void Status::update(const Counts& counts, std::optional<std::uint64_t> heap_bytes, Instant now,
                    const Publish& publish) {
  Round round{last_, publish, now};
  say_facts(round);
  say_counts(counts, round);
  say_connections(counts, round);
  say_loads(counts, round);
  if (heap_bytes) {
    heap_maximum_ = std::max(heap_maximum_, *heap_bytes);
    round.say("heap/current", fmt::to_string(*heap_bytes));
    round.say("heap/maximum", fmt::to_string(heap_maximum_));
  }
  before_ = counts;
  updated_ = now;
}

void Status::say_facts(Round& round) const {
  round.say("version", fmt::format("hermod version {}", facts_.version));
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(round.now - facts_.start);
  round.say("uptime", fmt::format("{} seconds", uptime.count()));
  round.say("threads", fmt::to_string(facts_.threads));
  round.say("durability", facts_.durability);
}

void Status::say_counts(const Counts& counts, Round& round) {
  for (const Number& number : kNumbers) {
    round.say(number.topic, fmt::to_string(counts.*number.member));
  }
  clients_maximum_ = std::max(clients_maximum_, counts.clients_connected);
  round.say("clients/maximum", fmt::to_string(clients_maximum_));
  const std::uint64_t away = counts.clients_total - counts.clients_connected;
  round.say("clients/disconnected", fmt::to_string(away));
  round.say("clients/inactive", fmt::to_string(away));
}

void Status::say_connections(const Counts& counts, Round& round) const {
  std::map<std::string_view, std::uint64_t> by_protocol;
  for (std::size_t i = 0; i < facts_.protocols.size(); ++i) {
    by_protocol[facts_.protocols[i]] += i < counts.by_listener.size() ? counts.by_listener[i] : 0;
  }
  for (const auto& [protocol, count] : by_protocol) {
    round.say(fmt::format("connections/{}", protocol), fmt::to_string(count));
  }
}

// Exponential moving averages: what the last interval would have been in a minute counts the more,
// the longer it was.
void Status::say_loads(const Counts& counts, Round& round) {
  averages_.resize(kLoads.size());
  const double elapsed_s =
      updated_ ? std::chrono::duration<double>(round.now - *updated_).count() : 0.0;
  for (std::size_t i = 0; i < kLoads.size(); ++i) {
    const Member member = kLoads[i].member;
    const auto delta = static_cast<double>(counts.*member - before_.*member);
    for (std::size_t span = 0; span < kMinutes.size(); ++span) {
      double& average = averages_[i][span];
      if (elapsed_s > 0) {
        const double weight = std::exp(-elapsed_s / (60.0 * kMinutes[span]));
        const double rate = delta * 60.0 / elapsed_s;
        average = rate + weight * (average - rate);
      }
      round.say(fmt::format("load/{}/{}min", kLoads[i].topic, kMinutes[span]),
                fmt::format("{:.2f}", average));
    }
  }
}

}  // namespace hermod::broker
