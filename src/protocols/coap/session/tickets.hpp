// SPDX-License-Identifier: Apache-2.0
// What the tickets of a CoAP server session are made of: what was asked, for which record, and
// which generation of it, so that an answer that comes too late meets nobody.
#pragma once

#include <cstdint>

#include "hermod/session/effects.hpp"

namespace hermod::coap {

enum class Asked : std::uint8_t {
  kAttach = 1,
  kLookup,
  kPublish,
  kSubscribe,
  kUnsubscribe,
  kWatch,
  kList,
  kDeclare,
  kUndeclare,
};

[[nodiscard]] constexpr session::Ticket make_ticket(Asked asked, std::uint32_t index,
                                                    std::uint32_t generation) {
  return std::uint64_t{static_cast<std::uint8_t>(asked)} << 56 | std::uint64_t{generation} << 32 |
         index;
}
[[nodiscard]] constexpr Asked asked_of(session::Ticket ticket) {
  return static_cast<Asked>(ticket >> 56);
}
[[nodiscard]] constexpr std::uint32_t generation_of(session::Ticket ticket) {
  return static_cast<std::uint32_t>(ticket >> 32) & 0xff'ffffu;
}
[[nodiscard]] constexpr std::uint32_t index_of(session::Ticket ticket) {
  return static_cast<std::uint32_t>(ticket);
}

}  // namespace hermod::coap
