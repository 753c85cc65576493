// SPDX-License-Identifier: Apache-2.0
// CoAP as the program sees it: one line in app/protocols.cpp.
#pragma once

#include "hermod/coap/session/settings.hpp"
#include "hermod/session/protocol.hpp"

namespace hermod::coap {

/// CoAP over UDP (RFC 7252). Outlives the sessions it makes.
class Plugin final : public session::Protocol {
 public:
  Plugin() = default;
  explicit Plugin(const Settings& settings) : settings_(settings) {}

  [[nodiscard]] session::ProtocolId id() const override { return session::ProtocolId::kCoap; }
  [[nodiscard]] std::string_view name() const override { return "coap"; }
  [[nodiscard]] std::uint16_t default_port() const override;
  [[nodiscard]] session::Transport transport() const override {
    return session::Transport::kDatagram;
  }
  [[nodiscard]] session::Detection detect(Bytes) const override { return session::Detection::kNo; }
  [[nodiscard]] std::unique_ptr<session::Session> make_session(
      const session::SessionSetup& setup) const override;

 private:
  Settings settings_;
};

}  // namespace hermod::coap
