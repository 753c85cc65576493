// SPDX-License-Identifier: Apache-2.0
// The octets of a simulated message: who published it, as what, and a hash over everything, so that
// whoever receives it can tell which message it is and whether it is whole.
//
//   | producer 2 | topic 2 | sequence 4 | hash of the rest and the topic's name 8 | filling ... |
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"

namespace hermod::sim {

struct Label {
  std::uint16_t producer = 0;
  std::uint16_t topic = 0;
  std::uint32_t sequence = 0;
  bool operator==(const Label&) const = default;
};

/// Octets before the filling.
inline constexpr std::size_t kPayloadMin = 16;

/// A payload of `size` (>= kPayloadMin) octets for a message on the topic `name`.
[[nodiscard]] std::vector<std::uint8_t> make_payload(const Label& label, std::string_view name,
                                                     std::size_t size);

/// What the first kPayloadMin octets of a payload say, whole or not; nothing when it is shorter.
[[nodiscard]] std::optional<Label> read_label(Bytes payload);

/// The label of a payload that came on the topic `name`; nothing when it is damaged.
[[nodiscard]] std::optional<Label> read_payload(Bytes payload, std::string_view name);

}  // namespace hermod::sim
