// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of the link format: coap_link_seeds <folder>
#include <cstdio>

#include "link_vectors.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: coap_link_seeds <folder, usually fuzz/corpus/coap_link>\n", stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::coap::test::link_seeds());
  return 0;
}
