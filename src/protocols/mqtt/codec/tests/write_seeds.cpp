// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of the MQTT codec: mqtt_codec_seeds <folder>
#include <cstdio>

#include "hermod/testkit/seeds.hpp"
#include "mqtt_seeds.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: mqtt_codec_seeds <folder, usually fuzz/corpus/mqtt_codec>\n", stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::mqtt::vector_seeds());
  return 0;
}
