// SPDX-License-Identifier: Apache-2.0
#include "scenario_observe.hpp"

#include <algorithm>

#include "coap_observer.hpp"
#include "coap_requester.hpp"
#include "coap_resource.hpp"
#include "flows.hpp"
#include "quantiles.hpp"
#include "send_times.hpp"

namespace hermod::load {
namespace {

constexpr transport::Token kPutterToken = transport::Token{1} << 32;

class ObserveWorkload;

class ObserveShare final : public Share {
 public:
  ObserveShare(ObserveWorkload& workload, unsigned thread);

  void on_event(const transport::Event& event, Turn& turn) override;
  Duration on_turn(Turn& turn) override;
  void collect(Counts& counts, Histogram& delays) const;

 private:
  void set_up(Turn& turn);
  void put(Turn& turn);
  void look_for_stall(std::uint64_t floor, Turn& turn);

  ObserveWorkload& workload_;
  std::vector<std::unique_ptr<CoapObserver>> observers_;
  std::unique_ptr<CoapRequester> putter_;  // of thread 0 alone
  std::size_t begun_ = 0;
  std::uint64_t forgiven_ = 0;
  std::uint64_t progress_before_ = 0;
  std::uint64_t stall_progress_ = 0;
  Instant stall_since_{};
};

class ObserveWorkload final : public Workload {
 public:
  ObserveWorkload(const Target& target, coap::Uri uri)
      : target_(target), uri_(std::move(uri)), flows_(1, target.options.clients, false) {}
  std::unique_ptr<Share> make_share(unsigned thread) override {
    auto share = std::make_unique<ObserveShare>(*this, thread);
    shares_.push_back(share.get());
    return share;
  }
  std::uint64_t clients() const override { return target_.options.clients; }
  bool settled() const override { return flows_.settled(); }
  void collect(Measurement& measurement) const override {
    Histogram delays;
    for (const ObserveShare* share : shares_) share->collect(measurement.counts, delays);
    measurement.latency = quantiles(delays);
  }

  const Target& target() const { return target_; }
  const coap::Uri& uri() const { return uri_; }
  Flows& flows() { return flows_; }
  SendTimes& send_times() { return send_times_; }

 private:
  const Target& target_;
  coap::Uri uri_;
  Flows flows_;
  SendTimes send_times_;
  std::vector<ObserveShare*> shares_;
};

ObserveShare::ObserveShare(ObserveWorkload& workload, unsigned thread) : workload_(workload) {
  const Target& target = workload.target();
  for (unsigned i = thread; i < target.options.clients; i += target.options.threads) {
    observers_.push_back(std::make_unique<CoapObserver>(workload.uri(), i, target.address,
                                                        workload.flows(), workload.send_times()));
  }
  if (thread != 0) return;
  putter_ =
      std::make_unique<CoapRequester>(RequestPlan{.method = coap::code::kPut,
                                                  // what is published so is notified so
                                                  .type = coap::Type::kNon,
                                                  .uri = workload.uri(),
                                                  .payload_bytes = target.options.payload_bytes,
                                                  .window = target.options.window,
                                                  .requests = target.options.messages,
                                                  .counted = false,
                                                  .flows = &workload.flows(),
                                                  .send_times = &workload.send_times()},
                                      target.address);
}

void ObserveShare::on_event(const transport::Event& event, Turn& turn) {
  if (!event.readable) return;
  if (event.token == kPutterToken) {
    putter_->on_readable(turn);
  } else {
    observers_[event.token]->on_readable(turn);
  }
}

void ObserveShare::set_up(Turn& turn) {
  if (begun_ == 0 && putter_ != nullptr) {
    if (auto opened = putter_->open(kPutterToken, turn); !opened) turn.fail(opened.error());
  }
  while (begun_ < observers_.size() && begun_ - turn.tally->ready.value() < kConnectingMax &&
         turn.fault->empty()) {
    if (auto opened = observers_[begun_]->open(begun_, turn); !opened) turn.fail(opened.error());
    ++begun_;
  }
  for (std::size_t i = 0; i < begun_; ++i) observers_[i]->look_for_silence(turn);
}

Duration ObserveShare::on_turn(Turn& turn) {
  if (turn.phase == Phase::kSetUp) set_up(turn);
  if (!turn.fault->empty() || turn.phase == Phase::kSetUp) return kTurnMax;
  if (turn.phase == Phase::kEnd) {
    for (const auto& observer : observers_) observer->leave();
    return kTurnMax;
  }
  if (putter_ != nullptr) put(turn);
  const std::uint64_t progress = turn.tally->progress.value();
  if (progress != progress_before_) turn.wake_peers();
  progress_before_ = progress;
  return kTurnMax;
}

void ObserveShare::put(Turn& turn) {
  const std::uint64_t floor = std::max(workload_.flows().floor(0), forgiven_);
  if (turn.phase == Phase::kLoad) {
    putter_->request(floor + workload_.target().options.window, turn);
    look_for_stall(floor, turn);
  }
  putter_->look_for_silence(turn);
  workload_.flows().set_open(0, putter_->under_way(),
                             turn.phase != Phase::kLoad || putter_->complete());
}

void ObserveShare::look_for_stall(std::uint64_t floor, Turn& turn) {
  const std::uint64_t progress = floor + putter_->answered();
  if (progress != stall_progress_ || putter_->complete() || putter_->under_way() != 0) {
    stall_progress_ = progress;
    stall_since_ = turn.now;
    return;
  }
  if (turn.now - stall_since_ < kStallAfter) return;
  stall_since_ = turn.now;
  forgiven_ = putter_->sent();
  turn.tally->stalls.add(1);
}

void ObserveShare::collect(Counts& counts, Histogram& delays) const {
  const std::uint64_t sent = workload_.flows().sent(0);
  if (putter_ != nullptr) counts.sent += putter_->sent();
  for (const auto& observer : observers_) {
    const SequenceTracker& tracker = observer->tracker();
    counts.expected += sent;
    counts.received += tracker.received();
    counts.skipped += tracker.next() - tracker.received();
    counts.lost += sent - std::min(sent, tracker.next());
    counts.duplicated += tracker.duplicated();
    counts.reordered += tracker.reordered();
    delays.add(observer->delays());
  }
}

}  // namespace

std::expected<std::unique_ptr<Workload>, std::string> make_observe_workload(const Target& target) {
  auto uri = resource(target);
  if (!uri) return std::unexpected(uri.error());
  put_first_value(target, *uri, false);
  return std::make_unique<ObserveWorkload>(target, std::move(*uri));
}

}  // namespace hermod::load
