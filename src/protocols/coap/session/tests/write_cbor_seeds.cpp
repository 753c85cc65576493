// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of CBOR and topic properties: coap_cbor_seeds <folder>
#include <cstdio>

#include "cbor_seeds.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: coap_cbor_seeds <folder, usually fuzz/corpus/coap_cbor>\n", stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::coap::test::cbor_seeds());
  return 0;
}
