// SPDX-License-Identifier: Apache-2.0
// The hub message: what a publication is between protocols. It knows no protocol. A Message is a
// view of octets that somebody else holds; own() makes a counted copy that can be kept.
// docs/decisions/0001-hub-message.md tells how each protocol fills it and what is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/shared_bytes.hpp"
#include "hermod/base/time.hpp"

namespace hermod::model {

/// Where a message lies in a store; 0: nowhere. A multiple of 8.
using Position = std::uint64_t;

/// How surely a message is to arrive: MQTT's QoS, CoAP's NON and CON, AMQP's settled and unsettled.
enum class Guarantee : std::uint8_t { kAtMostOnce = 0, kAtLeastOnce = 1, kExactlyOnce = 2 };

/// Where a message lies in a store; 0: nowhere.
using Position = std::uint64_t;

/// Where a message goes or comes from. Topic "a/b", exchange "amq.topic" with routing key "a.b",
/// and queue "orders" are the three forms; amq.topic is the topic space itself, so that the AMQP
/// sessions hand its keys over as topics.
struct Destination {
  enum class Kind : std::uint8_t { kTopic, kExchange, kQueue };
  Kind kind = Kind::kTopic;
  std::string_view address;      ///< topic name, exchange name or queue name
  std::string_view routing_key;  ///< kExchange only

  [[nodiscard]] static Destination topic(std::string_view name) { return {Kind::kTopic, name, {}}; }
};

/// A named value that the publisher attached. Order and repetition are kept (MQTT 5 §3.3.2.3.7);
/// typed because AMQP's headers are.
struct UserProperty {
  using Value = std::variant<std::string_view, std::int64_t, double, bool, Bytes>;
  std::string_view name;
  Value value;
};

/// What a message carries beside its payload. Texts and octets that are not there have no data();
/// those that are there may be empty.
struct Properties {
  std::string_view content_type;
  std::string_view reply_to;  ///< MQTT 5 response topic, AMQP reply-to
  Bytes correlation;
  std::string_view message_id;
  Bytes etag;                     ///< CoAP's entity tag
  std::int64_t timestamp_ms = 0;  ///< publisher's wall clock since 1970, 0 = absent
  std::uint8_t priority = 0;      ///< 0 to 255; 0 is also "not given"
  bool text = false;              ///< the publisher says that the payload is UTF-8
  std::span<const UserProperty> user;
};

/// Who published: for no-local subscriptions, logs and traces.
struct Origin {
  std::uint8_t protocol = 0;  ///< session::ProtocolId
  std::uint16_t shard = 0;
  std::uint32_t connection =
      0;  ///< index and generation folded; unique while it is open on its shard
  /// Of a retained value and of a will, which outlive the connection: the publishing client's mark
  /// (core::Subscribers::mark); 0: none.
  std::uint32_t client = 0;
  /// Names an exactly-once publication as long as its exchange lasts: the publisher's packet id,
  /// below the queue (core::QueueId) of a publisher that is kept in the store. 0: it has no name.
  std::uint64_t exchange = 0;
};

class OwnedMessage;
class MessageRef;

/// A publication. Plain to copy as a view; the octets live as long as the call it came in says.
struct Message {
  Destination destination;
  Bytes payload;
  const Properties* properties = nullptr;  ///< nullptr: none
  Guarantee guarantee = Guarantee::kAtMostOnce;
  bool retain = false;  ///< keep as the last value of its topic
  Origin origin;
  std::uint64_t version =
      0;  ///< orders retained values of one topic across shards; 0 until stamped
  Instant expires_at = kNever;
  /// The counted copy behind this view, when there is one. The core sets it (and holds a reference)
  /// so that a message kept by many subscribers is copied once.
  mutable OwnedMessage* owner = nullptr;

  /// A counted copy: `owner` shared, or a new one. Belongs to the calling shard.
  [[nodiscard]] MessageRef own() const;
};

/// The counted copy: topic and small payload in one allocation, large payload (Output::kShareFrom)
/// in SharedBytes of its own, so that outputs can refer to it.
class OwnedMessage {
 public:
  [[nodiscard]] const Message& message() const { return message_; }
  /// The payload as shared octets; empty when it is small and lies beside the topic.
  [[nodiscard]] const SharedBytes& shared_payload() const { return payload_; }
  /// Octets of memory that this message holds; what queue limits count.
  [[nodiscard]] std::size_t memory() const { return memory_; }
  /// Where it lies in the store of whoever keeps it.
  [[nodiscard]] Position position() const { return position_; }
  void set_position(Position position) { position_ = position; }

  /// Copies `message`, but for a large payload that its owner has. With `payload` set, refers to it
  /// instead of copying the payload.
  static MessageRef copy_of(const Message& message, SharedBytes payload = {});

 private:
  friend class MessageRef;
  OwnedMessage() = default;
  static void destroy(OwnedMessage* message) noexcept;

  Message message_;
  SharedBytes payload_;
  Position position_ = 0;
  std::uint32_t references_ = 1;
  std::uint32_t memory_ = 0;
};

/// Reference to a counted copy; the count is a plain integer: one shard's property.
class MessageRef {
 public:
  MessageRef() = default;
  MessageRef(const MessageRef& other) noexcept : owned_(other.owned_) {
    if (owned_ != nullptr) ++owned_->references_;
  }
  MessageRef(MessageRef&& other) noexcept : owned_(std::exchange(other.owned_, nullptr)) {}
  MessageRef& operator=(MessageRef other) noexcept {
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~MessageRef() {
    if (owned_ != nullptr && --owned_->references_ == 0) OwnedMessage::destroy(owned_);
  }

  [[nodiscard]] explicit operator bool() const { return owned_ != nullptr; }
  [[nodiscard]] const Message& operator*() const { return owned_->message_; }
  [[nodiscard]] const Message* operator->() const { return &owned_->message_; }
  [[nodiscard]] OwnedMessage* get() const { return owned_; }
  /// Hands the reference over, as a pointer; adopt() takes it up again.
  [[nodiscard]] OwnedMessage* leave() { return std::exchange(owned_, nullptr); }
  [[nodiscard]] static MessageRef adopt(OwnedMessage* owned) { return MessageRef{owned}; }

 private:
  friend class OwnedMessage;
  friend struct Message;
  explicit MessageRef(OwnedMessage* owned) : owned_(owned) {}
  static MessageRef share(OwnedMessage* owned) {
    ++owned->references_;
    return MessageRef{owned};
  }

  OwnedMessage* owned_ = nullptr;
};

/// Copies of messages one after the other, in a few large allocations, that all end together: what
/// one thread hands to another.
class MessageBlock {
 public:
  /// A copy, without its payload unless `with_payload`; it has no owner and lives as long as the
  /// block.
  const Message& keep(const Message& message, bool with_payload = true);

 private:
  static constexpr std::size_t kChunkMin = 4u << 10;
  static constexpr std::size_t kChunkMax = 64u << 10;
  std::uint8_t* take(std::size_t count);

  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::size_t capacity_ = 0;  // of the last chunk
  std::size_t used_ = 0;      // of it
};

}  // namespace hermod::model
