// SPDX-License-Identifier: Apache-2.0
// The protocols that the program speaks. A new one is one line in protocols.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "hermod/session/protocol.hpp"

namespace hermod::app {

/// All of them; they live for ever.
[[nodiscard]] std::span<const session::Protocol* const> protocols();

/// The protocol of a name, or nullptr.
[[nodiscard]] const session::Protocol* find_protocol(std::string_view name);

/// The protocol of a listener where it has settings of its own; nullptr: it is find_protocol()'s.
[[nodiscard]] std::shared_ptr<const session::Protocol> own_protocol(const ListenerConfig& listener);

/// The same for what is sent to the groups that a CoAP listener has joined.
[[nodiscard]] std::shared_ptr<const session::Protocol> group_protocol(
    const ListenerConfig& listener);

/// The names, for the configuration.
[[nodiscard]] std::vector<std::string_view> protocol_names();

}  // namespace hermod::app
