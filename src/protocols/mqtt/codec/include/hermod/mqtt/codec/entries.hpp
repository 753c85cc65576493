// SPDX-License-Identifier: Apache-2.0
// The list in the payload of a packet, checked when the packet was read and walked in place.
#pragma once

#include <cstddef>
#include <iterator>
#include <type_traits>

#include "hermod/base/bytes.hpp"
#include "hermod/base/reader.hpp"

namespace hermod::mqtt {

/// A forward range of what `Read` takes from a Reader, one entry after the other. Borrows.
template <auto Read>
class Entries {
 public:
  class Iterator {
   public:
    using value_type = std::invoke_result_t<decltype(Read), Reader&>;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(Bytes rest) : rest_(rest) {}

    value_type operator*() const {
      Reader reader(rest_);
      return Read(reader);
    }
    Iterator& operator++() {
      Reader reader(rest_);
      (void)Read(reader);
      rest_ = reader.rest();
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.rest_.size() == b.rest_.size();
    }

   private:
    Bytes rest_;
  };

  Entries() = default;
  /// `octets`: the checked payload, `count` entries long.
  Entries(Bytes octets, std::size_t count) : octets_(octets), count_(count) {}

  [[nodiscard]] Iterator begin() const { return Iterator(octets_); }
  [[nodiscard]] Iterator end() const { return Iterator(octets_.last(0)); }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  Bytes octets_;
  std::size_t count_ = 0;
};

}  // namespace hermod::mqtt
