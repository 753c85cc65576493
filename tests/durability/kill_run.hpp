// SPDX-License-Identifier: Apache-2.0
// R1: a broker that is killed at moments of chance, again and again, under a load of every kind of
// publisher and subscriber; in the end everybody comes back, and the checker decides.
#pragma once

#include <deque>
#include <initializer_list>
#include <optional>
#include <string>

#include "broker_process.hpp"
#include "checker.hpp"
#include "client.hpp"
#include "coap_publisher.hpp"
#include "options.hpp"
#include "publisher.hpp"
#include "subscriber.hpp"

namespace hermod::durability {

/// What came of a run beside the verdict.
struct Outcome {
  Report report;
  unsigned kills = 0;
  Duration ready_max{};  ///< from the start of the broker to the first CONNACK
  std::string failure;   ///< why the run could not go on; empty: it did
};

class KillRun {
 public:
  KillRun(const Options& options, BrokerProcess& broker, Loop& loop);
  [[nodiscard]] Outcome run();

 private:
  void add_publishers();
  void add_devices();
  void add_subscribers();
  void add_subscriber(SubscriberPlan plan);
  void add_group(const std::string& name, std::vector<Filter> filters,
                 std::initializer_list<SubscriberPlan::Habit> members);
  [[nodiscard]] bool start_broker();
  [[nodiscard]] bool set_up();
  [[nodiscard]] bool kill_once();
  [[nodiscard]] bool wind_up();
  /// Serves clients until `done`, or for `most`; false when the broker has ended by itself.
  template <typename Done>
  [[nodiscard]] bool serve(Duration most, const Done& done);
  [[nodiscard]] bool fail(std::string why);
  [[nodiscard]] bool published() const;
  [[nodiscard]] bool all_finished() const;
  void note_ready();

  const Options& options_;
  BrokerProcess& broker_;
  Loop& loop_;
  Checker checker_;
  World world_;
  SeededRng rng_;
  std::deque<Publisher> publishers_;
  std::deque<CoapPublisher> devices_;
  std::deque<Subscriber> subscribers_;
  std::optional<Subscriber> late_;
  Instant started_{};
  Outcome outcome_;
};

}  // namespace hermod::durability
