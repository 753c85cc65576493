// SPDX-License-Identifier: Apache-2.0
// The requests of one peer that were seen and must not be executed twice (RFC 7252 §4.5), in
// bounded memory. A table indexed by the low bits of the message id: 16 octets an entry, it grows
// while entries that still matter collide, then the newer one wins.
//
// A peer that makes more than 265 requests a second reuses message ids before EXCHANGE_LIFETIME is
// over, whatever the specification says. So an entry is compared by the whole message, and the same
// id with another token or content is a new request.
//
//          open()                 answer()
//   none ----------> being done -----------> answered: the code is repeated
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

namespace hermod::coap {

class Deduplicator {
 public:
  enum class Verdict : std::uint8_t {
    kNew,           ///< not seen, or it may be executed again
    kInProgress,    ///< its answer is on the way
    kAcknowledged,  ///< acknowledged, answered separately
    kAnswered,      ///< answered with `code`
  };
  struct Seen {
    Verdict verdict = Verdict::kNew;
    Code code;
  };

  /// `entries_max` is a power of two, at least 8.
  explicit Deduplicator(std::size_t entries_max) : entries_max_(entries_max) {}

  /// What a message is compared by.
  [[nodiscard]] static std::uint64_t fingerprint(Bytes datagram);

  /// Whether this message was seen.
  [[nodiscard]] Seen look_up(std::uint16_t message_id, std::uint64_t fingerprint,
                             Instant now) const;
  /// The request is being executed; remembered until `until`.
  void open(std::uint16_t message_id, std::uint64_t fingerprint, Instant now, Instant until);
  /// It was acknowledged without a response.
  void acknowledge(std::uint16_t message_id, std::uint64_t fingerprint);
  /// It was answered with a response that consists of its code. Changes nothing once acknowledged.
  void answer(std::uint16_t message_id, std::uint64_t fingerprint, Code code);
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
  [[nodiscard]] Entry* find(std::uint16_t message_id, std::uint64_t fingerprint);
  [[nodiscard]] bool matters(const Entry& entry, Instant now) const;
  void keep(Entry& entry, State state);
  void grow();

  std::size_t entries_max_;
  std::vector<Entry> entries_;
  Instant until_{};
};

}  // namespace hermod::coap
