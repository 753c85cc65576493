// SPDX-License-Identifier: Apache-2.0
// operator new that counts. The array and nothrow forms of the library end in this one.
#include "hermod/testkit/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t count = 0;

}  // namespace

namespace hermod::testkit {

std::size_t allocation_count() noexcept {
  return count;
}

}  // namespace hermod::testkit

void* operator new(std::size_t size) {
  ++count;
  void* const memory = std::malloc(size > 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// A sanitizer brings its own of this one otherwise, which the delete below does not fit.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++count;
  return std::malloc(size > 0 ? size : 1);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
