// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/topic.hpp"

#include <algorithm>
#include <cstring>

#include "hermod/base/bytes.hpp"
#include "hermod/base/words.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/text.hpp"

namespace hermod::mqtt {
namespace {

// Sixteen octets at once; compilers know the type on every machine.
using Octets16 = std::uint8_t __attribute__((vector_size(16)));

// The high bit of each octet that is not plain: NUL, `+`, `#`, or above 0x7F. `#` is 0x23 and `+`
// is 0x2B, so with bit 3 set they are the same octet.
Octets16 not_plain(const char* at) {
  Octets16 octets;
  std::memcpy(&octets, at, 16);
  return octets | reinterpret_cast<Octets16>(octets == 0) |
         reinterpret_cast<Octets16>((octets | 0x08) == '+');
}

// True when none of the eight octets is one of those. Adding 0x7F to an octet below 0x80 sets its
// high bit exactly when it is not zero, without carrying; one above 0x7F may carry, but fails by
// itself.
constexpr bool plain(std::uint64_t word) {
  const std::uint64_t no_nul = word + each_octet(0x7F);
  const std::uint64_t no_wildcard =
      ((word | each_octet(0x08)) ^ each_octet('+')) + each_octet(0x7F);
  return (no_nul & no_wildcard & ~word & each_octet(0x80)) == each_octet(0x80);
}

// True when every octet of a non-empty name is plain. The tail is read as one more piece that
// overlaps what was already seen.
bool all_plain(std::string_view name) {
  const char* at = name.data();
  const std::size_t size = name.size();
  if (size >= 16) {
    Octets16 bad = not_plain(at + size - 16);
    for (std::size_t i = 0; i + 16 < size; i += 16) bad |= not_plain(at + i);
    std::uint64_t halves[2];
    std::memcpy(halves, &bad, 16);
    return ((halves[0] | halves[1]) & each_octet(0x80)) == 0;
  }
  if (size >= 8) return plain(load8(at)) && plain(load8(at + size - 8));
  if (size >= 4) return plain(load_short(at, size));
  return plain(load_short(at, size) | each_octet('a') << 24);
}

// The place of the next `+` or `#`, or the text's size.
std::size_t find_wildcard(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '+' && text[at] != '#') ++at;
  return at;
}

TopicFault text_or_size_fault(std::string_view text) {
  if (text.empty()) return TopicFault::kEmpty;                             // [MQTT-4.7.3-1]
  if (text.size() > kFieldBytesMax) return TopicFault::kTooLong;           // [MQTT-4.7.3-3]
  if (text.find('\0') != std::string_view::npos) return TopicFault::kNul;  // [MQTT-4.7.3-2]
  return text_fault(as_bytes(text)) == nullptr ? TopicFault::kNone : TopicFault::kUtf8;
}

// $share/{ShareName}/{filter}; the wildcards of the whole are in their places already.
TopicFault share_fault(std::string_view filter) {
  if (!is_shared_filter(filter)) return TopicFault::kNone;
  filter.remove_prefix(filter.find('/') + 1);
  const std::size_t slash = filter.find('/');
  const std::string_view name = filter.substr(0, slash);
  if (name.empty()) return TopicFault::kShareName;  // [MQTT-4.8.2-1]
  const bool has_filter = slash != std::string_view::npos && slash + 1 < filter.size();
  const bool plain_name = find_wildcard(name, 0) == name.size();
  return has_filter && plain_name ? TopicFault::kNone : TopicFault::kShareFilter;
}

}  // namespace

const char* statement(TopicFault fault, Version version) {
  const bool v5 = version == Version::kV5;
  switch (fault) {
    case TopicFault::kNone:
      break;
    case TopicFault::kEmpty:
      return "MQTT-4.7.3-1";
    case TopicFault::kTooLong:
      return "MQTT-4.7.3-3";
    case TopicFault::kNul:
      return "MQTT-4.7.3-2";
    case TopicFault::kUtf8:
      return v5 ? "MQTT-1.5.4-1" : "MQTT-1.5.3-1";
    case TopicFault::kWildcard:
      return v5 ? "MQTT-4.7.0-1" : "MQTT-4.7.1-1";
    case TopicFault::kMultiLevel:
      return v5 ? "MQTT-4.7.1-1" : "MQTT-4.7.1-2";
    case TopicFault::kSingleLevel:
      return v5 ? "MQTT-4.7.1-2" : "MQTT-4.7.1-3";
    case TopicFault::kShareName:
      return "MQTT-4.8.2-1";
    case TopicFault::kShareFilter:
      return "MQTT-4.8.2-2";
  }
  return "";
}

TopicFault topic_name_fault(std::string_view name) {
  if (!name.empty() && name.size() <= kFieldBytesMax && all_plain(name)) return TopicFault::kNone;
  const TopicFault fault = text_or_size_fault(name);
  if (fault != TopicFault::kNone) return fault;
  return find_wildcard(name, 0) == name.size() ? TopicFault::kNone : TopicFault::kWildcard;
}

TopicFault topic_filter_fault(std::string_view filter, Version version) {
  const TopicFault fault = text_or_size_fault(filter);
  if (fault != TopicFault::kNone) return fault;
  for (std::size_t at = find_wildcard(filter, 0); at != filter.size();
       at = find_wildcard(filter, at + 1)) {
    const bool starts_level = at == 0 || filter[at - 1] == '/';
    const bool is_last = at + 1 == filter.size();
    if (filter[at] == '#') {
      if (!starts_level || !is_last) return TopicFault::kMultiLevel;  // [MQTT-4.7.1-2]
    } else if (!starts_level || !(is_last || filter[at + 1] == '/')) {
      return TopicFault::kSingleLevel;  // [MQTT-4.7.1-3]
    }
  }
  return version == Version::kV5 ? share_fault(filter) : TopicFault::kNone;
}

std::size_t topic_levels(std::string_view name_or_filter) {
  return 1 + static_cast<std::size_t>(std::ranges::count(name_or_filter, '/'));
}

}  // namespace hermod::mqtt
