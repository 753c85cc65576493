// SPDX-License-Identifier: Apache-2.0
// The list of protocols.
#include "protocols.hpp"

#include <algorithm>
#include <array>

#include "hermod/coap/session/plugin.hpp"
#include "hermod/mqtt/session/plugin.hpp"

namespace hermod::app {

std::span<const session::Protocol* const> protocols() {
  static const coap::Plugin kCoap;
  static const std::array<const session::Protocol*, 2> kAll{
      &mqtt::protocol(),
      &kCoap,
  };
  return kAll;
}

const session::Protocol* find_protocol(std::string_view name) {
  const auto found = std::ranges::find(protocols(), name, &session::Protocol::name);
  return found == protocols().end() ? nullptr : *found;
}

std::shared_ptr<const session::Protocol> own_protocol(const ListenerConfig& listener) {
  if (listener.protocol != "coap") return nullptr;
  return std::make_shared<const coap::Plugin>(listener.coap);
}

std::shared_ptr<const session::Protocol> group_protocol(const ListenerConfig& listener) {
  coap::Settings settings = listener.coap;
  settings.by_multicast = true;
  return std::make_shared<const coap::Plugin>(settings);
}

std::vector<std::string_view> protocol_names() {
  std::vector<std::string_view> names;
  for (const session::Protocol* protocol : protocols()) names.push_back(protocol->name());
  return names;
}

}  // namespace hermod::app
