// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/response.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "hermod/base/hash.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/coap/codec/writer.hpp"

namespace hermod::coap {

std::optional<std::uint32_t> max_age(Instant expires_at, Instant now) {
  if (expires_at == kNever) return std::nullopt;
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(expires_at - now).count();
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, kMost));
}

EntityTag body_tag(Bytes body) {
  std::array<std::uint8_t, 8> tag{};
  Writer(tag.data()).u64(keyed_hash(as_text(body), 0));
  return EntityTag{Bytes{tag}.first(4)};
}

std::size_t body_size_max(const Response& response, const TransferOptions& options) {
  // ETag 9, Observe 4, Content-Format 3, Max-Age 5, Block2 4, Block1 4, Size2 5, Size1 6, each with
  // one octet more for a larger step between numbers; Echo has its own
  constexpr std::size_t kFixed = 48;
  std::size_t size = kFixed + payload_size(response.content.payload.size());
  if (!options.echo.empty()) size += kOptionOverheadMax + options.echo.size();
  for (const std::string_view segment : response.location_path) {
    size += kOptionOverheadMax + segment.size();
  }
  for (const std::string_view argument : response.location_query) {
    size += kOptionOverheadMax + argument.size();
  }
  return size;
}

std::uint8_t* write_body(std::uint8_t* out, const Response& response,
                         const TransferOptions& options) {
  using enum OptionNumber;
  BodyWriter body(out);
  const Representation& content = response.content;
  if (!content.etag.empty()) body.option(kETag, content.etag.bytes());
  if (options.observe) body.uint_option(kObserve, *options.observe);
  for (const std::string_view segment : response.location_path) body.option(kLocationPath, segment);
  if (content.format) {
    body.uint_option(kContentFormat, static_cast<std::uint32_t>(*content.format));
  }
  if (content.max_age_s) body.uint_option(kMaxAge, *content.max_age_s);
  for (const std::string_view argument : response.location_query) {
    body.option(kLocationQuery, argument);
  }
  if (options.block2) body.uint_option(kBlock2, options.block2->value());
  if (options.block1) body.uint_option(kBlock1, options.block1->value());
  if (options.size2) body.uint_option(kSize2, *options.size2);
  if (response.size1) body.uint_option(kSize1, *response.size1);
  if (!options.echo.empty()) body.option(kEcho, options.echo);
  body.payload(content.payload);
  return body.position();
}

}  // namespace hermod::coap
