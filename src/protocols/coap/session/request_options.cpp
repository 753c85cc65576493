// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/request_options.hpp"

#include "hermod/base/hash.hpp"

namespace hermod::coap {
namespace {

using enum OptionNumber;

// Options that mean something in a request; any other is not recognised.
bool is_recognised(OptionNumber number) {
  switch (number) {
    case kLocationPath:
    case kLocationQuery:
      return false;
    default:
      return true;
  }
}

void refuse(RequestOptions& out, Code code, std::string_view diagnostic) {
  if (!out.refusal) out.refusal = {code, diagnostic};
}

std::optional<Block> take_block(Bytes value, RequestOptions& out) {
  const std::optional<Block> block = read_block(value);
  // RFC 7959 §2.2: SZX 7 "MUST lead to a 4.00 Bad Request response code upon reception"
  if (!block) refuse(out, code::kBadRequest, "a block size of 7 is reserved");
  return block;
}

void take_conditional(const OptionView& option, RequestOptions& out) {
  if (option.number == kETag) {
    if (out.etags.size() < RequestOptions::kTagsMax) out.etags.push_back(option.value);
    return;
  }
  if (out.if_match.size() == RequestOptions::kTagsMax) {
    return refuse(out, code::kBadRequest, "too many If-Match options");
  }
  out.if_match.push_back(option.value);
}

// Takes one recognised, well-formed option.
void take_option(const OptionView& option, RequestOptions& out) {
  const auto number = [&] { return *uint_value(option.value); };
  switch (option.number) {
    case kUriPath:
      out.path.push_back(as_text(option.value));
      break;
    case kUriQuery:
      out.query.push_back(as_text(option.value));
      break;
    case kETag:
    case kIfMatch:
      take_conditional(option, out);
      break;
    case kIfNoneMatch:
      out.if_none_match = true;
      break;
    case kObserve:
      out.observe = number();
      break;
    case kContentFormat:
      out.content_format = static_cast<ContentFormat>(number());
      break;
    case kMaxAge:
      out.max_age_s = number();
      break;
    case kAccept:
      out.accept = static_cast<ContentFormat>(number());
      break;
    case kBlock1:
      out.block1 = take_block(option.value, out);
      break;
    case kBlock2:
      out.block2 = take_block(option.value, out);
      break;
    case kSize1:
      out.size1 = number();
      break;
    case kSize2:
      out.wants_size2 = true;
      break;
    case kNoResponse:
      out.no_response = static_cast<std::uint8_t>(number());
      break;
    case kEcho:
      out.echo = option.value;
      break;
    case kHopLimit:  // RFC 8768 §3
      if (number() == 0) refuse(out, code::kBadRequest, "a hop limit is not 0");
      break;
    case kProxyUri:
    case kProxyScheme:  // RFC 7252 §5.10.2
      refuse(out, code::kProxyingNotSupported, {});
      break;
    default:  // Uri-Host, Uri-Port: one server for all names; Request-Tag: see transfer_key()
      break;
  }
}

}  // namespace

RequestOptions read_options(const MessageView& message) {
  RequestOptions out;
  OptionNumber previous{};
  for (const OptionView& option : message.options) {
    const OptionRule* rule = is_recognised(option.number) ? find_rule(option.number) : nullptr;
    const bool repeated = option.number == previous;
    previous = option.number;
    if (rule == nullptr || !rule->allows_length(option.value.size()) ||
        (repeated && !rule->repeatable)) {
      // RFC 7252 §5.4.1: an elective one is ignored, a critical one refused
      if (is_critical(option.number) && !out.bad_option) out.bad_option = option.number;
      continue;
    }
    take_option(option, out);
  }
  return out;
}

std::uint64_t transfer_key(const MessageView& message) {
  std::uint64_t key = message.code.value;
  for (const OptionView& option : message.options) {
    switch (option.number) {
      case kBlock1:
      case kBlock2:
      case kIfNoneMatch:  // RFC 7959 §2.10: with the first block of a request only
      case kNoResponse:
      case kObserve:
        continue;
      default:
        break;
    }
    if (is_no_cache_key(option.number)) continue;  // Size1, Size2, Echo
    key = keyed_hash(as_text(option.value), key + static_cast<std::uint64_t>(option.number));
  }
  return key;
}

}  // namespace hermod::coap
