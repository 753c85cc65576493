// SPDX-License-Identifier: Apache-2.0
// The part of a body that is a message: flags, address, properties, and the payload as its rest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/time.hpp"
#include "hermod/model/message.hpp"

namespace hermod::store {

/// Octets that put_content() writes at most.
[[nodiscard]] std::size_t content_octets_max(const model::Message& message);
/// Everything but the payload.
[[nodiscard]] std::uint8_t* put_content(std::uint8_t* out, const model::Message& message,
                                        Duration to_calendar);

}  // namespace hermod::store
