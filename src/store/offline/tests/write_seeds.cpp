// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of exports: store_export_seeds <folder>
#include <cstdio>

#include "offline/tests/export_samples.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: store_export_seeds <folder, usually fuzz/corpus/store_export>\n", stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::store::samples::export_seeds());
  return 0;
}
