// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/connect.hpp"

#include <algorithm>

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/mqtt/codec/text.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

constexpr std::string_view kProtocolName = "MQTT";
constexpr std::string_view kProtocolNameV31 = "MQIsdp";

// Connect flags (MQTT 3.1.1 §3.1.2.3).
constexpr std::uint8_t kUserName = 0x80;
constexpr std::uint8_t kPassword = 0x40;
constexpr std::uint8_t kWillRetain = 0x20;
constexpr std::uint8_t kWillQos = 0x18;
constexpr std::uint8_t kWillFlag = 0x04;
constexpr std::uint8_t kCleanSession = 0x02;
constexpr std::uint8_t kReserved = 0x01;

using Fault = std::optional<WireError>;

std::string_view protocol_name(Version version) {
  return version == Version::kV31 ? kProtocolNameV31 : kProtocolName;
}

// The code that refuses a level that is not spoken, in the form that its client understands.
// Bridges set the top bit of the level of the form that they expect.
std::uint16_t level_refusal(std::string_view name, std::uint8_t level) {
  if (name == kProtocolName && (level & 0x7F) >= static_cast<std::uint8_t>(Version::kV5)) {
    return static_cast<std::uint16_t>(ReasonCode::kUnsupportedProtocolVersion);
  }
  return static_cast<std::uint16_t>(ConnectReturnCode::kUnacceptableProtocolVersion);
}

// UTF-8 that is well-formed has one octet that is not 10xxxxxx for each character.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char octet) { return (octet & 0xC0) != 0x80; }));
}

// Walks a CONNECT body. Each step reads a part into `connect` and answers what is wrong with it.
class ConnectReader {
 public:
  ConnectReader(const FixedHeader& header, Bytes body)
      : reader_(body.first(header.remaining_length)),
        header_size_(header.header_size),
        header_padded_(header.header_size > fixed_header_size(header.remaining_length)) {}

  Fault protocol(ConnectView& connect) {
    const std::string_view name = as_text(reader_.prefixed16());
    if (!reader_.ok()) return cut_short();
    if (name != kProtocolName && name != kProtocolNameV31) {
      return malformed(0, header_size_, "MQTT-3.1.2-1").error();
    }
    const std::size_t level_at = offset();
    const std::uint8_t level = reader_.u8();
    if (!reader_.ok()) return cut_short();
    const bool known = level >= static_cast<std::uint8_t>(Version::kV31) &&
                       level <= static_cast<std::uint8_t>(Version::kV5);
    if (!known || name != protocol_name(Version{level})) {
      return malformed(level_refusal(name, level), level_at, "MQTT-3.1.2-2").error();
    }
    version_ = Version{level};
    connect.version = version_;
    if (version_ == Version::kV5 && header_padded_) {
      return fault({"", "MQTT-1.5.5-1"}, header_size_ - 1);
    }
    return {};
  }

  Fault flags(ConnectView& connect) {
    const std::size_t at = offset();
    flags_ = reader_.u8();
    connect.keep_alive_s = reader_.u16();
    if (!reader_.ok()) return cut_short();
    if (Fault wrong = flags_fault(at)) return wrong;
    connect.clean_session = has(kCleanSession);
    if (has(kWillFlag)) connect.will = WillView{.qos = will_qos(), .retain = has(kWillRetain)};
    return properties(connect.properties, PropertyPlace::kConnect);
  }

  // In the one order that is allowed [MQTT-3.1.3-1].
  Fault payload(ConnectView& connect) {
    if (Fault wrong = client_id(connect)) return wrong;
    if (connect.will) {
      if (Fault wrong = will(*connect.will)) return wrong;
    }
    if (Fault wrong = user_name(connect)) return wrong;
    if (Fault wrong = password(connect)) return wrong;
    if (!reader_.at_end()) return cut_short();
    return {};
  }

 private:
  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags_ & flag) != 0; }
  [[nodiscard]] std::uint8_t will_qos() const { return (flags_ & kWillQos) >> 3; }
  [[nodiscard]] std::size_t offset() const { return header_size_ + reader_.offset(); }
  [[nodiscard]] Fault fault(const Rule& rule, std::size_t at) const {
    return breaks(rule, at, version_).error();
  }
  [[nodiscard]] Fault cut_short() const {
    return fault({"MQTT-3.1.4-1", "MQTT-3.1.4-1"}, offset());
  }
  // 3.1 lets a field be missing although its flag is set, when the packet is over.
  [[nodiscard]] bool may_be_missing() const {
    return version_ == Version::kV31 && reader_.at_end();
  }

  [[nodiscard]] Fault flags_fault(std::size_t at) const {
    if (will_qos() == 3) return fault({"MQTT-3.1.2-14", "MQTT-3.1.2-12"}, at);
    if (!has(kUserName) && has(kPassword) && version_ != Version::kV5) {
      return fault({"MQTT-3.1.2-22", ""}, at);
    }
    if (version_ == Version::kV31) return {};
    if (has(kReserved)) return fault({"MQTT-3.1.2-3", "MQTT-3.1.2-3"}, at);
    if (has(kWillFlag)) return {};
    if (will_qos() != 0) {  // [MQTT-3.1.2-11]
      return fault({"MQTT-3.1.2-13", "MQTT-3.1.2-11", ReasonCode::kProtocolError}, at);
    }
    if (has(kWillRetain)) {  // [MQTT-3.1.2-11]
      return fault({"MQTT-3.1.2-15", "MQTT-3.1.2-13", ReasonCode::kProtocolError}, at);
    }
    return {};
  }

  Fault properties(PropertyBlock& block, PropertyPlace place) {
    if (version_ != Version::kV5) return {};
    const auto read = read_properties(reader_, place, header_size_);
    if (!read) return read.error();
    block = *read;
    return {};
  }

  Fault client_id(ConnectView& connect) {
    const std::size_t at = offset();
    connect.client_id = as_text(reader_.prefixed16());
    if (!reader_.ok()) return fault({"MQTT-3.1.3-3", "MQTT-3.1.3-3"}, at);
    const char* broken = text_fault(as_bytes(connect.client_id), version_);  // [MQTT-3.1.3-4]
    if (broken != nullptr) return fault({broken, broken}, at + 2);
    const auto rejected = static_cast<std::uint16_t>(ConnectReturnCode::kIdentifierRejected);
    if (version_ == Version::kV31) {
      const std::size_t count = characters(connect.client_id);
      if (count >= 1 && count <= kClientIdCharactersMaxV31) return {};
      return malformed(rejected, at, "MQTT 3.1 §3.1").error();
    }
    if (version_ == Version::kV311 && connect.client_id.empty() && !connect.clean_session) {
      return malformed(rejected, at, "MQTT-3.1.3-8").error();  // [MQTT-3.1.3-7]
    }
    return {};
  }

  Fault will(WillView& will) {
    if (Fault wrong = properties(will.properties, PropertyPlace::kWill)) return wrong;
    const std::size_t at = offset();
    will.topic = as_text(reader_.prefixed16());
    will.payload = reader_.prefixed16();
    if (!reader_.ok()) return fault({"MQTT-3.1.2-9", "MQTT-3.1.2-9"}, at);
    const TopicFault wrong = topic_name_fault(will.topic);  // [MQTT-3.1.3-10], [MQTT-3.1.3-11]
    if (wrong != TopicFault::kNone) return breaks(wrong, at + 2, version_).error();
    return {};
  }

  Fault user_name(ConnectView& connect) {
    if (!has(kUserName) || may_be_missing()) return {};  // [MQTT-3.1.2-18], [MQTT-3.1.2-16]
    const std::size_t at = offset();
    connect.user_name = as_text(reader_.prefixed16());
    if (!reader_.ok()) return fault({"MQTT-3.1.2-19", "MQTT-3.1.2-17"}, at);
    // [MQTT-3.1.3-11], [MQTT-3.1.3-12]
    const char* broken = text_fault(as_bytes(*connect.user_name), version_);
    if (broken != nullptr) return fault({broken, broken}, at + 2);
    return {};
  }

  Fault password(ConnectView& connect) {
    if (!has(kPassword) || may_be_missing()) return {};  // [MQTT-3.1.2-20], [MQTT-3.1.2-18]
    const std::size_t at = offset();
    connect.password = reader_.prefixed16();
    if (!reader_.ok()) return fault({"MQTT-3.1.2-21", "MQTT-3.1.2-19"}, at);
    return {};
  }

  Reader reader_;
  std::size_t header_size_;
  bool header_padded_;  // a remaining length in more octets than it needs
  std::uint8_t flags_ = 0;
  Version version_ = Version::kV311;  // until it is known
};

std::uint8_t flags_of(const ConnectView& connect) {
  unsigned flags = connect.clean_session ? kCleanSession : 0u;
  if (connect.will) {
    flags |= kWillFlag | connect.will->qos << 3u | (connect.will->retain ? kWillRetain : 0u);
  }
  if (connect.user_name) flags |= kUserName;
  if (connect.password) flags |= kPassword;
  return static_cast<std::uint8_t>(flags);
}

// Calls `field` with each field of the payload, and `block` with the properties of the will, in
// wire order.
template <typename Field, typename Block>
void for_each_part(const ConnectView& connect, Field field, Block block) {
  field(as_bytes(connect.client_id));
  if (connect.will) {
    block(connect.will->properties);
    field(as_bytes(connect.will->topic));
    field(connect.will->payload);
  }
  if (connect.user_name) field(as_bytes(*connect.user_name));
  if (connect.password) field(*connect.password);
}

std::size_t remaining_length(const ConnectView& connect) {
  constexpr std::size_t kLevelFlagsKeepAlive = 4;
  std::size_t length = 2 + protocol_name(connect.version).size() + kLevelFlagsKeepAlive +
                       block_size(connect.properties, connect.version);
  for_each_part(
      connect, [&](Bytes field) { length += 2 + field.size(); },
      [&](const PropertyBlock& block) { length += block_size(block, connect.version); });
  return length;
}

}  // namespace

WireResult<ConnectView> read_connect(const FixedHeader& header, Bytes body) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  ConnectReader reader(header, body);
  ConnectView connect;
  Fault wrong = reader.protocol(connect);
  if (!wrong) wrong = reader.flags(connect);
  if (!wrong) wrong = reader.payload(connect);
  if (wrong) return std::unexpected(*wrong);
  return connect;
}

std::size_t connect_size(const ConnectView& connect) {
  bool fits = true;
  for_each_part(
      connect, [&](Bytes field) { fits = fits && field.size() <= kFieldBytesMax; },
      [](const PropertyBlock&) {});
  return fits ? size_with_fixed_header(remaining_length(connect)) : 0;
}

std::uint8_t* write_connect(std::uint8_t* out, const ConnectView& connect) {
  Writer writer(write_fixed_header(out, PacketType::kConnect, 0, remaining_length(connect)));
  writer.prefixed16(as_bytes(protocol_name(connect.version)));
  writer.u8(static_cast<std::uint8_t>(connect.version));
  writer.u8(flags_of(connect));
  writer.u16(connect.keep_alive_s);
  writer = Writer(write_block(writer.position(), connect.properties, connect.version));
  for_each_part(
      connect, [&](Bytes field) { writer.prefixed16(field); },
      [&](const PropertyBlock& block) {
        writer = Writer(write_block(writer.position(), block, connect.version));
      });
  return writer.position();
}

}  // namespace hermod::mqtt
