// SPDX-License-Identifier: Apache-2.0
// The requests of one peer that were seen and must not act twice (RFC 7252 §4.5), in bounded
// memory. A table indexed by the low bits of the message id: 16 octets an entry; it grows while
// entries that still matter collide, up to one entry for each message id there is, so that nothing
// is forgotten within EXCHANGE_LIFETIME at up to 265 requests a second. Where the table may not
// grow, the newer request wins: what is remembered are the last requests.
//
// A faster peer reuses message ids before EXCHANGE_LIFETIME is over, whatever the specification
// says. So an entry is compared by the whole message, and the same id with another token or content
// is a new request.
//
//          open()                 answer()
//   none ----------> being done -----------> answered: code and, of the last ones, body are
//   repeated
//     ^                |   |
//     |  forget()      |   | acknowledge()
//     +----------------+   +-----------> acknowledged: an Empty Acknowledgement is repeated, the
//                                        response went or goes separately (RFC 7252 §5.2.2)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/session/budget.hpp"

namespace hermod::coap {

class Deduplicator {
 public:
  /// Entries that a peer has without asking the budget: 4 KiB.
  static constexpr std::size_t kEntriesFree = 256;
  /// One for each message id.
  static constexpr std::size_t kEntriesMost = 65'536;

  enum class Verdict : std::uint8_t {
    kNew,           ///< not seen, or it may be executed again
    kInProgress,    ///< its answer is on the way
    kAcknowledged,  ///< acknowledged, answered separately
    kAnswered,      ///< answered with `code` and `body`
  };
  struct Seen {
    Verdict verdict = Verdict::kNew;
    Code code;
    Bytes body;  ///< options and payload; empty also when they are not kept any more
  };

  /// `entries_max` is a power of two from 8 to kEntriesMost; bodies of the last `bodies_max`
  /// responses are kept. Memory beyond kEntriesFree entries comes from `budget`, which outlives
  /// this; nullptr: it is not counted.
  Deduplicator(std::size_t entries_max, std::size_t bodies_max, session::Budget* budget)
      : entries_max_(entries_max), bodies_max_(bodies_max), share_(budget), bodies_share_(budget) {}

  /// What a message is compared by.
  [[nodiscard]] static std::uint64_t fingerprint(Bytes datagram);

  /// Whether this message was seen. The body lives until the next answer().
  [[nodiscard]] Seen look_up(std::uint16_t message_id, std::uint64_t fingerprint,
                             Instant now) const;
  /// The request is being executed; remembered until `until`.
  void open(std::uint16_t message_id, std::uint64_t fingerprint, Instant now, Instant until);
  /// It was acknowledged without a response.
  void acknowledge(std::uint16_t message_id, std::uint64_t fingerprint);
  /// It was answered; `body` is what follows the token. Changes nothing once acknowledged.
  void answer(std::uint16_t message_id, std::uint64_t fingerprint, Code code, Bytes body = {});
  /// It was answered and may be executed again. Changes nothing once acknowledged.
  void forget(std::uint16_t message_id, std::uint64_t fingerprint);

  /// When the last answer may be forgotten; an instant in the past when there is none.
  [[nodiscard]] Instant until() const { return until_; }
  [[nodiscard]] std::size_t capacity() const { return entries_.size(); }

 private:
  enum class State : std::uint8_t { kFree, kOpen, kAcknowledged, kAnswered };
  struct Entry {
    std::uint64_t fingerprint = 0;
    std::uint32_t until_s = 0;
    std::uint16_t message_id = 0;
    Code code;
    State state = State::kFree;
  };
  struct Body {
    std::uint64_t fingerprint = 0;
    std::uint16_t message_id = 0;
    std::vector<std::uint8_t> octets;
  };
  [[nodiscard]] Entry* find(std::uint16_t message_id, std::uint64_t fingerprint);
  [[nodiscard]] bool matters(const Entry& entry, Instant now) const;
  void keep(Entry& entry, State state);
  void keep_body(const Entry& entry, Bytes body);
  [[nodiscard]] bool grow();

  std::size_t entries_max_;
  std::size_t bodies_max_;
  std::vector<Entry> entries_;
  std::vector<Body> bodies_;  // a ring, once it is full
  std::size_t next_body_ = 0;
  session::BudgetShare share_;
  session::BudgetShare bodies_share_;
  Instant until_{};
};

}  // namespace hermod::coap
