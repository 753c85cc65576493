// SPDX-License-Identifier: Apache-2.0
// MQTT's codec: what each packet of the hot path costs to read and to write.
#include <fmt/format.h>
#include <array>

#include "case.hpp"
#include "hermod/mqtt/codec/acks.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/codec/text.hpp"
#include "hermod/mqtt/codec/topic.hpp"

namespace hermod::micro {
namespace {

using mqtt::FixedHeader;
using mqtt::Property;
using mqtt::PropertyId;
using mqtt::PublishView;
using mqtt::Version;

constexpr std::string_view kTopic = "plant/hall-3/line-7/temperature";

// A PUBLISH of 16 octets, and itself encoded.
struct Packet {
  Packet(Version as, std::uint8_t qos, bool with_properties) : version(as) {
    if (with_properties) {
      const std::array list = {
          Property{.id = PropertyId::kMessageExpiryInterval, .number = 3600},
          Property{.id = PropertyId::kContentType, .text = "application/json"},
          Property{.id = PropertyId::kUserProperty, .text = "source", .value = "sensor-12"}};
      block.resize(*mqtt::properties_size(list));
      publish.properties = mqtt::encode_properties(block.data(), list);
    }
    publish.topic = kTopic;
    publish.payload = as_bytes(std::string_view{"0123456789abcdef"});
    publish.qos = qos;
    publish.packet_id = qos > 0 ? 77 : 0;
    octets.resize(mqtt::publish_size(publish, version));
    mqtt::write_publish(octets.data(), publish, version);
    header = *mqtt::read_fixed_header(octets, version);
  }

  Version version;
  std::vector<std::uint8_t> block;
  PublishView publish;
  std::vector<std::uint8_t> octets;
  FixedHeader header;
};

void add_publish(Cases& cases, Version version, std::uint8_t qos, bool with_properties) {
  const std::string kind = fmt::format("{}/q{}{}", version == Version::kV5 ? "v5" : "v311", qos,
                                       with_properties ? "/properties" : "");
  const auto packet = [=] { return std::make_shared<Packet>(version, qos, with_properties); };
  cases.push_back({"codec/read_publish/" + kind, [=] {
                     return each(packet(), [](Packet& p) {
                       const auto header = mqtt::read_fixed_header(p.octets, p.version);
                       const Bytes body = Bytes(p.octets).subspan(header->header_size);
                       const auto publish = mqtt::read_publish(*header, body, p.version);
                       keep(publish);
                     });
                   }});
  cases.push_back({"codec/write_publish/" + kind, [=] {
                     return each(packet(), [](Packet& p) {
                       keep(p.publish);
                       const std::size_t size = mqtt::publish_size(p.publish, p.version);
                       keep(size);
                       mqtt::write_publish(p.octets.data(), p.publish, p.version);
                       keep(p.octets);
                     });
                   }});
}

void add_header(Cases& cases) {
  cases.push_back({"codec/read_fixed_header", [] {
                     return each(std::make_shared<Packet>(Version::kV311, 0, false), [](Packet& p) {
                       const auto header = mqtt::read_fixed_header(p.octets, p.version);
                       keep(header);
                     });
                   }});
}

struct Ack {
  std::array<std::uint8_t, 4> octets{0x40, 2, 0, 77};
  mqtt::AckView view{mqtt::PacketType::kPuback, 77};
};

void add_acks(Cases& cases) {
  for (const Version version : {Version::kV311, Version::kV5}) {
    const std::string kind = version == Version::kV5 ? "v5" : "v311";
    cases.push_back({"codec/read_ack/" + kind, [version] {
                       return each(std::make_shared<Ack>(), [version](Ack& ack) {
                         const auto header = mqtt::read_fixed_header(ack.octets, version);
                         const auto view =
                             mqtt::read_ack(*header, Bytes(ack.octets).subspan(2), version);
                         keep(view);
                       });
                     }});
    cases.push_back({"codec/write_ack/" + kind, [version] {
                       return each(std::make_shared<Ack>(), [version](Ack& ack) {
                         keep(ack.view);
                         mqtt::write_ack(ack.octets.data(), ack.view, version);
                         keep(ack.octets);
                       });
                     }});
  }
}

template <typename Judge>
void add_text(Cases& cases, std::string name, std::string text, Judge judge) {
  cases.push_back({std::move(name), [text, judge] {
                     return each(std::make_shared<std::string>(text), [judge](std::string& t) {
                       keep(t);
                       const auto fault = judge(t);
                       keep(fault);
                     });
                   }});
}

void add_texts(Cases& cases) {
  const auto name_fault = [](std::string_view text) { return mqtt::topic_name_fault(text); };
  const auto filter_fault = [](std::string_view text) {
    return mqtt::topic_filter_fault(text, Version::kV5);
  };
  const auto text_fault = [](std::string_view text) { return mqtt::text_fault(as_bytes(text)); };
  add_text(cases, "codec/topic_name/3-octets", "a/b", name_fault);
  add_text(cases, "codec/topic_name/31-octets", std::string{kTopic}, name_fault);
  add_text(cases, "codec/topic_name/german", "werk/süd/halle-3/wärme", name_fault);
  add_text(cases, "codec/topic_filter/exact", std::string{kTopic}, filter_fault);
  add_text(cases, "codec/topic_filter/wildcards", "plant/+/line-7/#", filter_fault);
  add_text(cases, "codec/topic_filter/shared", "$share/workers/plant/+/line-7/#", filter_fault);
  add_text(cases, "codec/text/ascii-64", std::string(64, 'x'), text_fault);
  std::string greek;
  for (int i = 0; i < 32; ++i) greek += "λ";
  add_text(cases, "codec/text/greek-64", greek, text_fault);
}

void add_connect(Cases& cases) {
  cases.push_back({"codec/read_connect/v311", [] {
                     const mqtt::ConnectView connect{.keep_alive_s = 60,
                                                     .client_id = "sensor-12345",
                                                     .user_name = "sensor",
                                                     .password = as_bytes(std::string_view{"pw"})};
                     auto octets =
                         std::make_shared<std::vector<std::uint8_t>>(mqtt::connect_size(connect));
                     mqtt::write_connect(octets->data(), connect);
                     return each(octets, [](std::vector<std::uint8_t>& packet) {
                       const auto header = mqtt::read_fixed_header(packet);
                       const auto view =
                           mqtt::read_connect(*header, Bytes(packet).subspan(header->header_size));
                       keep(view);
                     });
                   }});
}

}  // namespace

void add_codec(Cases& cases) {
  add_header(cases);
  for (const std::uint8_t qos : std::array<std::uint8_t, 2>{0, 1}) {
    add_publish(cases, Version::kV311, qos, false);
    add_publish(cases, Version::kV5, qos, false);
    add_publish(cases, Version::kV5, qos, true);
  }
  add_acks(cases);
  add_texts(cases);
  add_connect(cases);
}

}  // namespace hermod::micro
