// SPDX-License-Identifier: Apache-2.0
// What a response says, and its octets. How it travels (in an Acknowledgement, or as a message of
// its own) is the session's decision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hermod/coap/session/convert.hpp"

namespace hermod::coap {

struct Reply {
  Code code;
  const Representation* representation = nullptr;
  std::optional<std::uint32_t> observe;  ///< only with a representation
  std::optional<std::uint32_t> size1;
  std::string_view diagnostic;  ///< RFC 7252 §5.5.2
};

/// Octets that write_response() writes at most.
[[nodiscard]] std::size_t response_size_max(const Reply& reply, std::size_t token_size);
/// Writes the whole message; returns its end.
[[nodiscard]] std::uint8_t* write_response(std::uint8_t* out, Type type, std::uint16_t message_id,
                                           Bytes token, const Reply& reply);

}  // namespace hermod::coap
