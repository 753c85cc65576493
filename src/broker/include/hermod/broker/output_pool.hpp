// SPDX-License-Identifier: Apache-2.0
// Outputs that no connection needs at the moment, so that a busy connection does not allocate and
// an idle one holds nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "hermod/base/output.hpp"

namespace hermod::broker {

class OutputPool {
 public:
  /// Outputs kept, and octets kept in each, at most.
  static constexpr std::size_t kKeptMax = 512;
  static constexpr std::size_t kKeptBytesMax = 64u << 10;

  [[nodiscard]] std::unique_ptr<Output> take() {
    if (kept_.empty()) return std::make_unique<Output>();
    std::unique_ptr<Output> output = std::move(kept_.back());
    kept_.pop_back();
    return output;
  }
  void give(std::unique_ptr<Output> output) {
    if (kept_.size() == kKeptMax) return;
    output->clear();
    output->shrink(kKeptBytesMax);
    kept_.push_back(std::move(output));
  }

 private:
  std::vector<std::unique_ptr<Output>> kept_;
};

}  // namespace hermod::broker
