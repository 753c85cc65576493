// SPDX-License-Identifier: Apache-2.0
// How the sets of topics of two filters lie to each other (MQTT 3.1.1 §4.7).
#pragma once

#include <string_view>

namespace hermod::identity {

/// Every topic that `inner` matches is matched by `outer`.
[[nodiscard]] bool covers(std::string_view outer, std::string_view inner);

/// There are topics that both match.
[[nodiscard]] bool overlaps(std::string_view a, std::string_view b);

}  // namespace hermod::identity
