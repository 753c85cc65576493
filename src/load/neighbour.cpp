// SPDX-License-Identifier: Apache-2.0
// The slow and the huge neighbour.
#include "neighbour.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hermod/base/shared_bytes.hpp"
#include "hermod/mqtt/codec/publish.hpp"

namespace hermod::load {
namespace {

constexpr std::size_t kHugeBytes = 1u << 20;

class SlowLink final : public MqttLink {
 public:
  using MqttLink::MqttLink;

 private:
  void on_ready(Turn&) override { stop_reading(); }
};

class SlowNeighbour final : public Neighbour {
 public:
  void collect(Counts& counts) const override { ++counts.neighbour_connections; }
};

class HugeSender final : public MqttLink {
 public:
  HugeSender(LinkNames names, std::string topic)
      : MqttLink(std::move(names)), topic_(std::move(topic)) {}

  void send(Turn& turn) {
    if (!packet_) packet_ = make_packet();
    out().append_shared(packet_);
    flush(turn);
  }

 private:
  SharedBytes make_packet() const {
    const std::vector<std::uint8_t> payload(kHugeBytes, 'x');
    mqtt::PublishView publish{.topic = topic_, .payload = payload};
    const std::size_t most = server_limits().packet_bytes_max;
    const std::size_t wanted = mqtt::publish_size(publish, version());
    if (wanted > most) {
      publish.payload = publish.payload.first(publish.payload.size() -
                                              std::min(publish.payload.size(), wanted - most));
    }
    std::vector<std::uint8_t> packet(mqtt::publish_size(publish, version()));
    mqtt::write_publish(packet.data(), publish, version());
    return SharedBytes::copy_of(packet);
  }

  std::string topic_;
  SharedBytes packet_;
};

// Counts packets that do not fit in a read buffer.
class HugeReceiver final : public MqttLink {
 public:
  using MqttLink::MqttLink;

  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::size_t on_packets(Bytes bytes, Turn& turn) override {
    std::size_t used = 0;
    while (used < bytes.size()) {
      if (left_ == 0) {
        const auto header = mqtt::read_fixed_header(bytes.subspan(used), version());
        if (!header && !header.error().incomplete())
          close("the server sent a malformed packet", turn);
        if (!header) return used;
        left_ = size_ = header->packet_size();
        publish_ = header->type == mqtt::PacketType::kPublish;
      }
      const std::size_t some = std::min(left_, bytes.size() - used);
      used += some;
      left_ -= some;
      if (left_ == 0 && publish_) {
        ++received_;
        bytes_ += size_;
      }
    }
    return used;
  }

  std::size_t left_ = 0;  // octets of the packet that is being read
  std::size_t size_ = 0;
  bool publish_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t bytes_ = 0;
};

class HugeNeighbour final : public Neighbour {
 public:
  HugeNeighbour(HugeSender& sender, HugeReceiver& receiver)
      : sender_(sender), receiver_(receiver) {}

  Duration on_turn(Turn& turn, transport::Token) override {
    if (sender_.ready() && receiver_.ready() && sent_ == receiver_.received()) {
      sender_.send(turn);
      ++sent_;
    }
    return kTurnMax;
  }
  void collect(Counts& counts) const override {
    counts.neighbour_connections += 2;
    counts.neighbour_packets += receiver_.received();
    counts.neighbour_bytes += receiver_.bytes();
  }

 private:
  HugeSender& sender_;
  HugeReceiver& receiver_;
  std::uint64_t sent_ = 0;
};

}  // namespace

std::unique_ptr<Neighbour> make_slow_neighbour(const Target& target,
                                               std::vector<std::unique_ptr<MqttLink>>& links) {
  links.push_back(std::make_unique<SlowLink>(
      LinkNames{.client_id = fmt::format("hb{}n", target.run_name),
                .filters = FilterSet::one(fmt::format("hb/{}/#", target.run_name)),
                .qos = 1,
                .version = wire_version(target.options.mqtt)}));
  return std::make_unique<SlowNeighbour>();
}

std::unique_ptr<Neighbour> make_huge_neighbour(const Target& target,
                                               std::vector<std::unique_ptr<MqttLink>>& links) {
  const std::string topic = fmt::format("hb/huge/{}", target.run_name);
  const mqtt::Version version = wire_version(target.options.mqtt);
  auto receiver =
      std::make_unique<HugeReceiver>(LinkNames{.client_id = fmt::format("hb{}nr", target.run_name),
                                               .filters = FilterSet::one(topic),
                                               .version = version});
  auto sender = std::make_unique<HugeSender>(
      LinkNames{.client_id = fmt::format("hb{}ns", target.run_name), .version = version}, topic);
  auto neighbour = std::make_unique<HugeNeighbour>(*sender, *receiver);
  links.push_back(std::move(receiver));
  links.push_back(std::move(sender));
  return neighbour;
}

std::unique_ptr<Neighbour> make_neighbour(const Target& target,
                                          std::vector<std::unique_ptr<MqttLink>>& links) {
  switch (target.options.neighbour) {
    case NeighbourKind::kNone:
      break;
    case NeighbourKind::kSlow:
      return make_slow_neighbour(target, links);
    case NeighbourKind::kHuge:
      return make_huge_neighbour(target, links);
    case NeighbourKind::kMalicious:
      return make_malicious_neighbour(target);
  }
  return nullptr;
}

}  // namespace hermod::load
