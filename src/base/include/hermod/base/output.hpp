// SPDX-License-Identifier: Apache-2.0
// What waits to be written to one stream: small things are copied into one contiguous chunk, large
// shared ones are referred to. A connection owns an Output only while something is pending; the
// shard keeps a pool of them, so that a busy connection does not allocate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/shared_bytes.hpp"

namespace hermod {

class Output {
 public:
  /// Payloads of at least this size are referred to, smaller ones copied (measured crossover of
  /// memcpy and writev).
  static constexpr std::size_t kShareFrom = 1024;

  /// Room for `count` octets; write them and commit. The pointer lives until the next call.
  [[nodiscard]] std::uint8_t* reserve(std::size_t count) {
    if (capacity_ - end_ < count) grow(count);
    return chunk_.get() + end_;
  }
  void commit(std::size_t count) { end_ += count; }

  void append(Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    commit(bytes.size());
  }
  /// Refers to the octets instead of copying them.
  void append_shared(SharedBytes bytes);

  /// Octets that wait.
  [[nodiscard]] std::size_t size() const { return end_ - begin_ + shared_size_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Octets of memory held.
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  /// Fills `out` with the first waiting pieces in order; returns how many. They live until the next
  /// call that is not const.
  [[nodiscard]] std::size_t gather(std::span<Bytes> out) const;
  /// The first `count` waiting octets have been written.
  void consume(std::size_t count);
  /// Forgets everything, keeps the memory.
  void clear();
  /// Gives memory above `keep` octets back. Only when empty.
  void shrink(std::size_t keep);

 private:
  struct Piece {
    std::size_t at;  // position in the chunk before which the piece stands
    std::size_t begin;
    SharedBytes bytes;
  };
  void grow(std::size_t count);

  std::unique_ptr<std::uint8_t[]> chunk_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t shared_size_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace hermod
