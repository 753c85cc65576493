// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of the CoAP codec: coap_codec_seeds <folder>
#include <cstdio>

#include "coap_seeds.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: coap_codec_seeds <folder, usually fuzz/corpus/coap_codec>\n", stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::coap::test::vector_seeds());
  return 0;
}
