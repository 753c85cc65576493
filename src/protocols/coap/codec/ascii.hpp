// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hermod::coap {

/// A capital letter of US-ASCII in lower case, anything else as it is; no locale has a say.
[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace hermod::coap
