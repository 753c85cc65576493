// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/option.hpp"

#include <array>

namespace hermod::coap {
namespace {

using enum OptionNumber;
using enum OptionFormat;

constexpr std::array kRules{
    OptionRule{kIfMatch, kOpaque, 0, 8, true, "If-Match"},
    OptionRule{kUriHost, kString, 1, 255, false, "Uri-Host"},
    OptionRule{kETag, kOpaque, 1, 8, true, "ETag"},
    OptionRule{kIfNoneMatch, kEmpty, 0, 0, false, "If-None-Match"},
    OptionRule{kObserve, kUint, 0, 3, false, "Observe"},  // RFC 7641 §2
    OptionRule{kUriPort, kUint, 0, 2, false, "Uri-Port"},
    OptionRule{kLocationPath, kString, 0, 255, true, "Location-Path"},
    OptionRule{kUriPath, kString, 0, 255, true, "Uri-Path"},
    OptionRule{kContentFormat, kUint, 0, 2, false, "Content-Format"},
    OptionRule{kMaxAge, kUint, 0, 4, false, "Max-Age"},
    OptionRule{kUriQuery, kString, 0, 255, true, "Uri-Query"},
    OptionRule{kHopLimit, kUint, 1, 1, false, "Hop-Limit"},  // RFC 8768 §3
    OptionRule{kAccept, kUint, 0, 2, false, "Accept"},
    OptionRule{kLocationQuery, kString, 0, 255, true, "Location-Query"},
    OptionRule{kBlock2, kUint, 0, 3, false, "Block2"},  // RFC 7959 §2.1
    OptionRule{kBlock1, kUint, 0, 3, false, "Block1"},  // RFC 7959 §2.1
    OptionRule{kSize2, kUint, 0, 4, false, "Size2"},    // RFC 7959 §4
    OptionRule{kProxyUri, kString, 1, 1034, false, "Proxy-Uri"},
    OptionRule{kProxyScheme, kString, 1, 255, false, "Proxy-Scheme"},
    OptionRule{kSize1, kUint, 0, 4, false, "Size1"},
    OptionRule{kEcho, kOpaque, 1, 40, false, "Echo"},             // RFC 9175 §2.2.1
    OptionRule{kNoResponse, kUint, 0, 1, false, "No-Response"},   // RFC 7967 §2
    OptionRule{kRequestTag, kOpaque, 0, 8, true, "Request-Tag"},  // RFC 9175 §3.2.1
};

constexpr std::size_t kIndexed = static_cast<std::size_t>(kRequestTag) + 1;
constexpr std::uint8_t kNoRule = 0xff;

// Position in kRules by option number.
constexpr auto kIndex = [] {
  std::array<std::uint8_t, kIndexed> index{};
  index.fill(kNoRule);
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    index[static_cast<std::size_t>(kRules[i].number)] = static_cast<std::uint8_t>(i);
  }
  return index;
}();

}  // namespace

std::optional<Bytes> Options::find(OptionNumber number) const {
  for (const OptionView& option : *this) {
    if (option.number == number) return option.value;
    if (option.number > number) break;
  }
  return std::nullopt;
}

const OptionRule* find_rule(OptionNumber number) {
  const auto at = static_cast<std::size_t>(number);
  if (at >= kIndexed || kIndex[at] == kNoRule) return nullptr;
  return &kRules[kIndex[at]];
}

std::optional<std::uint32_t> uint_value(Bytes value) {
  if (value.size() > sizeof(std::uint32_t)) return std::nullopt;
  std::uint32_t number = 0;
  for (const std::uint8_t octet : value) number = number << 8 | octet;
  return number;
}

}  // namespace hermod::coap
