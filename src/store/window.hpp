// SPDX-License-Identifier: Apache-2.0
// A part of a file in memory that moves forward: few large reads for many small ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>

#include "hermod/base/bytes.hpp"
#include "hermod/store/disk.hpp"

namespace hermod::store {

class Window {
 public:
  /// Octets from `offset` on: at least `count` unless the file ends before. What has to be read is
  /// read together with what follows, up to `ahead` octets. Valid until the next call. The file may
  /// grow, but what was read once is not read again before forget().
  [[nodiscard]] std::expected<Bytes, int> at(File& file, std::uint64_t offset, std::size_t count,
                                             std::size_t ahead);
  void forget() { size_ = 0; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<std::uint8_t[]> octets_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::uint64_t begin_ = 0;  // in the file
};

}  // namespace hermod::store
