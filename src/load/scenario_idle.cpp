// SPDX-License-Identifier: Apache-2.0
#include "scenario_idle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "mqtt_link.hpp"

namespace hermod::load {
namespace {

// Longer than the run, so that nobody has to ping.
std::uint16_t keep_alive(const Options& options) {
  const auto run_s =
      std::chrono::duration_cast<std::chrono::seconds>(options.warmup + options.duration).count();
  return static_cast<std::uint16_t>(std::min<std::int64_t>(65'535, 60 + 2 * run_s));
}

class IdleShare final : public Share {
 public:
  IdleShare(const Target& target, unsigned thread) : target_(target) {
    const Options& options = target.options;
    for (unsigned i = thread; i < options.clients; i += options.threads) {
      links_.push_back(std::make_unique<MqttLink>(
          LinkNames{.client_id = fmt::format("hb{}i{}", target.run_name, i),
                    .filters = FilterSet::one(fmt::format("hb/{}/idle/{}", target.run_name, i)),
                    .qos = static_cast<std::uint8_t>(options.qos),
                    .keep_alive_s = keep_alive(options),
                    .version = wire_version(options.mqtt)}));
    }
  }

  void on_event(const transport::Event& event, Turn& turn) override {
    links_[event.token]->on_event(event, turn);
  }

  Duration on_turn(Turn& turn) override {
    if (turn.phase == Phase::kEnd) {
      for (const auto& link : links_) link->disconnect(turn);
    }
    while (turn.phase == Phase::kSetUp && begun_ < links_.size() &&
           begun_ - turn.tally->ready.value() < kConnectingMax && turn.fault->empty()) {
      links_[begun_]->connect(target_.address, begun_, turn);
      ++begun_;
    }
    return kTurnMax;
  }

 private:
  const Target& target_;
  std::vector<std::unique_ptr<MqttLink>> links_;
  std::size_t begun_ = 0;
};

class IdleWorkload final : public Workload {
 public:
  explicit IdleWorkload(const Target& target) : target_(target) {}
  std::unique_ptr<Share> make_share(unsigned thread) override {
    return std::make_unique<IdleShare>(target_, thread);
  }
  std::uint64_t clients() const override { return target_.options.clients; }
  bool settled() const override { return true; }
  void collect(Measurement&) const override {}

 private:
  const Target& target_;
};

}  // namespace

std::unique_ptr<Workload> make_idle_workload(const Target& target) {
  return std::make_unique<IdleWorkload>(target);
}

}  // namespace hermod::load
