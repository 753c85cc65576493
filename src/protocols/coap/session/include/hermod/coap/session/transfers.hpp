// SPDX-License-Identifier: Apache-2.0
// Bodies in blocks (RFC 7959), one peer's: those that it is sending (Block1), assembled so that a
// resource gets them whole, and those of responses that cannot be had by asking again (Block2). All
// memory is bounded and comes from a budget. Sends nothing itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/session/response.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/session/budget.hpp"

namespace hermod::coap {

class Transfers {
 public:
  /// Both outlive this; `budget` may be nullptr: then memory is not counted.
  Transfers(const Settings& settings, session::Budget* budget)
      : settings_(settings), budget_(budget) {}

  // --- Block1: what the peer sends ---

  enum class Step : std::uint8_t {
    kContinue,    ///< kept, more is to come: 2.31
    kWhole,       ///< this was the last one: take()
    kIncomplete,  ///< it does not follow what was kept, or contradicts it: 4.08
    kTooLarge,    ///< the body is larger than `body_max`: 4.13
    kWrong,       ///< not the last one, and not as long as it says: 4.00
    kNoRoom,      ///< nothing more can be kept now: 5.03
  };
  /// A block of the body `key` has come, `size1` is how large the body is to be. A block that was
  /// kept already changes nothing.
  [[nodiscard]] Step receive(std::uint64_t key, const Block& block, Bytes payload,
                             std::optional<std::uint32_t> size1, std::size_t body_max, Instant now);
  /// The first block had If-None-Match, which the others do not have (RFC 7959 §2.10).
  void require_absent(std::uint64_t key);
  [[nodiscard]] bool requires_absent(std::uint64_t key);
  /// The whole body, which is forgotten here.
  [[nodiscard]] std::vector<std::uint8_t> take(std::uint64_t key);

  // --- Block2: what the peer fetches ---

  struct Kept {
    std::uint64_t key = 0;
    Code code;
    EntityTag etag;
    std::optional<ContentFormat> format;
    std::vector<std::uint8_t> body;
    Instant until{};
    session::BudgetShare share;
  };
  /// Keeps a response's body. False when there is no room for it.
  [[nodiscard]] bool keep(std::uint64_t key, const Response& response, Instant now);
  /// The response that was kept for a request; nullptr when there is none. Lives until the next
  /// keep() or expire().
  [[nodiscard]] const Kept* find(std::uint64_t key) const;

  /// Forgets what nobody has asked for any more.
  void expire(Instant now);
  /// When expire() has something to do; kNever when there is nothing.
  [[nodiscard]] Instant due() const;

 private:
  struct Upload {
    std::uint64_t key = 0;
    std::vector<std::uint8_t> body;
    Instant until{};
    session::BudgetShare share;
    bool if_none_match = false;
  };
  [[nodiscard]] Upload* find_upload(std::uint64_t key);
  Upload& start(std::uint64_t key);
  void drop(std::uint64_t key);

  const Settings& settings_;
  session::Budget* budget_;
  std::vector<Upload> uploads_;
  std::vector<Kept> kept_;
};

}  // namespace hermod::coap
