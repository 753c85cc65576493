// SPDX-License-Identifier: Apache-2.0
// What an MQTT 5 connection has beside the exchanges of 3.1.1, the same for both roles: the peer's
// limits, topic aliases both ways, and properties on their way between packets and hub messages.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/hash.hpp"
#include "hermod/base/time.hpp"
#include "hermod/model/delivery.hpp"
#include "hermod/model/message.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/session/inflight.hpp"

namespace hermod::mqtt {

/// Topics that the peer has given a number (§3.3.2.3.4). A topic that is replaced lives until the
/// next forget_replaced(): messages that are being worked on may borrow it.
class IncomingAliases {
 public:
  /// Numbers from 1 to `most` may be used.
  void allow(std::uint16_t most) { most_ = most; }
  [[nodiscard]] bool allows(std::uint32_t alias) const { return alias > 0 && alias <= most_; }
  /// The topic of a PUBLISH with an alias, which it may set; nothing when the alias is not allowed
  /// [MQTT-3.3.2-9] or stands for no topic.
  [[nodiscard]] std::optional<std::string_view> resolve(std::uint32_t alias,
                                                        std::string_view topic);
  void forget_replaced() { replaced_.clear(); }

 private:
  std::uint16_t most_ = 0;
  std::vector<std::unique_ptr<const std::string>> topics_;
  std::vector<std::unique_ptr<const std::string>> replaced_;
};

/// Numbers that stand for topics towards the peer: the first topics that come get one, for good.
class OutgoingAliases {
 public:
  void allow(std::uint16_t most) { most_ = most; }
  [[nodiscard]] bool used() const { return most_ > 0; }
  struct Alias {
    std::uint16_t number = 0;  ///< 0: none is left
    bool known = false;        ///< to the peer: the topic may be left out
  };
  /// The topic's number, or the one that it would get.
  [[nodiscard]] Alias find(std::string_view topic) const {
    return used() ? find_used(topic) : Alias{};
  }
  /// A PUBLISH has told the peer of the number that find() gave.
  void set(std::string_view topic, std::uint16_t number) { numbers_.emplace(topic, number); }

 private:
  [[nodiscard]] Alias find_used(std::string_view topic) const;

  std::uint16_t most_ = 0;
  boost::unordered_flat_map<std::string, std::uint16_t, KeyedHash, std::equal_to<>> numbers_;
};

/// Properties of received messages in the hub's words, kept until the effects have been executed.
class HeldProperties {
 public:
  /// The properties of a PUBLISH or a will; nullptr when the hub has no words for any of them.
  /// Borrows the octets of `block`.
  [[nodiscard]] const model::Properties* hold(const PropertyBlock& block);
  /// The identifiers of subscriptions in the block that became `properties`.
  [[nodiscard]] std::span<const std::uint32_t> subscription_ids(
      const model::Properties* properties) const;
  void release() { used_ = 0; }

 private:
  struct Held {
    model::Properties properties;
    std::vector<model::UserProperty> user;
    std::vector<std::uint32_t> subscription_ids;
  };
  std::vector<std::unique_ptr<Held>> held_;
  std::size_t used_ = 0;
};

/// A connection's method of authentication (§4.12), and whose turn it is in an exchange that
/// begins after CONNACK.
struct Authentication {
  enum class Turn : std::uint8_t { kNobody, kOwner, kPeer };
  std::string method;
  Turn turn = Turn::kNobody;
};

struct V5 {
  /// This side is the client: it may be told subscription ids, and hears why it was refused.
  bool client = false;
  bool gives_reasons = true;  ///< refusals to the peer say why, in words (§3.1.2.11.7)
  std::uint32_t packet_bytes_max = UINT32_MAX;  ///< that the peer takes [MQTT-3.1.2-24]
  std::uint16_t receive_max = 65'535;      ///< messages above QoS 0 that the peer takes at a time
  std::uint16_t own_receive_max = 65'535;  ///< that this side takes at a time
  std::uint32_t unanswered_at_least_once = 0;  ///< received, PUBACK not sent
  /// Exactly-once messages of earlier connections that may be unfinished: the peer's quota begins
  /// anew with each connection and does not count them (§4.9).
  std::size_t carried = 0;
  IncomingAliases incoming_aliases;
  OutgoingAliases outgoing_aliases;
  HeldProperties held;
  std::unique_ptr<Authentication> authentication;  ///< server: nothing without a method in CONNECT

  /// Messages above QoS 0 that the peer has sent on this connection and that are not over, at least
  /// (§4.9): whether one that ends is an earlier connection's is not remembered.
  [[nodiscard]] std::size_t received(const session::Inflight& inflight) const {
    return unanswered_at_least_once + inflight.incoming() - carried;
  }
  /// Exactly-once messages of the peer have ended.
  void note_ended(const session::Inflight& inflight) {
    carried = std::min(carried, inflight.incoming());
  }
  /// The effects of the last input have been executed.
  void release() {
    incoming_aliases.forget_replaced();
    held.release();
  }
};

/// A block of properties with the memory that it lies in.
class EncodedProperties {
 public:
  /// Encodes the list; false, and no properties, when MQTT cannot say it.
  bool encode(std::span<const Property> list);
  [[nodiscard]] const PropertyBlock& block() const { return block_; }

 private:
  std::vector<std::uint8_t> octets_;
  PropertyBlock block_;
};

/// Appends the method of authentication and what it says; nothing when that is empty.
inline void append_auth(std::string_view method, Bytes octets, std::vector<Property>& list) {
  list.push_back({.id = PropertyId::kAuthenticationMethod, .text = method});
  if (!octets.empty()) list.push_back({.id = PropertyId::kAuthenticationData, .data = octets});
}

/// The authentication data in a block; empty when there is none.
[[nodiscard]] inline Bytes auth_octets_of(const PropertyBlock& block) {
  const auto found = block.find(PropertyId::kAuthenticationData);
  return found ? found->data : Bytes{};
}

/// The text of a property in a block; empty when there is none. Borrowed from the block.
[[nodiscard]] inline std::string_view text_of(const PropertyBlock& block, PropertyId id) {
  const auto found = block.find(id);
  return found ? found->text : std::string_view{};
}

/// Appends what a PUBLISH says of a message beside topic and payload: its properties, what is left
/// of its life, the subscriptions that it comes for. Borrows from the message and the ids.
void append_properties(const model::Message& message,
                       std::span<const std::uint32_t> subscription_ids, Instant now,
                       std::vector<Property>& list);

/// True when there is nothing for append_properties() to append.
[[nodiscard]] inline bool has_no_properties(const model::Message& message,
                                            std::span<const std::uint32_t> subscription_ids) {
  return message.properties == nullptr && message.expires_at == kNever && subscription_ids.empty();
}

}  // namespace hermod::mqtt
