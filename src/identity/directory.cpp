// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/directory.hpp"

#include <openssl/rand.h>

namespace hermod::identity {

// A system without random numbers gives no nonces either: then no exchange comes to its end, and it
// does not matter what the secret is.
Directory::Directory(Record record) {
  (void)RAND_bytes(secret_.data(), static_cast<int>(secret_.size()));
  replace(std::move(record));
}

}  // namespace hermod::identity
