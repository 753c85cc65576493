// SPDX-License-Identifier: Apache-2.0
// A client that subscribes and unsubscribes at a fixed rate while others are measured: fresh
// filters that no topic of the load matches, with and without wildcards in turn. A filter is
// unsubscribed when the next one is subscribed to.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "mqtt_link.hpp"

namespace hermod::load {

class ChurnLink final : public MqttLink {
 public:
  /// `prefix`: the filters begin with it. `rate`: subscriptions a second, above 0.
  ChurnLink(LinkNames names, std::string prefix, unsigned rate)
      : MqttLink(std::move(names)), prefix_(std::move(prefix)), rate_(rate) {}

  /// Sends what is due. Returns the time to the next one.
  Duration churn(Turn& turn);
  /// Nothing is unanswered, or it will not be answered. From any thread.
  [[nodiscard]] bool settled() const { return unanswered_.load(std::memory_order_acquire) == 0; }
  /// Acknowledged ones.
  [[nodiscard]] std::uint64_t subscribed() const { return subscribed_; }
  [[nodiscard]] std::uint64_t unsubscribed() const { return unsubscribed_; }

 private:
  std::size_t on_packets(Bytes bytes, Turn& turn) override;
  void on_closed(std::string_view why, Turn& turn) override;
  [[nodiscard]] std::string filter(std::uint64_t number) const;
  void send_subscribe(std::uint64_t number);
  void send_unsubscribe(std::uint64_t number);
  void add_unanswered(std::int64_t change);

  std::string prefix_;
  unsigned rate_;
  std::uint64_t begun_ = 0;
  std::uint64_t subscribed_ = 0;
  std::uint64_t unsubscribed_ = 0;
  std::atomic<std::int64_t> unanswered_ = 0;
};

}  // namespace hermod::load
