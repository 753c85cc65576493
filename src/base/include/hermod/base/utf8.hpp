// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 defines it.
#pragma once

#include "hermod/base/bytes.hpp"

namespace hermod {

/// True when the octets are well-formed UTF-8: no overlong forms, no surrogates, nothing above
/// U+10FFFF. U+0000 passes: protocols that forbid it check it themselves. Eight ASCII octets a
/// step.
[[nodiscard]] bool is_utf8(Bytes bytes);

}  // namespace hermod
