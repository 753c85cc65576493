// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of the metadata: store_metadata_seeds <folder>
#include <cstdio>

#include "fuzz_seeds.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: store_metadata_seeds <folder, usually fuzz/corpus/store_metadata>\n",
               stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::store::fuzz_seeds());
  return 0;
}
