// SPDX-License-Identifier: Apache-2.0
// Lists the malformed wire vectors, one a line: level, name, code, statement, octets in hex; for
// tests that send them to a running broker.
#include <cstdio>
#include <string>

#include "hermod/testkit/octets.hpp"
#include "mqtt_vectors.hpp"

namespace {

using hermod::mqtt::Version;
using hermod::mqtt::WireVector;

void list(Version version) {
  for (const WireVector& vector : hermod::mqtt::wire_vectors(version)) {
    if (vector.outcome != WireVector::Outcome::kMalformed) continue;
    std::string hex;
    for (const std::uint8_t octet : hermod::testkit::octets(vector.octets)) {
      char digits[3];
      std::snprintf(digits, sizeof(digits), "%02x", octet);
      hex += digits;
    }
    std::printf("%d\t%s\t%d\t%s\t%s\n", static_cast<int>(version), vector.name, vector.code,
                vector.statement, hex.c_str());
  }
}

}  // namespace

int main() {
  for (const Version version : {Version::kV31, Version::kV311, Version::kV5}) list(version);
  return 0;
}
