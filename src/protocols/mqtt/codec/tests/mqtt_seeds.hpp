// SPDX-License-Identifier: Apache-2.0
// The vectors as seeds of the MQTT fuzz targets.
#pragma once

#include "hermod/testkit/octets.hpp"
#include "hermod/testkit/seeds.hpp"
#include "mqtt_vectors.hpp"

namespace hermod::mqtt {

[[nodiscard]] inline testkit::Seeds vector_seeds() {
  testkit::Seeds seeds;
  for (const WireVector& vector : wire_vectors()) {
    seeds[vector.name] = testkit::octets(vector.octets);
  }
  return seeds;
}

}  // namespace hermod::mqtt
