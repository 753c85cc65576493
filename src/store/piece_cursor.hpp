// SPDX-License-Identifier: Apache-2.0
// Where a write of several pieces has got to, as the system may take a part of them at a time.
#pragma once

#include <cstddef>
#include <span>

#include "hermod/base/bytes.hpp"

namespace hermod::store {

class PieceCursor {
 public:
  explicit PieceCursor(std::span<const Bytes> pieces) : pieces_(pieces) { advance(0); }

  [[nodiscard]] bool at_end() const { return pieces_.empty(); }
  [[nodiscard]] std::size_t count() const { return pieces_.size(); }
  /// What is left of piece `i` of those that are left.
  [[nodiscard]] Bytes operator[](std::size_t i) const {
    return i == 0 ? pieces_[0].subspan(done_) : pieces_[i];
  }
  /// So many octets have been written; the first piece that is left then has some left.
  void advance(std::size_t octets) {
    while (!pieces_.empty() && octets >= pieces_[0].size() - done_) {
      octets -= pieces_[0].size() - done_;
      pieces_ = pieces_.subspan(1);
      done_ = 0;
    }
    done_ += octets;
  }

 private:
  std::span<const Bytes> pieces_;
  std::size_t done_ = 0;  // of the first
};

}  // namespace hermod::store
