// SPDX-License-Identifier: Apache-2.0
// What the members of a shared subscription have received together (MQTT 5.0 §4.8.2): each message
// of each publisher goes to one of them, so that the whole is complete and no part is in order with
// another. One thread's.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

namespace hermod::load {

/// The numbered messages of one publisher, which come in any order within a window.
class UnorderedTracker {
 public:
  /// Skipped messages that are remembered; one beyond that counts as duplicated when it comes.
  static constexpr std::size_t kSkippedMax = 1 << 16;

  /// `window`: no message comes before one that is so many numbers older, unless the older one was
  /// given up.
  explicit UnorderedTracker(std::size_t window);

  /// A message has come; false when it had before.
  bool on_message(std::uint64_t sequence);

  /// All messages below it came or were given up.
  [[nodiscard]] std::uint64_t base() const { return base_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
  /// Of `sent` messages, those that never came.
  [[nodiscard]] std::uint64_t lost(std::uint64_t sent) const { return sent - received_; }

 private:
  bool on_old(std::uint64_t sequence);
  void skip_to(std::uint64_t base);
  [[nodiscard]] std::uint64_t& word(std::uint64_t sequence) {
    return words_[sequence / 64 & (words_.size() - 1)];
  }
  static std::uint64_t bit(std::uint64_t sequence) { return std::uint64_t{1} << sequence % 64; }

  std::vector<std::uint64_t> words_;  // ring of bits: what came from base_ on
  std::uint64_t base_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t duplicated_ = 0;
  std::unordered_set<std::uint64_t> skipped_;
};

class SharedGroup {
 public:
  /// `number`: among the groups. `sources`: publishers.
  SharedGroup(unsigned number, unsigned sources, std::size_t window)
      : number_(number), trackers_(sources, UnorderedTracker(window)) {}

  void join() { ++members_; }
  /// A member is gone. True when it was the last.
  [[nodiscard]] bool leave() { return --members_ == 0; }

  /// A member got a message; `next` is one more than the last that it had of this source.
  void on_message(unsigned source, std::uint64_t sequence, std::uint64_t& next) {
    if (!trackers_[source].on_message(sequence)) return;
    if (sequence < next) {
      ++reordered_;
    } else {
      next = sequence + 1;
    }
  }

  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] const std::vector<UnorderedTracker>& trackers() const { return trackers_; }
  /// Messages that came to a member after a later one of the same publisher.
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }

 private:
  unsigned number_;
  unsigned members_ = 0;
  std::vector<UnorderedTracker> trackers_;  // by source
  std::uint64_t reordered_ = 0;
};

}  // namespace hermod::load
