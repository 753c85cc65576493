// SPDX-License-Identifier: Apache-2.0
// Immutable octets with a reference count. The count is a plain integer: a SharedBytes belongs to
// one shard. Another shard gets a wrapper of its own (foreign()), whose last release hands the
// original back to its home, in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "hermod/base/bytes.hpp"

namespace hermod {

/// Where octets that belong to another shard go when their last reader here is done.
class ForeignOwner {
 public:
  virtual ~ForeignOwner() = default;
  virtual void give_back(void* token) = 0;
};

/// Reference to immutable octets. Copying is an increment; not thread-safe.
class SharedBytes {
 public:
  SharedBytes() = default;
  /// Copies the octets once.
  static SharedBytes copy_of(Bytes bytes);
  /// Refers to octets of another owner; `owner.give_back(token)` is called when the last reference
  /// goes. The octets must stay until then, and `owner` must outlive them.
  static SharedBytes foreign(Bytes bytes, ForeignOwner& owner, void* token);

  SharedBytes(const SharedBytes& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() {
    if (block_ != nullptr && --block_->references == 0) release(block_);
  }

  [[nodiscard]] Bytes bytes() const {
    return block_ == nullptr ? Bytes{} : Bytes{block_->data, block_->size};
  }
  [[nodiscard]] explicit operator bool() const { return block_ != nullptr; }

 private:
  struct Block {
    const std::uint8_t* data;
    std::size_t size;
    std::uint32_t references;
    ForeignOwner* owner;  // nullptr: the octets follow this block in memory
    void* token;
  };
  explicit SharedBytes(Block* block) : block_(block) {}
  static void release(Block* block) noexcept;

  Block* block_ = nullptr;
};

}  // namespace hermod
