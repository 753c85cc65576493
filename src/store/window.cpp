// SPDX-License-Identifier: Apache-2.0
#include "window.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hermod::store {

std::expected<Bytes, int> Window::at(File& file, std::uint64_t offset, std::size_t count,
                                     std::size_t ahead) {
  std::size_t kept = 0;
  if (offset >= begin_ && offset - begin_ <= size_) {
    kept = size_ - static_cast<std::size_t>(offset - begin_);
    if (kept >= count) return Bytes{octets_.get() + (size_ - kept), kept};
  }
  const std::size_t wanted = std::max(count, ahead);
  const std::uint8_t* const from = octets_.get() + (size_ - kept);
  if (wanted > capacity_) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(wanted);
    if (kept != 0) std::memcpy(larger.get(), from, kept);
    octets_ = std::move(larger);
    capacity_ = wanted;
  } else if (kept != 0) {
    std::memmove(octets_.get(), from, kept);
  }
  begin_ = offset;
  size_ = kept;
  const auto got = file.read(offset + kept, {octets_.get() + kept, wanted - kept});
  if (!got) return std::unexpected(got.error());
  size_ += *got;
  return Bytes{octets_.get(), size_};
}

}  // namespace hermod::store
