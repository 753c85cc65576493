// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/sources.hpp"

namespace hermod::broker {

Source source_of(const transport::Address& address) {
  constexpr Source kMapped = Source{0xffff} << 32;  // no subnet of IPv6 begins so
  const bool v4 = address.family() == transport::Address::Family::kV4;
  if (!v4 && address.family() != transport::Address::Family::kV6) return 0;
  Source source = 0;
  for (std::size_t i = 0; i < (v4 ? 4 : 8); ++i) source = source << 8 | address.octets()[i];
  return v4 ? source | kMapped : source;
}

bool Sources::enter(Source source, std::size_t count_max) {
  const std::scoped_lock lock{mutex_};
  std::size_t& count = counts_[source];
  if (count >= count_max) return false;
  ++count;
  return true;
}

void Sources::leave(Source source) {
  const std::scoped_lock lock{mutex_};
  const auto found = counts_.find(source);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

std::size_t Sources::size() const {
  const std::scoped_lock lock{mutex_};
  return counts_.size();
}

}  // namespace hermod::broker
