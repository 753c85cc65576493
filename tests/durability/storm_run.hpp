// SPDX-License-Identifier: Apache-2.0
// R29: many clients with lasting sessions and messages that wait for them; the broker is killed and
// started again, and all of them come back at once.
#pragma once

#include <deque>
#include <string>

#include "broker_process.hpp"
#include "checker.hpp"
#include "client.hpp"
#include "kill_run.hpp"
#include "options.hpp"
#include "publisher.hpp"
#include "subscriber.hpp"

namespace hermod::durability {

struct StormOutcome : Outcome {
  unsigned clients = 0;
  Duration sessions_back{};   ///< from the start of the broker
  Duration messages_there{};  ///< likewise
};

class StormRun {
 public:
  StormRun(const Options& options, BrokerProcess& broker, Loop& loop);
  [[nodiscard]] StormOutcome run();

 private:
  void add_clients();
  [[nodiscard]] bool subscribe_all();
  [[nodiscard]] bool fill_queues();
  [[nodiscard]] bool kill_and_return();
  template <typename Done>
  [[nodiscard]] bool serve(Duration most, const Done& done);
  void start_more();
  [[nodiscard]] bool start_broker();
  [[nodiscard]] bool fail(std::string why);

  const Options& options_;
  BrokerProcess& broker_;
  Loop& loop_;
  Checker checker_;
  World world_;
  SeededRng rng_;
  std::deque<Publisher> publishers_;
  std::deque<Subscriber> subscribers_;
  std::size_t begun_ = 0;  // subscribers that have been started in this round
  bool returning_ = false;
  Instant started_{};
  StormOutcome outcome_;
};

}  // namespace hermod::durability
