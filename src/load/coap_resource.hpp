// SPDX-License-Identifier: Apache-2.0
// The resources that the CoAP scenarios use, and how they come to exist.
#pragma once

#include <expected>
#include <string>

#include "hermod/coap/codec/uri.hpp"
#include "target.hpp"

namespace hermod::load {

/// The resource that the target's URL names, or one below /ps/data of its own for this run; with
/// `suffix` one of its own for each suffix. Error in words when the URL is none.
[[nodiscard]] std::expected<coap::Uri, std::string> resource(const Target& target,
                                                             const std::string& suffix = {});

/// PUTs a value that no observer counts, so that there is something to GET; with `only_if_absent`
/// not when a GET succeeds already. Blocks for up to a few seconds. That the server refuses it is
/// no error here: whether the resource can be used shows itself.
void put_first_value(const Target& target, const coap::Uri& uri, bool only_if_absent);

}  // namespace hermod::load
