// SPDX-License-Identifier: Apache-2.0
#include "scenario_connect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include "hermod/load/histogram.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/transport/tcp.hpp"
#include "mqtt_link.hpp"
#include "quantiles.hpp"

namespace hermod::load {
namespace {

constexpr Duration kPatience = std::chrono::seconds{5};

// One client at a time: a connection that lives for one exchange.
//
//   kNone -> kConnecting -> kGreeting (CONNECT sent) -> kLeaving (DISCONNECT sent) -> kNone
struct Slot {
  enum class State : std::uint8_t { kNone, kConnecting, kGreeting, kLeaving };
  std::unique_ptr<transport::TcpStream> stream;
  State state = State::kNone;
  Instant begun{};
  std::uint64_t made = 0;
  bool done = false;
};

class ConnectShare final : public Share {
 public:
  ConnectShare(const Target& target, unsigned thread, std::atomic<unsigned>& working)
      : target_(target),
        version_(wire_version(target.options.mqtt)),
        working_(working),
        thread_(thread) {
    const unsigned all = target.options.clients;
    slots_.resize(all / target.options.threads + (thread < all % target.options.threads ? 1 : 0));
  }

  void on_event(const transport::Event& event, Turn& turn) override;
  Duration on_turn(Turn& turn) override;
  void collect(Counts& counts, Histogram& times) const;

 private:
  void begin(std::size_t index, Turn& turn);
  void on_connected(Slot& slot, std::size_t index, Turn& turn);
  void on_readable(Slot& slot, std::size_t index, Turn& turn);
  bool send(Slot& slot, std::size_t size);
  void finish(Slot& slot, std::size_t index, bool good, Turn& turn);
  void look_for_silence(Turn& turn);

  const Target& target_;
  mqtt::Version version_;
  std::atomic<unsigned>& working_;
  unsigned thread_;
  std::vector<Slot> slots_;
  std::array<std::uint8_t, 128> packet_{};
  Histogram times_;
  std::uint64_t begun_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t failed_ = 0;
  Instant looked_at_{};
  bool running_ = false;
};

Duration ConnectShare::on_turn(Turn& turn) {
  if (turn.phase == Phase::kLoad && !running_) {
    running_ = true;
    for (std::size_t i = 0; i < slots_.size(); ++i) begin(i, turn);
  }
  if (turn.phase != Phase::kLoad && running_) {
    for (Slot& slot : slots_) slot.done = true;
  }
  if (running_ && turn.now - looked_at_ >= kTurnMax) look_for_silence(turn);
  const bool busy = std::ranges::any_of(
      slots_, [](const Slot& slot) { return !slot.done || slot.state != Slot::State::kNone; });
  if (running_ && !busy) {
    running_ = false;
    working_.fetch_sub(1);
  }
  return kTurnMax;
}

void ConnectShare::begin(std::size_t index, Turn& turn) {
  Slot& slot = slots_[index];
  const std::uint64_t limit = target_.options.messages;
  if (slot.done || (limit != 0 && slot.made == limit)) {
    slot.done = true;
    return;
  }
  ++slot.made;
  ++begun_;
  slot.begun = turn.clock->now();
  auto stream = transport::connect_tcp(target_.address);
  if (!stream || !turn.poller->add(**stream, index)) {
    turn.fail(stream ? "the poller takes no more sockets" : stream.error());
    slot.done = true;
    return;
  }
  slot.stream = std::move(*stream);
  slot.state = Slot::State::kConnecting;
}

void ConnectShare::on_event(const transport::Event& event, Turn& turn) {
  Slot& slot = slots_[event.token];
  if (event.writable && slot.state == Slot::State::kConnecting) {
    on_connected(slot, event.token, turn);
  }
  if (event.readable &&
      (slot.state == Slot::State::kGreeting || slot.state == Slot::State::kLeaving)) {
    on_readable(slot, event.token, turn);
  }
}

void ConnectShare::on_connected(Slot& slot, std::size_t index, Turn& turn) {
  const int error = transport::connect_error(*slot.stream);
  if (error == EINPROGRESS) return;
  const std::string id = fmt::format("hb{}c{}-{}", target_.run_name, thread_, index);
  const mqtt::ConnectView connect{.version = version_, .keep_alive_s = 60, .client_id = id};
  const std::size_t size = mqtt::connect_size(connect);
  mqtt::write_connect(packet_.data(), connect);
  if (error != 0 || !send(slot, size)) {
    finish(slot, index, false, turn);
    return;
  }
  slot.state = Slot::State::kGreeting;
}

void ConnectShare::on_readable(Slot& slot, std::size_t index, Turn& turn) {
  for (;;) {  // the end may stand right behind CONNACK, without an event of its own
    const transport::IoResult result = slot.stream->read(turn.scratch);
    if (result.status == transport::IoResult::Status::kAgain) return;
    if (result.status != transport::IoResult::Status::kDone) {
      finish(slot, index, slot.state == Slot::State::kLeaving, turn);
      return;
    }
    if (slot.state == Slot::State::kLeaving) continue;
    // The few octets of an empty connection come in one piece.
    const Bytes bytes{turn.scratch.data(), result.count};
    const auto header = mqtt::read_fixed_header(bytes, version_);
    const bool whole = header && header->type == mqtt::PacketType::kConnack &&
                       header->packet_size() == bytes.size();
    const auto connack =
        whole ? mqtt::read_connack(*header, bytes.subspan(header->header_size), version_)
              : malformed(0, 0, "MQTT-3.2.0-1");
    if (!connack || !is_accepted(*connack, version_)) {
      finish(slot, index, false, turn);
      return;
    }
    const Instant now = turn.clock->now();
    if (turn.measured(now)) {
      times_.record(now - slot.begun);
    }
    mqtt::write_disconnect(packet_.data(), {}, version_);
    if (!send(slot, mqtt::disconnect_size({}, version_))) {
      finish(slot, index, false, turn);
      return;
    }
    slot.state = Slot::State::kLeaving;
  }
}

bool ConnectShare::send(Slot& slot, std::size_t size) {
  const Bytes packet{packet_.data(), size};
  return slot.stream->write({&packet, 1}).count == size;
}

void ConnectShare::finish(Slot& slot, std::size_t index, bool good, Turn& turn) {
  slot.stream.reset();
  slot.state = Slot::State::kNone;
  turn.tally->progress.add(1);
  if (good) {
    ++finished_;
    turn.tally->operations.add(1);
  } else {
    ++failed_;
    turn.tally->refused.add(1);
  }
  begin(index, turn);
}

void ConnectShare::look_for_silence(Turn& turn) {
  looked_at_ = turn.now;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].state == Slot::State::kNone || turn.now - slots_[i].begun < kPatience) continue;
    turn.tally->stalls.add(1);
    finish(slots_[i], i, false, turn);
  }
}

void ConnectShare::collect(Counts& counts, Histogram& times) const {
  counts.sent += begun_;
  counts.expected += begun_;
  counts.received += finished_;
  counts.lost += begun_ - finished_;
  times.add(times_);
}

class ConnectWorkload final : public Workload {
 public:
  explicit ConnectWorkload(const Target& target)
      : target_(target), working_(target.options.threads) {}
  std::unique_ptr<Share> make_share(unsigned thread) override {
    auto share = std::make_unique<ConnectShare>(target_, thread, working_);
    shares_.push_back(share.get());
    return share;
  }
  std::uint64_t clients() const override { return 0; }
  bool settled() const override { return working_ == 0; }
  void collect(Measurement& measurement) const override {
    Histogram times;
    for (const ConnectShare* share : shares_) share->collect(measurement.counts, times);
    measurement.latency = quantiles(times);
  }

 private:
  const Target& target_;
  std::atomic<unsigned> working_;
  std::vector<ConnectShare*> shares_;
};

}  // namespace

std::unique_ptr<Workload> make_connect_workload(const Target& target) {
  return std::make_unique<ConnectWorkload>(target);
}

}  // namespace hermod::load
