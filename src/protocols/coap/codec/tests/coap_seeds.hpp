// SPDX-License-Identifier: Apache-2.0
// The vectors as seeds of the CoAP codec's fuzz target.
#pragma once

#include "hermod/testkit/octets.hpp"
#include "hermod/testkit/seeds.hpp"
#include "vectors.hpp"

namespace hermod::coap::test {

[[nodiscard]] inline testkit::Seeds vector_seeds() {
  testkit::Seeds seeds;
  for (const auto& vector : kValid) {
    seeds[std::string(vector.name)] = testkit::octets(vector.octets);
  }
  for (const auto& vector : kMalformed) {
    seeds[std::string(vector.name)] = testkit::octets(vector.octets);
  }
  return seeds;
}

}  // namespace hermod::coap::test
