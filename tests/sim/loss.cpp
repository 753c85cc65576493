// SPDX-License-Identifier: Apache-2.0
#include "loss.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <span>

#include "mqtt_link.hpp"
#include "world.hpp"

namespace hermod::sim {
namespace {

using std::chrono::seconds;

constexpr unsigned kDevices = 6;
constexpr unsigned kRequests = 60;                    // of each kind, by each device
constexpr Duration kExchangeLifetime = seconds{247};  // RFC 7252 §4.8.2
constexpr transport::Token kLink = 1;

double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// A subscriber over MQTT, whose connection loses nothing: it sees what the broker has done.
class LossWatcher final : public Task, private MqttLink::Owner {
 public:
  explicit LossWatcher(World& world) : world_(world), poller_(world.network()) {
    auto stream = world.network().connect(world.mqtt_address());
    (void)poller_.add(*stream, kLink);
    link_ = std::make_unique<MqttLink>(
        std::move(stream), mqtt::ClientOptions{.client_id = "watcher", .keep_alive_s = 0},
        session::Inflight{}, static_cast<MqttLink::Owner&>(*this));
    link_->open(world.now());
    world.add(*this);
  }

  [[nodiscard]] Instant due() const override {
    return poller_.ready() || wants_to_subscribe_ ? Instant{} : link_->due();
  }
  void run(Instant now) override {
    (void)poller_.wait(Duration::zero());
    link_->on_ready(now);
    if (!wants_to_subscribe_) return;
    wants_to_subscribe_ = false;
    const mqtt::SubscribeEntry entry{.filter = "loss/#"};
    (void)link_->subscribe({&entry, 1}, 1, now);
  }

  [[nodiscard]] bool subscribed() const { return subscribed_; }
  /// When the broker has done what a payload asked for.
  [[nodiscard]] std::span<const Instant> acts(const std::string& payload) const {
    const auto found = acts_.find(payload);
    return found == acts_.end() ? std::span<const Instant>{} : found->second;
  }

 private:
  void on_effect(session::Effect& effect) override {
    if (std::get_if<session::Opened>(&effect) != nullptr) wants_to_subscribe_ = true;
    if (std::get_if<session::Completed>(&effect) != nullptr) subscribed_ = true;
    const auto* publish = std::get_if<session::Publish>(&effect);
    if (publish == nullptr) return;
    acts_[std::string{as_text(publish->message.payload)}].push_back(world_.now());
    if (publish->ticket != 0) {
      world_.trace().violation(world_.now(), "QoS 0 was asked for, and another one came");
    }
  }

  World& world_;
  transport::MemoryPoller poller_;
  std::unique_ptr<MqttLink> link_;
  std::map<std::string, std::vector<Instant>> acts_;
  bool wants_to_subscribe_ = false;
  bool subscribed_ = false;
};

// A broker whose own network and shards are prompt: what is lost and late is the paths' doing.
Options options_of(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  options.cast = Cast::kMixed;
  options.broker.threads = static_cast<std::uint16_t>(1 + seed % 3);
  return options;
}

void check_request(const LossRequest& request, std::span<const Instant> acts, Trace& trace,
                   Instant now) {
  trace.note(now, "judged", {{"arrived", request.arrivals}, {"acts", acts.size()}});
  if (!request.over) return trace.violation(now, "{} is not over", request.payload);
  if (request.reason != model::Reason::kOk && request.reason != model::Reason::kTimeout) {
    trace.violation(now, "{}: {}", request.payload, to_text(request.reason));
  }
  if (request.acknowledged && acts.empty()) {
    trace.violation(now, "{} was acknowledged and not done", request.payload);
  }
  if (acts.empty() != (request.arrivals == 0)) {
    trace.violation(now, "{} arrived {} times and was done {} times", request.payload,
                    request.arrivals, acts.size());
  }
  for (std::size_t i = 1; i < acts.size(); ++i) {
    if (acts[i] - acts[i - 1] > kExchangeLifetime) continue;
    trace.violation(now, "{} was done twice within {} s", request.payload,
                    to_seconds(acts[i] - acts[i - 1]));
  }
}

struct Column {
  std::string_view name;
  Observed LossTally::* observed;
  Expected LossModel::* expected;
};
constexpr std::array<Column, 7> kColumns = {{
    {"NON delivered", &LossTally::non_delivered, &LossModel::non_delivered},
    {"CON delivered", &LossTally::delivered, &LossModel::delivered},
    {"acknowledged", &LossTally::acknowledged, &LossModel::acknowledged},
    {"transmissions", &LossTally::transmissions, &LossModel::transmissions},
    {"copies", &LossTally::copies, &LossModel::copies},
    {"waited s", &LossTally::waited_s, &LossModel::waited_s},
    {"timeout s", &LossTally::timeout_s, &LossModel::timeout_s},
}};

LossModel model_of(std::size_t row, bool duplicated) {
  return loss_model(LossTable::kLossPercent[row] / 100.0,
                    duplicated ? LossTable::kDuplicatePercent / 100.0 : 0.0);
}

}  // namespace

void LossTally::add(const LossRequest& request) {
  const bool arrived = request.arrivals > 0;
  if (!request.confirmable) return non_delivered.add(arrived ? 1 : 0);
  delivered.add(arrived ? 1 : 0);
  acknowledged.add(request.acknowledged ? 1 : 0);
  transmissions.add(request.transmissions);
  copies.add(arrived ? request.arrivals - 1 : 0);
  if (arrived) waited_s.add(to_seconds(request.waited));
  if (request.transmissions > 1) timeout_s.add(to_seconds(request.timeout));
}

PathManners LossTable::manners(std::uint64_t seed) {
  const bool duplicated = seed / kLossPercent.size() % 2 == 1;
  return {.loss_permille = kLossPercent[seed % kLossPercent.size()] * 10,
          .duplicate_permille = duplicated ? kDuplicatePercent * 10 : 0,
          .reorder_permille = 250};
}

LossTally& LossTable::tally_of(std::uint64_t seed) {
  return tallies_[seed % kLossPercent.size()][seed / kLossPercent.size() % 2];
}

std::vector<std::string> LossTable::check() const {
  std::vector<std::string> out;
  for (std::size_t row = 0; row < tallies_.size(); ++row) {
    for (const bool duplicated : {false, true}) {
      const LossModel model = model_of(row, duplicated);
      for (const Column& column : kColumns) {
        const Observed& observed = tallies_[row][duplicated ? 1 : 0].*column.observed;
        const Expected& expected = model.*column.expected;
        if (agrees(expected, observed.mean(), observed.count)) continue;
        out.push_back(fmt::format("{} % lost{}, {}: {:.5f} in {} requests, expected {:.5f}",
                                  kLossPercent[row],
                                  duplicated ? fmt::format(", {} % twice", kDuplicatePercent) : "",
                                  column.name, observed.mean(), observed.count, expected.mean));
      }
    }
  }
  return out;
}

std::string LossTable::text() const {
  std::string out = fmt::format("{:<7}{:<7}", "lost", "twice");
  for (const Column& column : kColumns) out += fmt::format("{:<19}", column.name);
  for (std::size_t row = 0; row < tallies_.size(); ++row) {
    for (const bool duplicated : {false, true}) {
      const LossTally& tally = tallies_[row][duplicated ? 1 : 0];
      if (tally.delivered.count == 0) continue;
      const LossModel model = model_of(row, duplicated);
      out += fmt::format("\n{:<7}{:<7}", fmt::format("{} %", kLossPercent[row]),
                         fmt::format("{} %", duplicated ? kDuplicatePercent : 0));
      for (const Column& column : kColumns) {
        out += fmt::format("{:<19}", fmt::format("{:.4f} ({:.4f})", (tally.*column.observed).mean(),
                                                 (model.*column.expected).mean));
      }
    }
  }
  return out + "\n";
}

std::vector<std::string> run_loss(std::uint64_t seed, LossFault fault, bool verbose,
                                  LossTable& table) {
  const Options options = options_of(seed);
  Trace trace(verbose);
  World world(options, trace);
  world.calm();
  LossWatcher watcher(world);
  if (!world.run(world.now() + seconds{10}, [&] { return watcher.subscribed(); })) {
    trace.violation(world.now(), "the watcher is not let in");
  }
  SeededRng rng(seed ^ 0x1055);
  std::vector<std::unique_ptr<LossDevice>> devices;
  for (unsigned i = 0; i < kDevices; ++i) {
    devices.push_back(std::make_unique<LossDevice>(
        world, fmt::format("d{}", i), LossTable::manners(seed), fault, kRequests, rng.next()));
  }
  const auto done = [&] {
    return std::ranges::all_of(devices, [](const auto& device) { return device->done(); });
  };
  // No more than MAX_TRANSMIT_WAIT for a request, whatever is lost.
  world.run(world.now() + 2 * kRequests * seconds{100}, done);
  world.run(world.now() + kMaxLatency + seconds{10});  // what is still under way
  for (const auto& device : devices) {
    for (const LossRequest& request : device->requests()) {
      check_request(request, watcher.acts(request.payload), trace, world.now());
      table.add(seed, request);
    }
  }
  return trace.violations();
}

}  // namespace hermod::sim
