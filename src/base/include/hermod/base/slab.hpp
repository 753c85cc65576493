// SPDX-License-Identifier: Apache-2.0
// Objects that are named by an index instead of a pointer. Chunks do not move, so references stay;
// freed places are reused, newest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "hermod/base/assert.hpp"

namespace hermod {

/// Table of T by 32-bit index. Each place counts a generation that changes when its object goes, so
/// that an old (index, generation) pair is recognised. Not thread-safe.
template <typename T, std::size_t kChunk = 64>
class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for (std::uint32_t i = 0; i < places_; ++i) {
      if (place(i).live) object(i).~T();
    }
  }

  /// Constructs an object; returns its index.
  template <typename... Args>
  std::uint32_t emplace(Args&&... args) {
    if (free_.empty()) add_chunk();
    const std::uint32_t index = free_.back();
    free_.pop_back();
    new (place(index).storage) T(std::forward<Args>(args)...);
    place(index).live = 1;
    ++size_;
    return index;
  }
  void erase(std::uint32_t index) {
    HERMOD_ASSERT(holds(index));
    object(index).~T();
    place(index).live = 0;
    place(index).generation = (place(index).generation + 1) & 0x7fffffffu;
    free_.push_back(index);
    --size_;
  }
  [[nodiscard]] bool holds(std::uint32_t index) const {
    return index < places_ && place(index).live != 0;
  }
  [[nodiscard]] T& operator[](std::uint32_t index) { return object(index); }
  [[nodiscard]] const T& operator[](std::uint32_t index) const {
    return const_cast<Slab*>(this)->object(index);
  }
  [[nodiscard]] std::uint32_t generation(std::uint32_t index) const {
    return place(index).generation;
  }
  /// The object of an (index, generation) pair, or nullptr when it has gone.
  [[nodiscard]] T* find(std::uint32_t index, std::uint32_t generation) {
    return holds(index) && place(index).generation == generation ? &object(index) : nullptr;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// One more than the largest index ever used.
  [[nodiscard]] std::uint32_t places() const { return places_; }

 private:
  struct Place {
    alignas(T) unsigned char storage[sizeof(T)];
    std::uint32_t generation : 31 = 0;
    std::uint32_t live : 1 = 0;
  };

  Place& place(std::uint32_t index) const { return chunks_[index / kChunk][index % kChunk]; }
  T& object(std::uint32_t index) {
    return *std::launder(reinterpret_cast<T*>(place(index).storage));
  }
  void add_chunk() {
    chunks_.push_back(std::make_unique<Place[]>(kChunk));
    for (std::size_t i = kChunk; i > 0; --i) {
      free_.push_back(places_ + static_cast<std::uint32_t>(i - 1));
    }
    places_ += static_cast<std::uint32_t>(kChunk);
  }

  std::vector<std::unique_ptr<Place[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t places_ = 0;
  std::size_t size_ = 0;
};

}  // namespace hermod
