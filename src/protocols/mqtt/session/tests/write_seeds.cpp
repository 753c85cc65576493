// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of the session fuzz target: mqtt_session_seeds fuzz/corpus/mqtt_session
#include <cstdio>

#include "session_seeds.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: mqtt_session_seeds FOLDER\n");
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::mqtt::session_seeds());
}
