// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/mailbox.hpp"

namespace hermod::broker {

Mailbox::~Mailbox() {
  for (Batch* batch = take(); batch != nullptr;) {
    Batch* next = batch->next;
    delete batch;
    batch = next;
  }
}

bool Mailbox::put(std::unique_ptr<Batch> batch) {
  letters_.fetch_add(batch->letters.size(), std::memory_order_relaxed);
  bytes_.fetch_add(batch->bytes, std::memory_order_relaxed);
  Batch* added = batch.release();
  Batch* before = head_.load(std::memory_order_relaxed);
  do {
    added->next = before;
  } while (!head_.compare_exchange_weak(before, added, std::memory_order_release,
                                        std::memory_order_relaxed));
  return before == nullptr;
}

Batch* Mailbox::take() {
  if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
  Batch* newest = head_.exchange(nullptr, std::memory_order_acquire);
  Batch* oldest = nullptr;
  while (newest != nullptr) {
    Batch* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

bool Mailbox::finish(const Batch& batch) {
  letters_.fetch_sub(batch.letters.size());
  bytes_.fetch_sub(batch.bytes);
  return waiting_.load() && waiting_.exchange(false);
}

}  // namespace hermod::broker
