// SPDX-License-Identifier: Apache-2.0
// operator new that counts. Octets are counted as the allocator rounds them. The array and nothrow
// forms of the library end in this one.
#include "hermod/testkit/allocations.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t count = 0;
thread_local std::size_t held = 0;

void* note(void* memory) {
  held += malloc_usable_size(memory);
  return memory;
}

void give_back(void* memory) {
  held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

namespace hermod::testkit {

std::size_t allocation_count() noexcept {
  return count;
}

std::size_t allocated_octets() noexcept {
  return held;
}

}  // namespace hermod::testkit

void* operator new(std::size_t size) {
  ++count;
  void* const memory = std::malloc(size > 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return note(memory);
}

// A sanitizer brings its own of this one otherwise, which the delete below does not fit.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++count;
  return note(std::malloc(size > 0 ? size : 1));
}

void operator delete(void* memory) noexcept {
  give_back(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}
