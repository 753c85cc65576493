// SPDX-License-Identifier: Apache-2.0
// A client with a lasting session that reads: always, slowly, now and then, or only in the end.
#pragma once

#include <string>
#include <vector>

#include "client.hpp"

namespace hermod::durability {

struct SubscriberPlan {
  enum class Habit : std::uint8_t {
    kSteady,    ///< reads and acknowledges at once
    kSlow,      ///< reads little at a time and acknowledges late
    kRestless,  ///< comes and goes, with DISCONNECT or without
    kAway,      ///< leaves once it has subscribed, until it is started again
  };
  std::vector<Filter> filters;
  Habit habit = Habit::kSteady;
  std::string share;       ///< the group that it shares its subscriptions with
  ReaderId group = kNone;  ///< what the group is to the checker
  static constexpr ReaderId kNone = ~ReaderId{0};
};

class Subscriber final : public Client {
 public:
  Subscriber(World& world, Identity identity, SubscriberPlan plan, std::uint64_t seed);

  /// From now on it is steady, and connected.
  void calm_down();
  /// SUBACK has come for all its filters.
  [[nodiscard]] bool subscribed() const { return subscribed_; }
  [[nodiscard]] bool settled() const { return subscribed_ && open() && unanswered_.empty(); }

 private:
  void on_opened(bool session_present, Instant now) override;
  void on_lost(Instant now) override;
  void on_message(const session::Publish& publish) override;
  void on_completed(const session::Completed& completed) override;
  void act(Instant now) override;
  [[nodiscard]] Instant due() const override;
  void subscribe(Instant now);

  SubscriberPlan plan_;
  ReaderId reader_;
  std::vector<session::Ticket> unanswered_;
  std::size_t granted_ = 0;
  Instant answer_at_{};
  Instant break_off_at_ = kNever;
  bool asked_ = false;  // on this connection
  bool subscribed_ = false;
};

/// Reads the values of all topics that match a filter, once, with a clean session.
class ValueReader final : public Client {
 public:
  ValueReader(World& world, std::string filter, std::uint64_t seed);

 private:
  void on_opened(bool, Instant) override { asked_ = false; }
  void on_lost(Instant) override {}
  void on_message(const session::Publish& publish) override;
  void act(Instant now) override;

  std::string filter_;
  std::vector<session::Ticket> unanswered_;
  bool asked_ = false;
};

}  // namespace hermod::durability
