// SPDX-License-Identifier: Apache-2.0
#include "extras.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::load {
namespace {

// Servers limit the subscriptions of a client: Hermod to this, unless it is told otherwise.
constexpr unsigned kFiltersPerClient = 10'000;

}  // namespace

Extras::Extras(const Target& target) {
  add_filters(target);
  if (target.options.churn != 0) add_churn(target);
  neighbour_ = make_neighbour(target, links_);
}

void Extras::add_filters(const Target& target) {
  for (unsigned begin = 0; begin < target.options.filters; begin += kFiltersPerClient) {
    const FilterSet filters{std::min(kFiltersPerClient, target.options.filters - begin),
                            [begin, &run = target.run_name](std::uint32_t i) {
                              return fmt::format("hb/other/{}/{}/+/x", run, begin + i);
                            }};
    links_.push_back(std::make_unique<MqttLink>(
        LinkNames{.client_id = fmt::format("hb{}f{}", target.run_name, begin / kFiltersPerClient),
                  .filters = filters,
                  .version = wire_version(target.options.mqtt)}));
  }
}

void Extras::add_churn(const Target& target) {
  auto link = std::make_unique<ChurnLink>(
      LinkNames{.client_id = fmt::format("hb{}c", target.run_name),
                .version = wire_version(target.options.mqtt)},
      fmt::format("hb/churn/{}", target.run_name), target.options.churn);
  churn_ = link.get();
  links_.push_back(std::move(link));
}

void Extras::on_event(const transport::Event& event, transport::Token first_token, Turn& turn) {
  const std::size_t index = event.token - first_token;
  if (index < links_.size()) {
    links_[index]->on_event(event, turn);
  } else {
    neighbour_->on_event(index - links_.size(), event, turn);
  }
}

Duration Extras::on_turn(Turn& turn, transport::Token first_token) {
  Duration sleep = kTurnMax;
  if (churn_ != nullptr) sleep = std::min(sleep, churn_->churn(turn));
  if (neighbour_ != nullptr) {
    sleep = std::min(sleep, neighbour_->on_turn(turn, first_token + links_.size()));
  }
  return sleep;
}

void Extras::collect(Counts& counts) const {
  if (neighbour_ != nullptr) neighbour_->collect(counts);
  if (churn_ == nullptr) return;
  counts.churn_subscribed += churn_->subscribed();
  counts.churn_unsubscribed += churn_->unsubscribed();
}

}  // namespace hermod::load
