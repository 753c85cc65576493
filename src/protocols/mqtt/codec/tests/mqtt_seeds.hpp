// SPDX-License-Identifier: Apache-2.0
// The vectors of all versions as seeds of the MQTT fuzz target.
#pragma once

#include <string>

#include "hermod/testkit/octets.hpp"
#include "hermod/testkit/seeds.hpp"
#include "mqtt_vectors.hpp"

namespace hermod::mqtt {

[[nodiscard]] inline testkit::Seeds vector_seeds() {
  testkit::Seeds seeds;
  const auto add = [&seeds](Version version, const std::string& prefix) {
    for (const WireVector& vector : wire_vectors(version)) {
      seeds[prefix + vector.name] = testkit::octets(vector.octets);
    }
  };
  add(Version::kV31, "v31_");
  add(Version::kV311, "");
  add(Version::kV5, "v5_");
  return seeds;
}

}  // namespace hermod::mqtt
