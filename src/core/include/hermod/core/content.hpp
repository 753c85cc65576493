// SPDX-License-Identifier: Apache-2.0
// What a queue's entry holds: a message in memory, or the place in the store where it lies, or
// nothing. One word.
#pragma once

#include <cstdint>
#include <utility>

#include "hermod/base/assert.hpp"
#include "hermod/model/message.hpp"

namespace hermod::core {

class Content {
 public:
  Content() = default;
  Content(model::MessageRef message)  // NOLINT(google-explicit-constructor): the usual case
      : bits_(reinterpret_cast<std::uintptr_t>(message.leave())) {}
  /// What lies in the store.
  [[nodiscard]] static Content at(model::Position position) {
    HERMOD_ASSERT(position != 0 && (position & kAway) == 0);
    Content content;
    content.bits_ = position | kAway;
    return content;
  }
  Content(Content&& other) noexcept : bits_(std::exchange(other.bits_, 0)) {}
  Content& operator=(Content&& other) noexcept {
    std::swap(bits_, other.bits_);
    return *this;
  }
  ~Content() {
    if (in_memory()) (void)model::MessageRef::adopt(pointer());
  }

  [[nodiscard]] explicit operator bool() const { return bits_ != 0; }
  [[nodiscard]] bool in_memory() const { return bits_ != 0 && (bits_ & kAway) == 0; }
  /// Where it lies in the store; 0: nowhere.
  [[nodiscard]] model::Position position() const {
    return in_memory() ? pointer()->position() : bits_ & ~kAway;
  }
  /// Holds a message, where it held nothing.
  void put(model::MessageRef message) { bits_ = reinterpret_cast<std::uintptr_t>(message.leave()); }
  /// Lets go of it.
  void reset() { Content().swap(*this); }
  void swap(Content& other) noexcept { std::swap(bits_, other.bits_); }
  /// Octets of memory that it takes.
  [[nodiscard]] std::size_t memory() const { return in_memory() ? pointer()->memory() : 0; }
  /// The message; it must be in memory.
  [[nodiscard]] const model::Message& operator*() const { return pointer()->message(); }
  [[nodiscard]] const model::Message* operator->() const { return &pointer()->message(); }
  [[nodiscard]] model::OwnedMessage* get() const { return in_memory() ? pointer() : nullptr; }
  /// Another reference to the message, which must be in memory.
  [[nodiscard]] model::MessageRef ref() const { return (**this).own(); }

 private:
  static constexpr std::uint64_t kAway = 1;  // messages and places are multiples of 8
  static_assert(sizeof(std::uintptr_t) == sizeof(model::Position));
  [[nodiscard]] model::OwnedMessage* pointer() const {
    return reinterpret_cast<model::OwnedMessage*>(bits_);
  }

  std::uint64_t bits_ = 0;
};

}  // namespace hermod::core
