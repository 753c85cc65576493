// SPDX-License-Identifier: Apache-2.0
// The packet ids that are in use between two peers, both ways. A value: core keeps it while a
// subscriber is away, attach lends it to one session, detach returns it; clients use the same type.
// Messages stay in the subscriber's queue: here are ids, tags and how far each exchange has come.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "hermod/model/delivery.hpp"

namespace hermod::model {

/// How far an outgoing message has come.
enum class Stage : std::uint8_t {
  kFree,
  kSent,      ///< sent, waits for its first answer (PUBACK, PUBREC)
  kReleased,  ///< exactly once: PUBREC seen, PUBREL sent, waits for PUBCOMP; the message is settled
};

/// Costs one pointer while nothing is in flight.
class Inflight {
 public:
  struct Entry {
    Tag tag = 0;
    std::uint32_t order = 0;  ///< of the last stage change; PUBRELs are repeated in this order
    std::uint16_t id = 0;
    Stage stage = Stage::kFree;
    Guarantee guarantee = Guarantee::kAtMostOnce;
  };

  Inflight() = default;
  Inflight(Inflight&&) noexcept = default;
  Inflight& operator=(Inflight&&) noexcept = default;

  // --- outgoing: ids that this side chose ---

  /// A free id (1 to 65,535, ascending, skipping ids in use) for the message of `tag`, now kSent.
  /// 0 when 65,535 are in use.
  [[nodiscard]] std::uint16_t take(Tag tag, Guarantee guarantee);
  /// The id that is the tag's own (tag mod 65,535 + 1), now kSent: the same whenever it is asked
  /// for. It must be free: who takes ids so hands out no two tags that are 65,535 apart.
  std::uint16_t take_for(Tag tag, Guarantee guarantee);
  /// The entry of an id in use, or nullptr. Lives until the next call that is not const.
  [[nodiscard]] Entry* find(std::uint16_t id);
  /// The entry of a tag that is kSent, or nullptr. Searches from where it found the last one: cheap
  /// when tags are asked for in the order in which they were taken.
  [[nodiscard]] Entry* find_tag(Tag tag);
  /// kSent becomes kReleased.
  void release(Entry& entry);
  /// The id is free again.
  void finish(std::uint16_t id);
  /// Ids in use.
  [[nodiscard]] std::size_t outgoing() const { return state_ ? state_->used : 0; }
  /// The ids whose message is settled but whose exchange is not over, oldest first.
  [[nodiscard]] std::vector<std::uint16_t> released() const;

  // --- incoming: ids of exactly-once messages that the peer chose and has not released ---

  /// Remembers `id`; false when it is already there (the message is a repetition).
  [[nodiscard]] bool note_incoming(std::uint16_t id);
  [[nodiscard]] bool has_incoming(std::uint16_t id) const;
  /// Forgets `id`; false when it was not there.
  bool forget_incoming(std::uint16_t id);
  /// Forgets all but those in `ids`.
  void keep_incoming(std::span<const std::uint16_t> ids);
  [[nodiscard]] std::size_t incoming() const { return state_ ? state_->incoming_used : 0; }

  [[nodiscard]] bool empty() const { return outgoing() == 0 && incoming() == 0; }
  /// Gives the memory back when nothing is in flight.
  void shrink();

 private:
  static constexpr std::size_t kPageIds = 1024;
  using Page = std::array<std::uint64_t, kPageIds / 64>;

  struct State {
    std::vector<Entry> ring;  // size a power of two; id i stands at i & (size - 1)
    std::uint32_t used = 0;
    std::uint32_t order = 0;
    std::uint16_t last_id = 0;
    std::uint32_t incoming_used = 0;
    std::uint32_t found_at = 0;  // place in the ring where find_tag() found
    std::array<std::unique_ptr<Page>, 65536 / kPageIds>
        incoming;  // bitmaps, allocated when touched
  };
  State& state();
  void grow();

  std::unique_ptr<State> state_;
};

}  // namespace hermod::model
