// SPDX-License-Identifier: Apache-2.0
// Whether it pays to let outputs wait for more: only if more comes while they wait. It is tried,
// and when it was of no use it is left for a while.
#pragma once

#include <cstddef>

namespace hermod::broker {

class Patience {
 public:
  /// So many outputs that were written make a trial. When fewer than half of them had gathered
  /// something, the next kRest do not wait.
  static constexpr std::size_t kTrial = 256;
  static constexpr std::size_t kRest = 16 * kTrial;

  [[nodiscard]] bool pays() const { return pays_; }
  /// An output is written, or will be at the end of the turn; `gathered`: something was added to it
  /// after it had begun to wait.
  void note(bool gathered) {
    ++written_;
    gathered_ += gathered ? 1 : 0;
    if (written_ < (pays_ ? kTrial : kRest)) return;
    pays_ = !pays_ || gathered_ * 2 >= written_;
    written_ = 0;
    gathered_ = 0;
  }

 private:
  std::size_t written_ = 0;
  std::size_t gathered_ = 0;
  bool pays_ = true;
};

}  // namespace hermod::broker
