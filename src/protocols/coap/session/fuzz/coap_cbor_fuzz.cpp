// SPDX-License-Identifier: Apache-2.0
// Any octets as CBOR and as topic properties: nothing is read outside them, what is read is written
// back as the same, and what is made of them is bounded by them.
#include <cstdint>
#include <vector>

#include "copy.hpp"
#include "hermod/base/assert.hpp"
#include "hermod/cbor/diagnostic.hpp"
#include "hermod/coap/session/topic_properties.hpp"

namespace {

using namespace hermod;
using namespace hermod::coap;

void check_item(Bytes octets) {
  const auto line = cbor::diagnostic(octets);
  const auto indented = cbor::diagnostic(octets, cbor::Layout::kIndented);
  const auto copy = cbor::test::copy(octets);
  HERMOD_ASSERT(line.has_value() == indented.has_value());
  HERMOD_ASSERT(line.has_value() == copy.has_value());
  if (!line) {
    HERMOD_ASSERT(line.error().offset <= octets.size());
    HERMOD_ASSERT(line.error().offset == copy.error().offset);
    return;
  }
  HERMOD_ASSERT(copy->size() <= octets.size());
  HERMOD_ASSERT(line->size() <= 16 * octets.size());
  HERMOD_ASSERT(indented->size() <= (16 + 2 * cbor::Reader::kDepthMax + 4) * octets.size());
  HERMOD_ASSERT(cbor::diagnostic(*copy) == *line);
}

void check_properties(Bytes body) {
  const auto set = read_properties(body);
  if (!set) {
    HERMOD_ASSERT(set.error().offset <= body.size() && !set.error().reason.empty());
    return;
  }
  HERMOD_ASSERT(!set->initialize || set->topic_content_format);
  std::vector<std::uint8_t> out;
  cbor::Writer writer(out);
  write_properties(writer, *set);
  const auto again = read_properties(out);
  HERMOD_ASSERT(again && again->keys() == set->keys());
  HERMOD_ASSERT(again->has_all(*set) && set->has_all(*again));
}

void check_keys(Bytes body) {
  const auto keys = read_property_keys(body);
  if (!keys) {
    HERMOD_ASSERT(keys.error().offset <= body.size());
    return;
  }
  std::vector<std::uint8_t> out;
  cbor::Writer writer(out);
  write_property_keys(writer, *keys);
  HERMOD_ASSERT(read_property_keys(out).value() == *keys);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes octets{data, size};
  check_item(octets);
  check_properties(octets);
  check_keys(octets);
  return 0;
}
