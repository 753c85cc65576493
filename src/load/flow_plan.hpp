// SPDX-License-Identifier: Apache-2.0
// Who publishes on which topics and who subscribes to what, in the scenarios that publish. Knows
// neither sockets nor packets.
//
//   hb/RUN/P             the topic of publisher P
//   hb/RUN/PPPP/NNNNNNN  topic N of publisher P, with --topics
#pragma once

#include <string>

#include "filter_set.hpp"
#include "hermod/load/options.hpp"
#include "topic_cycle.hpp"

namespace hermod::load {

class FlowPlan {
 public:
  /// `options` are resolved and outlive the plan; `run_name` makes the topics of a run its own.
  FlowPlan(const Options& options, std::string run_name)
      : options_(options), run_(std::move(run_name)) {}

  /// Publisher i reaches subscriber i alone.
  [[nodiscard]] bool paired() const { return is_paired(options_.scenario); }
  /// With --topics the topics are dealt out to the publishers in turn; when there are more
  /// publishers, several share a topic.
  [[nodiscard]] TopicCycle topics(unsigned publisher) const;
  /// Who counts what is received: groups with --groups, else subscribers.
  [[nodiscard]] unsigned receivers() const {
    return options_.groups != 0 ? options_.groups : options_.subscribers;
  }
  [[nodiscard]] unsigned receiver_of(unsigned subscriber) const {
    return options_.groups != 0 ? subscriber % options_.groups : subscriber;
  }
  /// One wildcard filter for all that the subscriber is to see, or, with --exact, each topic; of
  /// its group with --groups.
  [[nodiscard]] FilterSet filters(unsigned subscriber) const;

 private:
  [[nodiscard]] FilterSet unshared_filters(unsigned subscriber) const;
  [[nodiscard]] std::string topic(unsigned publisher, std::uint32_t number) const;
  [[nodiscard]] std::uint32_t topics_of(unsigned publisher) const;

  const Options& options_;
  std::string run_;
};

}  // namespace hermod::load
