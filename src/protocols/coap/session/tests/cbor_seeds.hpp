// SPDX-License-Identifier: Apache-2.0
// The vectors of CBOR and of topic properties as seeds of their fuzz target.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "cbor_vectors.hpp"
#include "hermod/testkit/octets.hpp"
#include "hermod/testkit/seeds.hpp"
#include "property_vectors.hpp"

namespace hermod::coap::test {

[[nodiscard]] inline testkit::Seeds cbor_seeds() {
  testkit::Seeds seeds;
  const auto add = [&](std::string_view kind, const auto& vectors) {
    for (const auto& vector : vectors) {
      seeds[fmt::format("{}_{:02}", kind, &vector - vectors)] = testkit::octets(vector.octets);
    }
  };
  add("appendix_a", cbor::test::kAppendixA);
  add("item", cbor::test::kMoreItems);
  add("bad_item", cbor::test::kBadItems);
  add("properties", kProperties);
  add("bad_properties", kBadProperties);
  return seeds;
}

}  // namespace hermod::coap::test
