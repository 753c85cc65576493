// SPDX-License-Identifier: Apache-2.0
// What a response says, and the octets of its options and payload. How it travels (in an
// Acknowledgement, as a message of its own, in blocks) is the endpoint's decision. Knows no hub.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "hermod/base/assert.hpp"
#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"

namespace hermod::coap {

/// An entity tag as a value (RFC 7252 §5.10.6); empty when there is none.
class EntityTag {
 public:
  static constexpr std::size_t kSizeMax = 8;

  EntityTag() = default;
  /// Copies at most kSizeMax octets.
  explicit EntityTag(Bytes octets) : size_(static_cast<std::uint8_t>(octets.size())) {
    HERMOD_ASSERT(octets.size() <= kSizeMax);
    std::ranges::copy(octets, octets_.begin());
  }
  [[nodiscard]] Bytes bytes() const { return {octets_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  bool operator==(const EntityTag&) const = default;

 private:
  std::array<std::uint8_t, kSizeMax> octets_{};
  std::uint8_t size_ = 0;
};

/// A tag for a body that has none of its own: RFC 7959 §2.4, "the server SHOULD provide an ETag",
/// so that blocks of one state can be told from those of another.
[[nodiscard]] EntityTag body_tag(Bytes body);

/// A state of a resource, as 2.05 tells it. Borrows its payload.
struct Representation {
  EntityTag etag;
  std::optional<ContentFormat> format;
  std::optional<std::uint32_t> max_age_s;
  Bytes payload;
};

/// Index of an observer of its peer plus one; 0 is none.
using ObserverId = std::uint32_t;

/// What a resource answers. Borrowed for the call.
struct Response {
  Code code;
  Representation
      content;  ///< its payload is a diagnostic where the code is an error (RFC 7252 §5.5.2)
  std::span<const std::string_view> location_path;
  std::span<const std::string_view> location_query;
  std::optional<std::uint32_t> size1;  ///< with 4.13: the largest body that is taken
  /// Asking again would act again, or give another body: the endpoint keeps it for the requests
  /// for its other blocks. See ServerEndpoint::will_keep().
  bool keep = false;
  ObserverId observer = 0;      ///< this is its registration's answer
  std::uint64_t version = 0;    ///< with `observer`: orders this value among those offered
  Instant expires_at = kNever;  ///< with `observer`: when the value does
};

/// A response that consists of a code and words for a person.
[[nodiscard]] inline Response refusal(Code code, std::string_view diagnostic = {}) {
  return {.code = code, .content = {.payload = as_bytes(diagnostic)}};
}

/// Whole seconds until `expires_at`, for Max-Age; nothing for kNever.
[[nodiscard]] std::optional<std::uint32_t> max_age(Instant expires_at, Instant now);

/// The options that the endpoint adds.
struct TransferOptions {
  std::optional<std::uint32_t> observe;
  std::optional<Block> block2;
  std::optional<Block> block1;
  std::optional<std::uint32_t> size2;
  Bytes echo;
};

/// Octets that write_body() writes at most.
[[nodiscard]] std::size_t body_size_max(const Response& response, const TransferOptions& options);
/// Writes options and payload, all that follows the token; returns the end.
std::uint8_t* write_body(std::uint8_t* out, const Response& response,
                         const TransferOptions& options);

}  // namespace hermod::coap
