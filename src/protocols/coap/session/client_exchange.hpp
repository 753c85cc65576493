// SPDX-License-Identifier: Apache-2.0
// One operation of a client: what was asked, which of its messages is under way, and what of the
// answer is there already. A body in blocks makes it several requests, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/convert.hpp"
#include "hermod/coap/session/observe.hpp"
#include "hermod/coap/session/reliability.hpp"
#include "hermod/coap/session/token.hpp"
#include "hermod/session/effects.hpp"

namespace hermod::coap {

/// What the options of a response say. Borrows from the datagram.
struct ResponseOptions {
  std::optional<std::uint32_t> observe;
  std::optional<ContentFormat> format;
  std::optional<Block> block1;
  std::optional<Block> block2;
  std::optional<std::uint32_t> size2;
  std::uint32_t max_age_s = kMaxAgeDefaultS;
  Bytes etag;
  Bytes echo;
  bool critical = false;  ///< one that must be understood and is not
};

/// A request body on its way in blocks (RFC 7959 §2.5).
struct BodySending {
  bool active = false;
  bool restarted = false;     ///< after 4.08, which is done once
  std::uint8_t exponent = 0;  ///< SZX
  std::uint32_t tag = 0;      ///< Request-Tag (RFC 9175 §3); 0: none
  std::size_t offset = 0;     ///< of the block that is under way
  std::size_t size = 0;       ///< its octets
};

/// A response body that is put together from blocks (RFC 7959 §2.4).
struct BodyAssembly {
  bool active = false;
  bool ask = false;       ///< the next request carries Block2
  Block next;             ///< the block that it asks for
  std::size_t start = 0;  ///< offset of the first block asked for
  std::uint8_t restarts = 0;
  Code code;
  Type type = Type::kCon;
  EntityTag etag;
  std::optional<ContentFormat> format;
  std::vector<std::uint8_t> octets;
  std::vector<std::uint8_t> options;  ///< of the first block, as they stand on the wire
};

/// Where a value of an observation has come from.
struct Notified {
  std::uint32_t sequence = 0;  ///< Observe
  bool first = false;          ///< with the response that began the observation
  bool is_reply = false;       ///< in an Acknowledgement
  Type type = Type::kCon;
};

/// What notifications have told of a resource.
struct ObservedState {
  std::string topic;  ///< its name, or the path when it is no topic
  NotificationOrder order;
  std::uint64_t last_value = 0;  ///< hash of the last representation
  EntityTag last_etag;
  std::optional<std::uint32_t> last_sequence;
};

struct ClientExchange {
  enum class State : std::uint8_t { kFree, kQueued, kSent, kWaiting, kObserving };
  /// How the end of an exchange is told.
  enum class Outcome : std::uint8_t { kComplete, kSettle, kSilent, kFetch };
  static constexpr std::uint16_t kNone = 0xffff;

  State state = State::kFree;
  Type type = Type::kCon;
  Outcome outcome = Outcome::kComplete;
  Code method;
  bool ping = false;
  bool observe = false;
  bool registered = false;  ///< the server has confirmed the observation
  bool cancelling = false;
  bool own_token = false;  ///< chosen by the application: does not hold the index
  std::uint8_t echoes = 0;
  std::uint8_t no_response = 0;
  std::uint16_t index = 0;
  std::uint16_t message_id = 0;
  Token token;
  session::Ticket ticket = 0;
  model::Tag tag = 0;
  Instant due = kNever;  ///< response timeout, or renewal
  Retransmission timer;

  std::vector<std::uint8_t> options;  ///< of the request, those that all its messages have
  std::vector<std::uint8_t> body;
  std::vector<std::uint8_t> datagram;  ///< the message that is under way
  BodySending sending;
  BodyAssembly assembly;

  ObservedState observed;  ///< what the request names
  /// What notifications name, where the observation is of many resources; the oldest first.
  std::list<ObservedState> others;  // messages borrow the names; costs nothing while empty
  // Notifications of which the rest is being fetched: how many, and of a fetch whose it is.
  std::uint16_t fetches = 0;
  std::uint16_t observation = kNone;
  Notified notified;
};

/// What a path names: the topic, or the path as it is where that is none.
[[nodiscard]] std::string name_of_path(std::span<const std::string> path);

/// Reads the options of a response.
[[nodiscard]] ResponseOptions read_response_options(const MessageView& message);

}  // namespace hermod::coap
