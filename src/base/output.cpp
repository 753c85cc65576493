// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/output.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"

namespace hermod {
namespace {
constexpr std::size_t kFirstChunk = 1024;
}

void Output::grow(std::size_t count) {
  const std::size_t used = end_ - begin_;
  if (begin_ >= count && begin_ >= used && pieces_.empty()) {  // room in front of what waits
    std::memmove(chunk_.get(), chunk_.get() + begin_, used);
    begin_ = 0;
    end_ = used;
    return;
  }
  const std::size_t capacity = std::max({kFirstChunk, capacity_ * 2, used + count});
  auto bigger = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  if (used > 0) std::memcpy(bigger.get(), chunk_.get() + begin_, used);
  for (Piece& piece : pieces_) piece.at -= begin_;
  chunk_ = std::move(bigger);
  capacity_ = capacity;
  begin_ = 0;
  end_ = used;
}

void Output::append_shared(SharedBytes bytes) {
  const std::size_t size = bytes.bytes().size();
  if (size == 0) return;
  shared_size_ += size;
  pieces_.push_back({end_, 0, std::move(bytes)});
}

std::size_t Output::gather(std::span<Bytes> out) const {
  std::size_t count = 0;
  std::size_t at = begin_;
  for (const Piece& piece : pieces_) {
    if (count == out.size()) return count;
    if (piece.at > at) {
      out[count++] = {chunk_.get() + at, piece.at - at};
      at = piece.at;
      if (count == out.size()) return count;
    }
    out[count++] = piece.bytes.bytes().subspan(piece.begin);
  }
  if (count < out.size() && end_ > at) out[count++] = {chunk_.get() + at, end_ - at};
  return count;
}

void Output::consume(std::size_t count) {
  HERMOD_ASSERT(count <= size());
  std::size_t done = 0;  // pieces written whole
  while (count > 0) {
    if (done < pieces_.size() && pieces_[done].at == begin_) {
      Piece& piece = pieces_[done];
      const std::size_t left = piece.bytes.bytes().size() - piece.begin;
      const std::size_t step = std::min(count, left);
      piece.begin += step;
      shared_size_ -= step;
      count -= step;
      if (step == left) ++done;
      continue;
    }
    const std::size_t stop = done < pieces_.size() ? pieces_[done].at : end_;
    const std::size_t step = std::min(count, stop - begin_);
    begin_ += step;
    count -= step;
  }
  pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(done));
  if (size() == 0) begin_ = end_ = 0;
}

void Output::clear() {
  pieces_.clear();
  begin_ = end_ = shared_size_ = 0;
}

void Output::shrink(std::size_t keep) {
  HERMOD_ASSERT(empty());
  if (capacity_ <= keep) return;
  chunk_.reset();
  capacity_ = 0;
}

}  // namespace hermod
