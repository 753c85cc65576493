// SPDX-License-Identifier: Apache-2.0
// A message as octets, for a row of the metadata (docs/formats/metadata.md). CBOR:
//   blob = [format, kind, address, routing key, payload, guarantee, retain, origin, version,
//           expiry, properties]
//   origin = [protocol, shard, connection, client, exchange]
//   properties = null | [content type, reply to, correlation, message id, etag, timestamp,
//                        priority, text, *(name, value)]
//   value = [type, value]
// Texts are octet strings, as nobody promises that they are UTF-8; what is not there is null. The
// expiry is in the store's calendar, null for never.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/model/message.hpp"
#include "hermod/store/calendar.hpp"

namespace hermod::store {

/// Appends `message` to `out`. Its owner and what the owner shares are not part of it.
void encode_message(const model::Message& message, const Calendar& calendar,
                    std::vector<std::uint8_t>& out);

/// A copy of what encode_message() was given; else what is wrong with the octets, for people.
[[nodiscard]] std::expected<model::MessageRef, std::string> decode_message(
    Bytes octets, const Calendar& calendar);

}  // namespace hermod::store
