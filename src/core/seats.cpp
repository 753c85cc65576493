// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/seats.hpp"

#include "hermod/base/assert.hpp"

namespace hermod::core {

void Seats::add(const Seat& seat) {
  const bool added = ages_.emplace(seat, ++last_age_).second;
  HERMOD_ASSERT(added);
  by_age_.emplace_hint(by_age_.end(), last_age_, seat);
}

bool Seats::hand_on(const Seat& seat, const Seat& by) {
  const auto found = ages_.find(seat);
  if (found == ages_.end()) return false;
  const std::uint64_t age = found->second;
  ages_.erase(found);
  ages_.emplace(by, age);
  by_age_[age] = by;
  return true;
}

void Seats::remove(const Seat& seat) {
  const auto found = ages_.find(seat);
  if (found == ages_.end()) return;
  by_age_.erase(found->second);
  ages_.erase(found);
}

std::vector<Seat> Seats::cut(std::size_t count) {
  std::vector<Seat> gone;
  while (size() > count) {
    const auto newest = std::prev(by_age_.end());
    gone.push_back(newest->second);
    ages_.erase(newest->second);
    by_age_.erase(newest);
  }
  return gone;
}

std::vector<Seat> Seats::all() const {
  std::vector<Seat> seats;
  seats.reserve(size());
  for (const auto& [age, seat] : by_age_) seats.push_back(seat);
  return seats;
}

}  // namespace hermod::core
