// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of SCRAM's messages: sasl_seeds <folder>
#include <cstdio>

#include "scram_vectors.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: sasl_seeds <folder, usually fuzz/corpus/sasl>\n", stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::sasl::vectors::seeds());
  return 0;
}
