// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/exchanges.hpp"

namespace hermod::coap {

Exchange* Exchanges::take(std::size_t most) {
  if (open() >= most) return nullptr;
  if (free_.empty()) {
    exchanges_.push_back(std::make_unique<Exchange>());
    exchanges_.back()->index = static_cast<std::uint32_t>(exchanges_.size() - 1);
    free_.reserve(exchanges_.size());
    free_.push_back(exchanges_.back().get());
  }
  Exchange* exchange = free_.back();
  free_.pop_back();
  exchange->open = true;
  exchange->generation = (exchange->generation + 1) & kGenerationMask;
  return exchange;
}

void Exchanges::give(Exchange& exchange) {
  exchange = {.index = exchange.index, .generation = exchange.generation};
  free_.push_back(&exchange);
}

Exchange* Exchanges::find(std::uint32_t index, std::uint32_t generation) {
  if (index >= exchanges_.size()) return nullptr;
  Exchange* exchange = exchanges_[index].get();
  return exchange->open && exchange->generation == generation ? exchange : nullptr;
}

}  // namespace hermod::coap
