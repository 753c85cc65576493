// SPDX-License-Identifier: Apache-2.0
// The requests of one peer that are not answered yet. Records are used again, and what travels in
// tickets is their index and generation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/token.hpp"

namespace hermod::coap {

/// Whether a request may be done again without doing anything (RFC 7252 §5.1, RFC 8132 §2.1).
[[nodiscard]] constexpr bool is_safe(Code method) {
  return method == code::kGet || method == code::kFetch;
}

/// How a request came, which says how its response goes.
struct Exchange {
  Type type = Type::kCon;
  Code method;
  bool open = false;
  bool acknowledged = false;    ///< with an Empty message: the response goes separately
  bool remembered = false;      ///< duplicates of it are recognised
  std::uint8_t suppressed = 0;  ///< No-Response: bit n - 1 for class n (RFC 7967 §2)
  std::uint16_t message_id = 0;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  Token token;
  std::uint64_t fingerprint = 0;
  std::uint64_t transfer = 0;   ///< transfer_key(), where blocks are concerned
  std::optional<Block> block1;  ///< to be named in the response
  std::optional<Block> block2;  ///< that is asked for
  bool wants_size2 = false;
  Instant received{};
};

class Exchanges {
 public:
  static constexpr std::uint32_t kGenerationMask = 0xff'ffff;  // generations travel in tickets

  /// A record for a new request; nullptr when `most` are open. Lives until give().
  [[nodiscard]] Exchange* take(std::size_t most);
  /// The request is answered.
  void give(Exchange& exchange);
  /// The open request of a ticket; nullptr when it is over.
  [[nodiscard]] Exchange* find(std::uint32_t index, std::uint32_t generation);
  [[nodiscard]] std::size_t open() const { return exchanges_.size() - free_.size(); }

  /// Calls visit(Exchange&) for each open request.
  template <typename Visit>
  void for_each_open(Visit visit) {
    if (open() == 0) return;
    for (const auto& exchange : exchanges_) {
      if (exchange->open) visit(*exchange);
    }
  }

 private:
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<Exchange*> free_;
};

}  // namespace hermod::coap
