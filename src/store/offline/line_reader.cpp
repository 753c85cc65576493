// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "hermod/store/offline.hpp"

namespace hermod::store {

namespace {

constexpr std::size_t kReadOctets = 256u << 10;

}  // namespace

std::expected<std::optional<std::string_view>, std::string> LineReader::next() {
  std::size_t searched = begin_;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    const std::size_t found = end == std::string::npos ? buffer_.size() : end;
    if (found - begin_ > line_max_) {
      return std::unexpected(
          fmt::format("line {}: it is longer than {} octets, which is the most "
                      "that a line may have",
                      number_ + 1, line_max_));
    }
    if (end != std::string::npos) {
      const std::string_view line{buffer_.data() + begin_, end - begin_};
      begin_ = end + 1;
      ++number_;
      return line;
    }
    buffer_.erase(0, std::exchange(begin_, 0));
    searched = buffer_.size();
    const auto more = read_more();
    if (!more) return std::unexpected(more.error());
    if (*more) continue;
    if (buffer_.empty()) return std::nullopt;
    buffer_ += '\n';  // a last line without an end
  }
}

// False: the text is over.
std::expected<bool, std::string> LineReader::read_more() {
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kReadOctets);
  const auto got = read_(std::span{buffer_}.subspan(size));
  buffer_.resize(size + got.value_or(0));
  if (got) return *got > 0;
  return std::unexpected(fmt::format("reading behind line {} failed: {}", number_,
                                     std::generic_category().message(got.error())));
}

}  // namespace hermod::store
