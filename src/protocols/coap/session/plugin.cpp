// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/plugin.hpp"

#include "hermod/coap/codec/uri.hpp"
#include "hermod/coap/session/server_session.hpp"

namespace hermod::coap {

std::uint16_t Plugin::default_port() const {
  return kPort;
}

std::unique_ptr<session::Session> Plugin::make_session(const session::SessionSetup& setup) const {
  return std::make_unique<ServerSession>(settings_, setup);
}

}  // namespace hermod::coap
