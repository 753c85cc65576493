// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus of the CoAP sessions: coap_session_seeds <folder>
#include <cstdio>

#include "session_ops.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: coap_session_seeds <folder, usually fuzz/corpus/coap_session>\n", stderr);
    return 2;
  }
  hermod::testkit::write_seeds(argv[1], hermod::coap::test::session_seeds());
  return 0;
}
