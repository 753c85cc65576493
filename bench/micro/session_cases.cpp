// SPDX-License-Identifier: Apache-2.0
// MQTT's server session: octets in and effects out, deliveries in and octets out, and the
// acknowledgements both ways.
#include <fmt/format.h>

#include <array>

#include "case.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/session/server_session.hpp"

namespace hermod::micro {
namespace {

using model::Guarantee;
using mqtt::PacketType;
using mqtt::Version;
using session::Answer;
using session::Intake;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kMessages = 16;  // messages an operation
constexpr std::string_view kPlantTopic = "plant/hall-3/line-7/temperature";
constexpr std::string_view kPayload = "0123456789abcdef";

// A session whose client has connected.
struct Connection {
  explicit Connection(Version as) : version(as) {
    const mqtt::ConnectView connect{.version = as, .client_id = "client"};
    Octets packet(mqtt::connect_size(connect));
    mqtt::write_connect(packet.data(), connect);
    server.on_open(now, effects);
    take(packet);
    const Answer answer{.ticket = std::get<session::Attach>(list.at(0).effect).ticket};
    list.clear();
    server.on_answers({&answer, 1}, now, effects);
    clear();
  }
  void take(Bytes octets) { keep(server.on_bytes(octets, Intake::kEverything, now, effects)); }
  void clear() {
    list.clear();
    output.clear();
  }

  Version version;
  Instant now{std::chrono::seconds{1}};
  session::SessionLimits limits;
  mqtt::ServerSession server{limits};
  Output output;
  session::EffectList list;
  session::Effects effects{{1, 1}, output, list};
};

void append_publish(Octets& out, Version version, std::uint8_t qos, std::uint16_t id) {
  const mqtt::PublishView publish{
      .topic = kPlantTopic, .payload = as_bytes(kPayload), .packet_id = id, .qos = qos};
  const std::size_t size = mqtt::publish_size(publish, version);
  out.resize(out.size() + size);
  mqtt::write_publish(out.data() + out.size() - size, publish, version);
}

void append_ack(Octets& out, PacketType type, std::uint16_t id) {
  const mqtt::AckView ack{type, id};
  out.resize(out.size() + 4);
  mqtt::write_ack(out.data() + out.size() - 4, ack, Version::kV311);
}

// Messages of the client: published, answered, at QoS 2 released.
struct Publisher : Connection {
  Publisher(Version as, std::uint8_t qos) : Connection(as) {
    for (std::uint16_t i = 1; i <= kMessages; ++i) {
      append_publish(publishes, as, qos, qos > 0 ? i : 0);
      if (qos == 2) append_ack(releases, PacketType::kPubrel, i);
    }
  }
  void round() {
    take(publishes);
    answers.clear();
    for (const session::EffectRecord& record : list) {
      const auto& publish = std::get<session::Publish>(record.effect);
      keep(publish);
      if (publish.ticket != 0) answers.push_back({.ticket = publish.ticket});
    }
    if (!answers.empty()) server.on_answers(answers, now, effects);
    if (!releases.empty()) take(releases);
    clear();
  }

  Octets publishes;
  Octets releases;
  std::vector<Answer> answers;
};

// Messages to the client: delivered, acknowledged by it.
struct Receiver : Connection {
  Receiver(Version as, Guarantee wanted, bool is_shared)
      : Connection(as), guarantee(wanted), shared(is_shared) {
    items.fill({.message = &message, .guarantee = guarantee});
    if (guarantee == Guarantee::kAtMostOnce) return;
    for (std::uint32_t i = 0; i < 65'535; ++i) {
      const auto id = static_cast<std::uint16_t>(i + 1);
      const bool once = guarantee == Guarantee::kAtLeastOnce;
      append_ack(acks, once ? PacketType::kPuback : PacketType::kPubrec, id);
      append_ack(completes, PacketType::kPubcomp, id);
    }
  }
  void deliver() {
    server.on_deliveries({.items = items, .first_tag = tag, .slots = shared ? &slots : nullptr},
                         now, effects);
    tag += kMessages;
  }
  void acknowledge() {
    if (guarantee == Guarantee::kAtMostOnce) return;
    for (const Octets* answer : {&acks, &completes}) {
      take_from(*answer);
      if (guarantee == Guarantee::kAtLeastOnce) break;
    }
    at = (at + kMessages) % 65'535;
  }
  // Ids run from 1 to 65,535 and begin again.
  void take_from(const Octets& answers) {
    const std::size_t first = std::min(kMessages, 65'535 - at);
    take(Bytes(answers).subspan(at * 4, first * 4));
    if (first < kMessages) take(Bytes(answers).first((kMessages - first) * 4));
  }

  model::Message message{.destination = model::Destination::topic(kPlantTopic),
                         .payload = as_bytes(kPayload)};
  Guarantee guarantee;
  bool shared;
  std::array<model::Delivery, kMessages> items;
  model::EncodeSlots slots;
  model::Tag tag = 1;
  std::size_t at = 0;
  Octets acks;
  Octets completes;
};

void add_publisher(Cases& cases, Version version, std::uint8_t qos) {
  cases.push_back(
      {fmt::format("session/{}/publishes_in/q{}", version == Version::kV5 ? "v5" : "v311", qos),
       [=] {
         return each(std::make_shared<Publisher>(version, qos), [](Publisher& p) { p.round(); });
       },
       kMessages, true, 64});
}

void add_receiver(Cases& cases, Version version, std::uint8_t qos, bool shared) {
  const auto guarantee = static_cast<Guarantee>(qos);
  cases.push_back(
      {fmt::format("session/{}/deliveries/q{}/{}", version == Version::kV5 ? "v5" : "v311", qos,
                   shared ? "shared" : "alone"),
       [=] {
         return each(std::make_shared<Receiver>(version, guarantee, shared), [](Receiver& r) {
           r.deliver();
           r.acknowledge();
           r.clear();
         });
       },
       kMessages, true, 64});
}

}  // namespace

void add_session(Cases& cases) {
  for (const Version version : {Version::kV311, Version::kV5}) {
    for (const std::uint8_t qos : std::array<std::uint8_t, 3>{0, 1, 2}) {
      add_publisher(cases, version, qos);
      add_receiver(cases, version, qos, false);
      add_receiver(cases, version, qos, true);
    }
  }
  cases.push_back({"session/v311/ping", [] {
                     return each(std::make_shared<Connection>(Version::kV311), [](Connection& c) {
                       constexpr std::array<std::uint8_t, 2> kPingreq{0xC0, 0};
                       c.take(kPingreq);
                       c.clear();
                     });
                   }});
}

}  // namespace hermod::micro
