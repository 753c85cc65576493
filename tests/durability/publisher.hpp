// SPDX-License-Identifier: Apache-2.0
// A client that publishes on its lanes and goes on after each reconnect with what was not
// acknowledged: with the same packet ids and DUP when its session lasts [MQTT-4.4.0-1], not at all
// when it does not, since then nobody can know what became of it.
#pragma once

#include <deque>
#include <vector>

#include "client.hpp"

namespace hermod::durability {

struct PublisherPlan {
  std::vector<LaneId> lanes;
  std::size_t window = 12;   ///< messages at a time that are not acknowledged
  Duration pause{};          ///< about so long between two messages
  std::uint64_t count = 0;   ///< messages for each lane, in turn; 0: by chance until finish()
  std::size_t size_max = 0;  ///< octets of a payload; 0: mixed, up to 300 KiB now and then
};

class Publisher final : public Client {
 public:
  Publisher(World& world, Identity identity, PublisherPlan plan, std::uint64_t seed);

  /// Begins to publish; until then it only connects.
  void begin();
  /// Begins no further message.
  void finish() { producing_ = false; }
  /// All that it began is over, PUBCOMP included.
  [[nodiscard]] bool finished() const;

 private:
  static constexpr std::uint64_t kUnsent = ~std::uint64_t{0};
  struct Outgoing {
    LaneId lane = 0;
    std::uint64_t sequence = kUnsent;  // from its first transmission on
    std::size_t size = 0;
    bool taken = false;  // handed to this connection
    bool again = false;  // was handed to an earlier one
    bool settled = false;
  };

  void on_opened(bool session_present, Instant now) override;
  void on_lost(Instant now) override;
  void on_settle(const session::Settle& settle) override;
  void on_credit(std::uint32_t count) override { credit_ += count; }
  void act(Instant now) override;
  [[nodiscard]] Instant due() const override;

  void produce(Instant now);
  [[nodiscard]] LaneId choose_lane();
  [[nodiscard]] std::size_t choose_size();
  [[nodiscard]] bool send_batch(Instant now);
  void forget_settled();

  PublisherPlan plan_;
  std::deque<Outgoing> outgoing_;
  model::Tag first_tag_ = 1;  // of outgoing_.front()
  std::uint32_t credit_ = 0;
  std::uint64_t produced_ = 0;
  Instant next_at_{};
  bool producing_ = false;
};

}  // namespace hermod::durability
