// SPDX-License-Identifier: Apache-2.0
// A neighbour that connects at a fixed rate, breaks the protocol in one way after the other, and
// goes when the server ends the connection or does not.
//
//   kFree -connect-> kConnecting -octets sent-> kOpen -closed by either side-> kFree
#include <fmt/format.h>

#include <array>

#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/ping.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/transport/tcp.hpp"
#include "neighbour.hpp"

namespace hermod::load {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr unsigned kActsPerSecond = 500;
constexpr std::size_t kSlots = 16;
constexpr unsigned kPings = 1000;
// A server that should end the connection gets so long, and one that waits for the rest of a
// packet.
constexpr Duration kPatience = std::chrono::seconds{5};
constexpr Duration kLinger = std::chrono::milliseconds{20};

// What is sent, as one write.
struct Act {
  Octets octets;
  std::uint64_t packets = 0;  // whole or not
  Duration stays = kPatience;
};

Octets operator+(Octets left, const Octets& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Octets connect_packet(const std::string& client_id, mqtt::Version version) {
  const mqtt::ConnectView connect{.version = version, .client_id = client_id};
  Octets octets(mqtt::connect_size(connect));
  mqtt::write_connect(octets.data(), connect);
  return octets;
}

std::vector<Act> all_acts(const std::string& client_id, mqtt::Version version) {
  const Octets connect = connect_packet(client_id, version);
  const mqtt::PublishView publish{.topic = "hb/malicious", .payload = {}};
  Octets published(mqtt::publish_size(publish, version));
  mqtt::write_publish(published.data(), publish, version);
  Octets wild = published;
  wild[4] = '#';  // [MQTT-3.3.2-2]
  Octets pings;
  for (unsigned i = 0; i < kPings; ++i) pings = std::move(pings) + Octets{0xC0, 0x00};
  const Octets half(connect.begin(),
                    connect.begin() + static_cast<std::ptrdiff_t>(connect.size()) / 2);
  const Octets begun{0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0x00, 0x01, 'x'};
  std::vector<Act> acts;
  acts.push_back({connect + Octets{0x00, 0x00}, 2});        // no packet type
  acts.push_back({half, 1, kLinger});                       // the rest never comes
  acts.push_back({connect + pings + connect, kPings + 2});  // [MQTT-3.1.0-2]
  acts.push_back({published, 1});                           // [MQTT-3.1.0-1]
  acts.push_back({connect + Octets{0x80, 0x00}, 2});        // flags of SUBSCRIBE [MQTT-3.8.1-1]
  acts.push_back({connect + begun, 2, kLinger});            // 256 MiB are promised
  acts.push_back({connect + wild, 2});
  return acts;
}

class MaliciousNeighbour final : public Neighbour {
 public:
  explicit MaliciousNeighbour(const Target& target) : address_(target.address) {
    for (std::size_t i = 0; i < kSlots; ++i) {
      acts_.push_back(
          all_acts(fmt::format("hb{}m{}", target.run_name, i), wire_version(target.options.mqtt)));
    }
  }

  void on_event(std::size_t index, const transport::Event& event, Turn& turn) override;
  Duration on_turn(Turn& turn, transport::Token first_token) override;
  void collect(Counts& counts) const override {
    counts.neighbour_connections += begun_;
    counts.neighbour_packets += packets_;
    counts.neighbour_bytes += bytes_;
    counts.neighbour_ended += ended_;
  }

 private:
  enum class State : std::uint8_t { kFree, kConnecting, kOpen };
  struct Slot {
    std::unique_ptr<transport::TcpStream> stream;
    State state = State::kFree;
    std::size_t act = 0;
    Instant goes_at{};
  };
  [[nodiscard]] const Act& act_of(std::size_t index) const {
    return acts_[index][slots_[index].act];
  }
  void begin(std::size_t index, Turn& turn, transport::Token token);
  void send(std::size_t index);
  void read(Slot& slot, Turn& turn);
  static void leave(Slot& slot) {
    slot.stream.reset();
    slot.state = State::kFree;
  }

  transport::Address address_;
  std::vector<std::vector<Act>> acts_;  // by slot
  std::array<Slot, kSlots> slots_;
  std::uint64_t begun_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t ended_ = 0;
};

Duration MaliciousNeighbour::on_turn(Turn& turn, transport::Token first_token) {
  const double elapsed_s =
      std::chrono::duration<double>(turn.now - turn.schedule->load_begin).count();
  const auto due = static_cast<std::uint64_t>(elapsed_s * kActsPerSecond) + 1;
  for (std::size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots_[i];
    if (slot.state != State::kFree && turn.now >= slot.goes_at) leave(slot);
    if (slot.state == State::kFree && begun_ < due) begin(i, turn, first_token + i);
  }
  return std::chrono::nanoseconds{std::chrono::seconds{1}} / kActsPerSecond;
}

void MaliciousNeighbour::begin(std::size_t index, Turn& turn, transport::Token token) {
  Slot& slot = slots_[index];
  slot.act = begun_++ % acts_[index].size();
  slot.goes_at = turn.now + act_of(index).stays;
  auto stream = transport::connect_tcp(address_);
  if (!stream || !turn.poller->add(**stream, token)) return;
  slot.stream = std::move(*stream);
  slot.state = State::kConnecting;
}

void MaliciousNeighbour::on_event(std::size_t index, const transport::Event& event, Turn& turn) {
  Slot& slot = slots_[index];
  if (slot.state == State::kConnecting && event.writable) send(index);
  if (slot.state == State::kOpen && event.readable) read(slot, turn);
}

void MaliciousNeighbour::send(std::size_t index) {
  Slot& slot = slots_[index];
  const int error = transport::connect_error(*slot.stream);
  if (error == EINPROGRESS) return;
  if (error != 0) return leave(slot);
  const Act& act = act_of(index);
  const Bytes octets{act.octets};
  bytes_ += slot.stream->write({&octets, 1}).count;
  packets_ += act.packets;
  slot.state = State::kOpen;
}

void MaliciousNeighbour::read(Slot& slot, Turn& turn) {
  for (;;) {
    const transport::IoResult result = slot.stream->read(turn.scratch);
    if (result.status == transport::IoResult::Status::kDone) continue;
    if (result.status == transport::IoResult::Status::kAgain) return;
    ++ended_;
    return leave(slot);
  }
}

}  // namespace

std::unique_ptr<Neighbour> make_malicious_neighbour(const Target& target) {
  return std::make_unique<MaliciousNeighbour>(target);
}

}  // namespace hermod::load
