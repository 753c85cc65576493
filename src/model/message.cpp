// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/message.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include "hermod/base/output.hpp"
#include "hermod/base/small_memory.hpp"

namespace hermod::model {
namespace {

// Lays copies of texts, octets and records one after the other behind an OwnedMessage. With no
// memory it only measures.
class Arena {
 public:
  explicit Arena(std::uint8_t* memory) : at_(memory) {}
  [[nodiscard]] std::size_t used() const { return used_; }

  Bytes keep(Bytes bytes) {
    if (bytes.data() == nullptr) return {};  // not there, which is not the same as empty
    std::uint8_t* out = take(bytes.size());
    if (out == nullptr) return {};
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    return {out, bytes.size()};
  }
  std::string_view keep(std::string_view text) { return as_text(keep(as_bytes(text))); }

  template <typename T>
  T* place(std::size_t count) {
    used_ = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    return reinterpret_cast<T*>(take(sizeof(T) * count));
  }

 private:
  std::uint8_t* take(std::size_t count) {
    std::uint8_t* out = at_ == nullptr ? nullptr : at_ + used_;
    used_ += count;
    return out;
  }
  std::uint8_t* at_;
  std::size_t used_ = 0;
};

UserProperty::Value keep_value(Arena& arena, const UserProperty::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return arena.keep(*text);
  if (const auto* octets = std::get_if<Bytes>(&value)) return arena.keep(*octets);
  return value;
}

const Properties* keep_properties(Arena& arena, const Properties& from) {
  auto* to = arena.place<Properties>(1);
  auto* user = arena.place<UserProperty>(from.user.size());
  Properties copy = from;
  copy.content_type = arena.keep(from.content_type);
  copy.reply_to = arena.keep(from.reply_to);
  copy.correlation = arena.keep(from.correlation);
  copy.message_id = arena.keep(from.message_id);
  copy.etag = arena.keep(from.etag);
  for (std::size_t i = 0; i < from.user.size(); ++i) {
    const UserProperty property{arena.keep(from.user[i].name),
                                keep_value(arena, from.user[i].value)};
    if (user != nullptr) new (user + i) UserProperty(property);
  }
  copy.user = {user, user == nullptr ? 0 : from.user.size()};
  return to == nullptr ? nullptr : new (to) Properties(copy);
}

// Copies everything but a large payload into `arena`; the same walk measures and copies.
void keep_message(Arena& arena, const Message& from, bool with_payload, Message& to) {
  if (from.properties != nullptr) to.properties = keep_properties(arena, *from.properties);
  to.destination.address = arena.keep(from.destination.address);
  to.destination.routing_key = arena.keep(from.destination.routing_key);
  if (with_payload) to.payload = arena.keep(from.payload);
}

// Octets that keep_message() takes; without properties, which is the hot case, there is nothing to
// walk and nothing to align.
std::size_t octets_of(const Message& message, bool with_payload) {
  if (message.properties == nullptr) {
    return message.destination.address.size() + message.destination.routing_key.size() +
           (with_payload ? message.payload.size() : 0);
  }
  Message scratch;
  Arena measure{nullptr};
  keep_message(measure, message, with_payload, scratch);
  return measure.used();
}

}  // namespace

MessageRef Message::own() const {
  return owner == nullptr ? OwnedMessage::copy_of(*this) : MessageRef::share(owner);
}

MessageRef OwnedMessage::copy_of(const Message& message, SharedBytes payload) {
  const bool small = !payload && message.payload.size() < Output::kShareFrom;
  if (!small && !payload) {
    payload = message.owner != nullptr && message.owner->payload_
                  ? message.owner->payload_
                  : SharedBytes::copy_of(message.payload);
  }
  const std::size_t size = sizeof(OwnedMessage) + octets_of(message, small);
  void* memory = SmallMemory::take(size);
  auto* owned = new (memory) OwnedMessage;
  owned->message_ = message;
  Arena arena{static_cast<std::uint8_t*>(memory) + sizeof(OwnedMessage)};
  keep_message(arena, message, small, owned->message_);
  if (payload) owned->message_.payload = payload.bytes();
  owned->payload_ = std::move(payload);
  owned->message_.owner = owned;
  owned->memory_ = static_cast<std::uint32_t>(size + owned->payload_.bytes().size());
  return MessageRef{owned};
}

const Message& MessageBlock::keep(const Message& message, bool with_payload) {
  static_assert(std::is_trivially_destructible_v<Message>);
  std::uint8_t* const memory = take(sizeof(Message) + octets_of(message, with_payload));
  auto* const kept = new (memory) Message{message};
  kept->owner = nullptr;
  kept->payload = {};
  Arena arena{memory + sizeof(Message)};
  keep_message(arena, message, with_payload, *kept);
  return *kept;
}

std::uint8_t* MessageBlock::take(std::size_t count) {
  constexpr std::size_t kAlign = alignof(Message);
  count = (count + kAlign - 1) / kAlign * kAlign;
  if (capacity_ - used_ < count) {
    capacity_ = std::max(count, std::clamp(2 * capacity_, kChunkMin, kChunkMax));
    used_ = 0;
    chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(capacity_));
  }
  std::uint8_t* const memory = chunks_.back().get() + used_;
  used_ += count;
  return memory;
}

void OwnedMessage::destroy(OwnedMessage* message) noexcept {
  const std::size_t size = message->memory_ - message->payload_.bytes().size();
  message->~OwnedMessage();
  SmallMemory::give(message, size);
}

}  // namespace hermod::model
