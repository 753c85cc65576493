// SPDX-License-Identifier: Apache-2.0
#include "scenario_coap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "coap_requester.hpp"
#include "coap_resource.hpp"
#include "quantiles.hpp"

namespace hermod::load {
namespace {

class RequestShare final : public Share {
 public:
  RequestShare(const Target& target, unsigned thread, std::atomic<unsigned>& working)
      : target_(target), working_(working) {
    const Options& options = target.options;
    const bool put = options.scenario == Scenario::kCoapPut;
    for (unsigned i = thread; i < options.clients; i += options.threads) {
      requesters_.push_back(std::make_unique<CoapRequester>(
          RequestPlan{.method = put ? coap::code::kPut : coap::code::kGet,
                      .uri = *resource(target, put ? fmt::format("/{}", i) : ""),
                      .number = i,
                      .payload_bytes = put ? options.payload_bytes : 0,
                      .window = options.window,
                      .requests = options.messages},
          target.address));
    }
    ready_.resize(requesters_.size());
  }

  void on_event(const transport::Event& event, Turn& turn) override;
  Duration on_turn(Turn& turn) override;
  void collect(Counts& counts, Histogram& round_trips) const;

 private:
  void set_up(Turn& turn);

  const Target& target_;
  std::atomic<unsigned>& working_;
  std::vector<std::unique_ptr<CoapRequester>> requesters_;
  std::vector<bool> ready_;
  bool begun_ = false;
  bool loading_ = false;
  bool settled_ = false;
};

void RequestShare::on_event(const transport::Event& event, Turn& turn) {
  CoapRequester& requester = *requesters_[event.token];
  if (!event.readable) return;
  requester.on_readable(turn);
  if (turn.phase == Phase::kLoad) {
    requester.request(std::numeric_limits<std::uint64_t>::max(), turn);
    return;
  }
  if (ready_[event.token] || requester.answered() == 0) return;
  ready_[event.token] = true;
  turn.tally->ready.add(1);
  if (requester.refusal() != coap::Code{}) {
    turn.fail(fmt::format("{} is answered with {}; name a resource for this in --url",
                          coap::to_string(*resource(target_)),
                          coap::to_string(requester.refusal())));
  }
}

void RequestShare::set_up(Turn& turn) {
  begun_ = true;
  for (std::size_t i = 0; i < requesters_.size(); ++i) {
    if (auto opened = requesters_[i]->open(i, turn); !opened) {
      turn.fail(opened.error());
      return;
    }
    requesters_[i]->request(1, turn);  // shows whether the resource can be used
  }
}

Duration RequestShare::on_turn(Turn& turn) {
  if (!begun_) set_up(turn);
  if (!turn.fault->empty()) return kTurnMax;
  const bool start = turn.phase == Phase::kLoad && !loading_;
  loading_ = loading_ || start;
  bool open = turn.phase <= Phase::kLoad && target_.options.messages == 0;
  for (const auto& requester : requesters_) {
    if (start) requester->request(std::numeric_limits<std::uint64_t>::max(), turn);
    requester->look_for_silence(turn);
    const bool more = turn.phase <= Phase::kLoad && !requester->complete();
    open = open || more || requester->under_way() != 0;
  }
  if (!open && !settled_) {
    settled_ = true;
    working_.fetch_sub(1);
  }
  return kTurnMax;
}

void RequestShare::collect(Counts& counts, Histogram& round_trips) const {
  for (const auto& requester : requesters_) {
    counts.sent += requester->sent();
    counts.expected += requester->sent();
    counts.received += requester->answered();
    counts.lost += requester->sent() - requester->answered();
    round_trips.add(requester->round_trips());
  }
}

class RequestWorkload final : public Workload {
 public:
  explicit RequestWorkload(const Target& target)
      : target_(target), working_(target.options.threads) {}
  std::unique_ptr<Share> make_share(unsigned thread) override {
    auto share = std::make_unique<RequestShare>(target_, thread, working_);
    shares_.push_back(share.get());
    return share;
  }
  std::uint64_t clients() const override { return target_.options.clients; }
  bool settled() const override { return working_ == 0; }
  void collect(Measurement& measurement) const override {
    Histogram round_trips;
    for (const RequestShare* share : shares_) share->collect(measurement.counts, round_trips);
    measurement.latency = quantiles(round_trips);
  }

 private:
  const Target& target_;
  std::atomic<unsigned> working_;
  std::vector<RequestShare*> shares_;
};

}  // namespace

std::expected<std::unique_ptr<Workload>, std::string> make_coap_workload(const Target& target) {
  const auto uri = resource(target);
  if (!uri) return std::unexpected(uri.error());
  if (target.options.scenario == Scenario::kCoapGet) put_first_value(target, *uri, true);
  return std::make_unique<RequestWorkload>(target);
}

}  // namespace hermod::load
