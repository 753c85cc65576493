// SPDX-License-Identifier: Apache-2.0
// A run while it goes on: the cast and the acts of the play. Its parts are in three files:
// what concerns everybody, CoAP clients, and a broker with a store.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coap_actor.hpp"
#include "coap_jury.hpp"
#include "group_jury.hpp"
#include "jury.hpp"
#include "ledger.hpp"
#include "mqtt_actor.hpp"
#include "scenario.hpp"
#include "world.hpp"

namespace hermod::sim {

class Scenario {
 public:
  Scenario(const Options& options, bool verbose);
  Outcome run();

 private:
  // scenario.cpp
  void make_topics();
  void make_clients();
  [[nodiscard]] MqttPlan make_plan(unsigned index);
  [[nodiscard]] std::string random_filter();
  template <typename Client>
  void schedule(Client& client);
  void plan_pauses();
  [[nodiscard]] bool settled() const;
  void wait_until_settled(std::string_view when);
  void come_to_rest();
  void wait_until_quiet();
  void all_arrived();
  void judge();
  void send_visitors();
  void clear_retained();
  void leave();
  void shut_down();
  [[nodiscard]] Outcome outcome();
  MqttActor& make_client(MqttPlan plan);

  // scenario_coap.cpp
  void make_coap_clients();
  CoapActor& make_coap_client(CoapPlan plan);
  void gossip(PublicationId id);
  void check_observers();
  void play_last_round();
  void cancel_some();
  void publish_some();
  void send_coap_visitors();
  void check_found(const CoapActor& visitor);
  void clear_retained_over_coap();
  void leave_coap(bool vanishing);
  [[nodiscard]] bool has_coap() const { return !coap_clients_.empty(); }

  // scenario_kept.cpp
  void plan_stops();
  void fill_disk();
  void stop_broker(Stop how);
  void start_broker();
  void damage_log(bool whole);
  void mend();

  const Options options_;
  Trace trace_;
  World world_;
  Ledger ledger_;
  Jury jury_;
  CoapJury coap_jury_;
  GroupJury group_jury_;
  SeededRng rng_;
  std::uint64_t stops_ = 0;
  std::uint64_t damages_ = 0;
  bool damaged_now_ = false;
  std::vector<std::unique_ptr<MqttActor>> clients_;
  std::vector<std::unique_ptr<CoapActor>> coap_clients_;
};

}  // namespace hermod::sim
