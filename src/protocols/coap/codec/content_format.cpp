// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/content_format.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "ascii.hpp"

namespace hermod::coap {
namespace {

struct Entry {
  std::uint16_t number;
  std::string_view media_type;
};

// Ascending by number. RFC 7252 §12.3 and the documents that added to the registry.
constexpr std::array kTable{
    Entry{0, "text/plain;charset=utf-8"},
    Entry{21, "image/gif"},
    Entry{22, "image/jpeg"},
    Entry{23, "image/png"},
    Entry{40, "application/link-format"},
    Entry{41, "application/xml"},
    Entry{42, "application/octet-stream"},
    Entry{47, "application/exi"},
    Entry{50, "application/json"},
    Entry{51, "application/json-patch+json"},
    Entry{52, "application/merge-patch+json"},
    Entry{60, "application/cbor"},
    Entry{61, "application/cwt"},
    Entry{62, "application/multipart-core"},
    Entry{63, "application/cbor-seq"},
    Entry{110, "application/senml+json"},
    Entry{111, "application/sensml+json"},
    Entry{112, "application/senml+cbor"},
    Entry{113, "application/sensml+cbor"},
    Entry{114, "application/senml-exi"},
    Entry{115, "application/sensml-exi"},
    Entry{310, "application/senml+xml"},
    Entry{311, "application/sensml+xml"},
    Entry{320, "application/senml-etch+json"},
    Entry{322, "application/senml-etch+cbor"},
    Entry{606, "application/core-pubsub+cbor"},
    Entry{11542, "application/vnd.oma.lwm2m+tlv"},
    Entry{11543, "application/vnd.oma.lwm2m+json"},
    Entry{11544, "application/vnd.oma.lwm2m+cbor"},
};

// Equal but for case and for blanks, which a media type has only around its separators.
bool same_media_type(std::string_view a, std::string_view b) {
  const auto next = [](std::string_view text, std::size_t at) {
    return std::min(text.find_first_not_of(" \t", at), text.size());
  };
  std::size_t i = next(a, 0);
  std::size_t j = next(b, 0);
  while (i < a.size() && j < b.size()) {
    if (lower(a[i]) != lower(b[j])) return false;
    i = next(a, i + 1);
    j = next(b, j + 1);
  }
  return i == a.size() && j == b.size();
}

}  // namespace

std::optional<std::string_view> media_type(ContentFormat format) {
  const auto number = static_cast<std::uint16_t>(format);
  const auto at = std::ranges::lower_bound(kTable, number, {}, &Entry::number);
  if (at == kTable.end() || at->number != number) return std::nullopt;
  return at->media_type;
}

std::optional<ContentFormat> content_format(std::string_view media_type) {
  if (same_media_type(media_type, "text/plain")) return ContentFormat::kTextPlain;
  for (const Entry& entry : kTable) {
    if (same_media_type(media_type, entry.media_type))
      return static_cast<ContentFormat>(entry.number);
  }
  return std::nullopt;
}

}  // namespace hermod::coap
