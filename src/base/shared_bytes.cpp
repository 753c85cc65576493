// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/shared_bytes.hpp"

#include <cstring>
#include <new>

namespace hermod {

SharedBytes SharedBytes::copy_of(Bytes bytes) {
  void* memory = ::operator new(sizeof(Block) + bytes.size());
  auto* data = static_cast<std::uint8_t*>(memory) + sizeof(Block);
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return SharedBytes{new (memory) Block{data, bytes.size(), 1, nullptr, nullptr}};
}

SharedBytes SharedBytes::foreign(Bytes bytes, ForeignOwner& owner, void* token) {
  void* memory = ::operator new(sizeof(Block));
  return SharedBytes{new (memory) Block{bytes.data(), bytes.size(), 1, &owner, token}};
}

void SharedBytes::release(Block* block) noexcept {
  if (block->owner != nullptr) block->owner->give_back(block->token);
  block->~Block();
  ::operator delete(block);
}

}  // namespace hermod
