// SPDX-License-Identifier: Apache-2.0
// Writes the fuzz corpus: store_seeds FOLDER.
#include "record_seeds.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  hermod::testkit::write_seeds(arguments[1], hermod::store::samples::record_seeds());
  return 0;
}
