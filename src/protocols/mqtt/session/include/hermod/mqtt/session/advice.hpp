// SPDX-License-Identifier: Apache-2.0
// Refusals in words for the people who run the client: the Reason String of MQTT 5 (§3.2.2.3.9,
// §3.4.2.2.2, §3.9.2.1.2, §3.14.2.2.3). Each says what is wrong and how to mend it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/packet_type.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/mqtt/session/v5.hpp"
#include "hermod/session/effects.hpp"

namespace hermod::mqtt {

/// What a failure means when this server says it in `packet`; "" where its name says it all.
[[nodiscard]] std::string_view advice(ReasonCode code, PacketType packet);

/// What a packet that could not be read has broken.
[[nodiscard]] inline session::BrokenRule broken_rule(const WireError& error) {
  return {error.statement, error.offset};
}
/// "MQTT-3.3.2-2 is broken at octet 5 of the packet."
[[nodiscard]] std::string to_text(const session::BrokenRule& broken);

/// The properties of a packet that refuses: a Reason String where there is something to say and the
/// client wants to be told, and a Server Reference that is not empty.
class ReasonString {
 public:
  /// `v5` is nullptr before the client's wishes are known.
  ReasonString(ReasonCode code, PacketType packet, const session::BrokenRule& broken, const V5* v5,
               std::string_view server_reference = {});
  /// What a packet that has `packet_bytes` without it can carry: nothing where the client does not
  /// take so much [MQTT-3.2.2-19]. Borrowed.
  [[nodiscard]] PropertyBlock beside(std::size_t packet_bytes) const;

 private:
  EncodedProperties encoded_;
  std::size_t room_;  // in a packet
};

}  // namespace hermod::mqtt
