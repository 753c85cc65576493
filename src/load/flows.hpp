// SPDX-License-Identifier: Apache-2.0
// How far every subscriber has seen every publisher's messages: the only state that generator
// threads share. Each word has one writer. A publisher looks here how far it may go.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "hermod/load/options.hpp"
#include "send_times.hpp"

namespace hermod::load {

class Flows {
 public:
  /// A subscriber that is gone holds nobody up.
  static constexpr std::uint64_t kGone = std::numeric_limits<std::uint64_t>::max();

  /// Paired: publisher i reaches subscriber i alone. Else every subscriber sees every publisher.
  /// `window`: send times are kept for so many messages of each publisher; 0: none are kept.
  Flows(unsigned publishers, unsigned subscribers, bool paired, std::size_t window = 0);

  [[nodiscard]] unsigned publishers() const { return publishers_; }
  [[nodiscard]] unsigned subscribers() const { return subscribers_; }
  [[nodiscard]] bool paired() const { return paired_; }

  /// Publishers that one subscriber sees.
  [[nodiscard]] unsigned sources() const { return paired_ ? 1 : publishers_; }
  /// Subscribers that one publisher reaches.
  [[nodiscard]] unsigned fan() const { return paired_ ? 1 : subscribers_; }
  /// Which of its sources a publisher is to a subscriber; sources() or more: none of them.
  [[nodiscard]] unsigned source_of(unsigned subscriber, std::uint32_t publisher) const {
    return paired_ ? publisher - subscriber : publisher;
  }

  /// The subscriber has seen all of the source's messages below `next`. Subscriber's thread.
  void set_seen(unsigned subscriber, unsigned source, std::uint64_t next) {
    cell(subscriber, source).store(next, std::memory_order_release);
  }
  /// What the slowest of a publisher's subscribers has seen.
  [[nodiscard]] std::uint64_t floor(unsigned publisher) const;

  /// True when send times are kept.
  [[nodiscard]] bool timed() const { return !send_times_.empty(); }
  /// When messages were appended to the publisher's output. Publisher's thread, before set_sent().
  void set_send_time(unsigned publisher, std::uint64_t first, std::uint64_t count, Instant at) {
    send_times_[publisher].set_batch(first, count, at);
  }
  /// Of a message that has been sent; when the window was forgiven since, the time of a later one.
  [[nodiscard]] Instant send_time(unsigned publisher, std::uint64_t sequence) const {
    return send_times_[publisher].of(sequence);
  }

  /// What the publisher has sent and whether it will send more. Publisher's thread.
  void set_sent(unsigned publisher, std::uint64_t sent) {
    outlets_[publisher].sent.store(sent, std::memory_order_release);
  }
  void set_open(unsigned publisher, std::uint64_t unacknowledged, bool ended) {
    outlets_[publisher].unacknowledged.store(unacknowledged, std::memory_order_release);
    outlets_[publisher].ended.store(ended, std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t sent(unsigned publisher) const {
    return outlets_[publisher].sent.load(std::memory_order_acquire);
  }
  /// Everything that was sent has been seen and acknowledged, and no more will be sent.
  [[nodiscard]] bool settled() const;

 private:
  struct Outlet {
    std::atomic<std::uint64_t> sent = 0;
    std::atomic<std::uint64_t> unacknowledged = 0;
    std::atomic<bool> ended = false;
  };
  // A publisher's cells lie side by side: floor() walks them.
  [[nodiscard]] std::atomic<std::uint64_t>& cell(unsigned subscriber, unsigned source) {
    return paired_ ? seen_[subscriber] : seen_[std::size_t{source} * subscribers_ + subscriber];
  }

  unsigned publishers_;
  unsigned subscribers_;
  bool paired_;
  std::vector<std::atomic<std::uint64_t>> seen_;
  std::vector<Outlet> outlets_;
  std::vector<SendTimes> send_times_;  // by publisher
};

}  // namespace hermod::load
