// SPDX-License-Identifier: Apache-2.0
#include "scenario_flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "extras.hpp"
#include "flow_plan.hpp"
#include "flows.hpp"
#include "mqtt_publisher.hpp"
#include "mqtt_subscriber.hpp"
#include "pacing.hpp"
#include "quantiles.hpp"

namespace hermod::load {
namespace {

class FlowWorkload;

// How exact a sleep is: an open loop sleeps only when there is much more time than this.
constexpr Duration kCoarse = std::chrono::milliseconds{2};

// Tokens: publishers count from 0, subscribers and clients beside the flow from here.
constexpr transport::Token kSubscriberToken = transport::Token{1} << 32;
constexpr transport::Token kExtraToken = transport::Token{2} << 32;

class FlowShare final : public Share {
 public:
  FlowShare(FlowWorkload& workload, unsigned thread);

  void on_event(const transport::Event& event, Turn& turn) override;
  Duration on_turn(Turn& turn) override;
  void collect(Measurement& measurement, Histogram& delays, Histogram& lateness) const;

 private:
  void connect_more(Turn& turn);
  Duration publish_closed(Turn& turn);
  Duration publish_paced(Turn& turn);
  void note_lateness(const MqttPublisher& publisher, std::uint64_t count, Turn& turn);
  void wind_up(Turn& turn);
  MqttLink& link(std::size_t index);
  [[nodiscard]] transport::Token token(std::size_t index) const;
  [[nodiscard]] std::size_t links() const;

  FlowWorkload& workload_;
  Extras* extras_;                                    // of the first thread alone
  std::vector<std::unique_ptr<SharedGroup>> groups_;  // all members of each live here
  std::vector<std::unique_ptr<MqttPublisher>> publishers_;
  std::vector<std::unique_ptr<MqttSubscriber>> subscribers_;
  // Links that connect() was called for: subscribers, publishers, extras.
  std::size_t begun_ = 0;
  Histogram delays_;
  Histogram lateness_;
  std::uint64_t due_before_ = 0;
  bool behind_ = false;  // something due could not be sent
  std::uint64_t progress_before_ = 0;
  Instant looked_at_{};
};

class FlowWorkload final : public Workload {
 public:
  explicit FlowWorkload(const Target& target)
      : target_(target),
        plan_(target.options, target.run_name),
        flows_(target.options.publishers, plan_.receivers(), plan_.paired(), target.options.window),
        extras_(target) {
    if (target.options.scenario == Scenario::kLatency) {
      pacing_.emplace(target.options.rate, target.options.publishers);
    }
  }

  std::unique_ptr<Share> make_share(unsigned thread) override {
    auto share = std::make_unique<FlowShare>(*this, thread);
    shares_.push_back(share.get());
    return share;
  }
  std::uint64_t clients() const override {
    return std::uint64_t{options().publishers} + options().subscribers + extras_.size();
  }
  bool settled() const override { return flows_.settled() && extras_.settled(); }
  void collect(Measurement& measurement) const override;

  const Target& target() const { return target_; }
  const Options& options() const { return target_.options; }
  const Pacing* pacing() const { return pacing_ ? &*pacing_ : nullptr; }
  Flows& flows() { return flows_; }
  Extras& extras() { return extras_; }

  const FlowPlan& plan() const { return plan_; }

 private:
  const Target& target_;
  FlowPlan plan_;
  Flows flows_;
  Extras extras_;
  std::optional<Pacing> pacing_;
  std::vector<FlowShare*> shares_;
};

FlowShare::FlowShare(FlowWorkload& workload, unsigned thread)
    : workload_(workload), extras_(thread == 0 ? &workload.extras() : nullptr) {
  const Options& options = workload.options();
  const std::string& run = workload.target().run_name;
  const mqtt::Version version = wire_version(options.mqtt);
  const auto qos = static_cast<std::uint8_t>(options.qos);
  for (unsigned g = thread; g < options.groups; g += options.threads) {
    groups_.push_back(std::make_unique<SharedGroup>(g, options.publishers, options.window));
  }
  for (unsigned s = 0; s < options.subscribers; ++s) {
    const unsigned receiver = workload.plan().receiver_of(s);
    if (receiver % options.threads != thread) continue;
    SharedGroup* const group =
        options.groups != 0 ? groups_[receiver / options.threads].get() : nullptr;
    subscribers_.push_back(std::make_unique<MqttSubscriber>(
        LinkNames{.client_id = fmt::format("hb{}s{}", run, s),
                  .filters = workload.plan().filters(s),
                  .qos = qos,
                  .version = version,
                  .lasting = options.lasting},
        receiver, workload.flows(), workload.pacing(), &delays_, group));
  }
  for (unsigned p = thread; p < options.publishers; p += options.threads) {
    publishers_.push_back(std::make_unique<MqttPublisher>(
        LinkNames{.client_id = fmt::format("hb{}p{}", run, p), .version = version},
        PublisherPlan{.number = p,
                      .topics = workload.plan().topics(p),
                      .qos = options.qos,
                      .payload_bytes = options.payload_bytes,
                      .inflight = options.scenario == Scenario::kLatency
                                      ? 65'535  // an open loop does not wait for acknowledgements
                                      : std::min(options.inflight, options.window),
                      .messages = options.messages},
        workload.flows()));
  }
}

MqttLink& FlowShare::link(std::size_t index) {
  if (index < subscribers_.size()) return *subscribers_[index];
  index -= subscribers_.size();
  if (index < publishers_.size()) return *publishers_[index];
  return extras_->link(index - publishers_.size());
}

transport::Token FlowShare::token(std::size_t index) const {
  if (index < subscribers_.size()) return kSubscriberToken + index;
  index -= subscribers_.size();
  return index < publishers_.size() ? index : kExtraToken + index - publishers_.size();
}

std::size_t FlowShare::links() const {
  return subscribers_.size() + publishers_.size() + (extras_ != nullptr ? extras_->size() : 0);
}

void FlowShare::on_event(const transport::Event& event, Turn& turn) {
  if (event.token >= kExtraToken) {
    extras_->on_event(event, kExtraToken, turn);
  } else if (event.token >= kSubscriberToken) {
    subscribers_[event.token - kSubscriberToken]->on_event(event, turn);
  } else {
    publishers_[event.token]->on_event(event, turn);
  }
}

Duration FlowShare::on_turn(Turn& turn) {
  switch (turn.phase) {
    case Phase::kSetUp:
      connect_more(turn);
      return kTurnMax;
    case Phase::kLoad: {
      const Duration beside = extras_ != nullptr ? extras_->on_turn(turn, kExtraToken) : kTurnMax;
      return std::min(beside,
                      workload_.pacing() != nullptr ? publish_paced(turn) : publish_closed(turn));
    }
    case Phase::kDrain:
      wind_up(turn);
      return kTurnMax;
    case Phase::kEnd:
      break;
  }
  for (std::size_t i = 0; i < begun_; ++i) link(i).disconnect(turn);
  return kTurnMax;
}

void FlowShare::connect_more(Turn& turn) {
  while (begun_ < links() && begun_ - turn.tally->ready.value() < kConnectingMax &&
         turn.fault->empty()) {
    const std::size_t index = begun_++;
    link(index).connect(workload_.target().address, token(index), turn);
  }
}

Duration FlowShare::publish_closed(Turn& turn) {
  const bool look = turn.now - looked_at_ >= kTurnMax;
  if (look) looked_at_ = turn.now;
  for (const auto& publisher : publishers_) {
    const std::uint64_t floor = publisher->floor();
    if (floor != Flows::kGone) {
      publisher->publish(floor + workload_.options().window, turn);
    }
    publisher->flush(turn);
    publisher->report(publisher->complete() || floor == Flows::kGone);
    if (look) publisher->look_for_stall(!publisher->complete(), turn);
  }
  // What was seen here may let publishers of other threads go on.
  const std::uint64_t progress = turn.tally->progress.value();
  if (progress != progress_before_ && !workload_.flows().paired()) turn.wake_peers();
  progress_before_ = progress;
  return kTurnMax;
}

// What is due in the measured time is sent even when that has ended meanwhile: leaving it out would
// hide that it had to wait.
Duration FlowShare::publish_paced(Turn& turn) {
  const Pacing& pacing = *workload_.pacing();
  const Instant last_due = turn.schedule->measure_end - Duration{1};
  const std::uint64_t total =
      pacing.total_due(std::min(turn.now, last_due) - turn.schedule->load_begin);
  const bool draining = turn.phase != Phase::kLoad;
  if (total == due_before_ && !behind_ && !draining) {
    const Duration left = turn.schedule->load_begin + pacing.due_at(total) - turn.now;
    return left > kCoarse ? left - kCoarse : Duration{0};
  }
  due_before_ = total;
  behind_ = false;
  for (const auto& publisher : publishers_) {
    const std::uint64_t limit = pacing.share(publisher->number(), total);
    note_lateness(*publisher, publisher->publish(limit, turn), turn);
    publisher->flush(turn);
    const bool all_sent = publisher->sent() >= limit;
    behind_ = behind_ || !all_sent;
    publisher->report(draining && all_sent);
  }
  return draining ? kTurnMax : Duration{0};
}

void FlowShare::note_lateness(const MqttPublisher& publisher, std::uint64_t count, Turn& turn) {
  for (std::uint64_t k = publisher.sent() - count; k < publisher.sent(); ++k) {
    const Instant due = turn.schedule->load_begin + workload_.pacing()->due(publisher.number(), k);
    if (turn.measured(due)) {
      lateness_.record(turn.now - due);
    }
  }
}

void FlowShare::wind_up(Turn& turn) {
  if (workload_.pacing() != nullptr) {
    publish_paced(turn);
    return;
  }
  for (const auto& publisher : publishers_) {
    publisher->flush(turn);
    publisher->report(true);
  }
}

void FlowShare::collect(Measurement& measurement, Histogram& delays, Histogram& lateness) const {
  Counts& counts = measurement.counts;
  const Flows& flows = workload_.flows();
  for (const auto& publisher : publishers_) {
    counts.sent += publisher->sent();
    counts.expected += publisher->sent() * flows.fan();
    counts.unacknowledged += publisher->unacknowledged();
  }
  for (const auto& subscriber : subscribers_) {
    const auto& trackers = subscriber->trackers();
    for (unsigned source = 0; source < trackers.size(); ++source) {
      const SequenceTracker& tracker = trackers[source];
      const unsigned publisher = flows.paired() ? subscriber->number() : source;
      counts.received += tracker.received();
      counts.lost += tracker.lost(flows.sent(publisher));
      counts.duplicated += tracker.duplicated();
      counts.reordered += tracker.reordered();
    }
  }
  for (const auto& group : groups_) {
    for (unsigned source = 0; source < flows.sources(); ++source) {
      const UnorderedTracker& tracker = group->trackers()[source];
      counts.received += tracker.received();
      counts.lost += tracker.lost(flows.sent(source));
      counts.duplicated += tracker.duplicated();
    }
    counts.reordered += group->reordered();
  }
  delays.add(delays_);
  lateness.add(lateness_);
}

void FlowWorkload::collect(Measurement& measurement) const {
  Histogram delays;
  Histogram lateness;
  for (const FlowShare* share : shares_) share->collect(measurement, delays, lateness);
  extras_.collect(measurement.counts);
  measurement.latency = quantiles(delays);
  if (!pacing_) return;
  measurement.lateness = quantiles(lateness);
}

}  // namespace

std::unique_ptr<Workload> make_flow_workload(const Target& target) {
  return std::make_unique<FlowWorkload>(target);
}

}  // namespace hermod::load
