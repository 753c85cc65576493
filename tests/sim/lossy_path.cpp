// SPDX-License-Identifier: Apache-2.0
#include "lossy_path.hpp"

#include <utility>

#include "options.hpp"

namespace hermod::sim {

unsigned LossyPath::send(Octets datagram, Instant now) {
  if (chance(rng_, manners_.loss_permille)) return 0;
  Instant due = now + between(rng_, manners_.delay_min, manners_.delay_max);
  if (chance(rng_, manners_.reorder_permille)) due += manners_.reorder_delay;
  const bool twice = chance(rng_, manners_.duplicate_permille);
  if (twice) {
    const Duration later =
        between(rng_, manners_.duplicate_delay_min, manners_.duplicate_delay_max);
    under_way_.emplace(due + later, datagram);
  }
  under_way_.emplace(due, std::move(datagram));
  return twice ? 2 : 1;
}

std::optional<Octets> LossyPath::receive(Instant now) {
  if (due() > now) return std::nullopt;
  auto node = under_way_.extract(under_way_.begin());
  return std::move(node.mapped());
}

}  // namespace hermod::sim
