// SPDX-License-Identifier: Apache-2.0
#include "hermod/session/session.hpp"

#include "hermod/base/assert.hpp"

namespace hermod::session {

std::size_t Session::on_bytes(Bytes, Intake, Instant, Effects&) {
  HERMOD_ASSERT(false && "a datagram session got a stream");
  return 0;
}

void Session::on_datagram(const Datagram&, Instant, Effects&) {
  HERMOD_ASSERT(false && "a stream session got a datagram");
}

}  // namespace hermod::session
