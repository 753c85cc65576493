// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/watches.hpp"

#include "hermod/base/assert.hpp"

namespace hermod::broker {

std::size_t Watches::count(core::ConnectionKey connection) const {
  const auto found = counts_.find(connection);
  return found == counts_.end() ? 0 : found->second;
}

RequestId Watches::begin(core::ConnectionKey connection, std::string_view topic,
                         session::Ticket ticket) {
  const bool added = places_.try_emplace({connection, std::string{topic}}, ++last_).second;
  HERMOD_ASSERT(added);
  watches_.emplace(last_,
                   Watch{.connection = connection, .ticket = ticket, .topic = std::string{topic}});
  ++counts_[connection];
  return last_;
}

Watches::Watch* Watches::find(RequestId number) {
  const auto found = watches_.find(number);
  return found == watches_.end() ? nullptr : &found->second;
}

void Watches::end(RequestId number) {
  const auto found = watches_.find(number);
  if (found == watches_.end()) return;
  const auto place = places_.find({found->second.connection, found->second.topic});
  HERMOD_ASSERT(place != places_.end());
  (void)take(place);
}

std::optional<Watches::Numbered> Watches::take(core::ConnectionKey connection,
                                               std::string_view topic) {
  const auto place = places_.find({connection, std::string{topic}});
  if (place == places_.end()) return std::nullopt;
  return take(place);
}

std::optional<Watches::Numbered> Watches::take_any(core::ConnectionKey connection) {
  const auto place = places_.lower_bound({connection, std::string{}});
  if (place == places_.end() || place->first.first != connection) return std::nullopt;
  return take(place);
}

Watches::Numbered Watches::take(Places::iterator place) {
  const auto found = watches_.find(place->second);
  Numbered taken{found->first, std::move(found->second)};
  watches_.erase(found);
  places_.erase(place);
  const auto count = counts_.find(taken.watch.connection);
  if (--count->second == 0) counts_.erase(count);
  return taken;
}

}  // namespace hermod::broker
