// SPDX-License-Identifier: Apache-2.0
// What a message of the load carries: who sent it, on which of its topics, the how manieth it is,
// and a hash over all of it, so that whoever receives it can tell what it is and that it is whole.
//
//   producer (4) | topic (4) | sequence (8) | hash of all the rest (8) | filling
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hermod/base/bytes.hpp"

namespace hermod::durability {

/// Names one message of a run.
struct Label {
  std::uint32_t producer = 0;
  std::uint32_t topic = 0;     ///< of the producer's
  std::uint64_t sequence = 0;  ///< from 0, of this topic
  bool operator==(const Label&) const = default;
};

inline constexpr std::size_t kPayloadMin = 24;

/// The payload of a message, always the same for the same label and size, which is kPayloadMin or
/// more octets.
[[nodiscard]] std::vector<std::uint8_t> make_payload(const Label& label, std::size_t size);

/// The label of a payload that is whole; nothing when any octet of it is wrong, missing or too
/// much.
[[nodiscard]] std::optional<Label> read_payload(Bytes payload);

}  // namespace hermod::durability
