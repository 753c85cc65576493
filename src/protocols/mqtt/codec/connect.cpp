// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/connect.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/mqtt/codec/text.hpp"
#include "hermod/mqtt/codec/topic.hpp"

namespace hermod::mqtt {
namespace {

constexpr std::string_view kProtocolName = "MQTT";
constexpr std::size_t kVariableHeaderSize = 10;

// Connect flags (MQTT 3.1.1 §3.1.2.3).
constexpr std::uint8_t kUserName = 0x80;
constexpr std::uint8_t kPassword = 0x40;
constexpr std::uint8_t kWillRetain = 0x20;
constexpr std::uint8_t kWillQos = 0x18;
constexpr std::uint8_t kWill = 0x04;
constexpr std::uint8_t kCleanSession = 0x02;
constexpr std::uint8_t kReserved = 0x01;

using Fault = std::optional<WireError>;

Fault fault(std::size_t offset, const char* statement,
            ConnectReturnCode code = ConnectReturnCode::kAccepted) {
  return malformed(static_cast<std::uint16_t>(code), offset, statement).error();
}

// Walks a CONNECT body. Each step reads a part into `connect` and answers what is wrong with it.
class ConnectReader {
 public:
  ConnectReader(const FixedHeader& header, Bytes body)
      : reader_(body.first(header.remaining_length)), header_size_(header.header_size) {}

  Fault protocol(ConnectView& connect) {
    const std::string_view name = as_text(reader_.prefixed16());
    if (!reader_.ok()) return cut_short();
    if (name != kProtocolName) return fault(header_size_, "MQTT-3.1.2-1");
    const std::size_t level_at = offset();
    const std::uint8_t level = reader_.u8();
    if (!reader_.ok()) return cut_short();
    if (level != static_cast<std::uint8_t>(Version::kV311)) {
      return fault(level_at, "MQTT-3.1.2-2", ConnectReturnCode::kUnacceptableProtocolVersion);
    }
    connect.version = Version{level};
    return {};
  }

  Fault flags(ConnectView& connect) {
    const std::size_t at = offset();
    flags_ = reader_.u8();
    connect.keep_alive_s = reader_.u16();
    if (!reader_.ok()) return cut_short();
    const std::uint8_t will_qos = (flags_ & kWillQos) >> 3;
    if ((flags_ & kReserved) != 0) return fault(at, "MQTT-3.1.2-3");
    if (will_qos == 3) return fault(at, "MQTT-3.1.2-14");
    if (!has(kWill) && will_qos != 0) return fault(at, "MQTT-3.1.2-13");     // [MQTT-3.1.2-11]
    if (!has(kWill) && has(kWillRetain)) return fault(at, "MQTT-3.1.2-15");  // [MQTT-3.1.2-11]
    if (!has(kUserName) && has(kPassword)) return fault(at, "MQTT-3.1.2-22");
    connect.clean_session = has(kCleanSession);
    if (has(kWill)) connect.will = WillView{.qos = will_qos, .retain = has(kWillRetain)};
    return {};
  }

  // In the one order that is allowed [MQTT-3.1.3-1].
  Fault payload(ConnectView& connect) {
    if (Fault wrong = client_id(connect)) return wrong;
    if (connect.will) {
      if (Fault wrong = will(*connect.will)) return wrong;
    }
    if (has(kUserName)) {  // [MQTT-3.1.2-18], [MQTT-3.1.2-19]
      const std::size_t at = offset();
      connect.user_name = as_text(reader_.prefixed16());
      if (!reader_.ok()) return fault(at, "MQTT-3.1.2-19");
      const char* broken = text_fault(as_bytes(*connect.user_name));  // [MQTT-3.1.3-11]
      if (broken != nullptr) return fault(at + 2, broken);
    }
    if (has(kPassword)) {  // [MQTT-3.1.2-20], [MQTT-3.1.2-21]
      const std::size_t at = offset();
      connect.password = reader_.prefixed16();
      if (!reader_.ok()) return fault(at, "MQTT-3.1.2-21");
    }
    if (!reader_.at_end()) return fault(offset(), "MQTT-3.1.4-1");
    return {};
  }

 private:
  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags_ & flag) != 0; }
  [[nodiscard]] std::size_t offset() const { return header_size_ + reader_.offset(); }
  [[nodiscard]] Fault cut_short() const { return fault(offset(), "MQTT-3.1.4-1"); }

  Fault client_id(ConnectView& connect) {
    const std::size_t at = offset();
    connect.client_id = as_text(reader_.prefixed16());
    if (!reader_.ok()) return fault(at, "MQTT-3.1.3-3");
    const char* broken = text_fault(as_bytes(connect.client_id));  // [MQTT-3.1.3-4]
    if (broken != nullptr) return fault(at + 2, broken);
    if (connect.client_id.empty() && !connect.clean_session) {  // [MQTT-3.1.3-7]
      return fault(at, "MQTT-3.1.3-8", ConnectReturnCode::kIdentifierRejected);
    }
    return {};
  }

  Fault will(WillView& will) {
    const std::size_t at = offset();
    will.topic = as_text(reader_.prefixed16());
    will.payload = reader_.prefixed16();
    if (!reader_.ok()) return fault(at, "MQTT-3.1.2-9");
    const TopicFault wrong = topic_name_fault(will.topic);  // [MQTT-3.1.3-10]
    if (wrong != TopicFault::kNone) return fault(at + 2, statement(wrong));
    return {};
  }

  Reader reader_;
  std::size_t header_size_;
  std::uint8_t flags_ = 0;
};

std::uint8_t flags_of(const ConnectView& connect) {
  unsigned flags = connect.clean_session ? kCleanSession : 0u;
  if (connect.will) {
    flags |= kWill | connect.will->qos << 3u | (connect.will->retain ? kWillRetain : 0u);
  }
  if (connect.user_name) flags |= kUserName;
  if (connect.password) flags |= kPassword;
  return static_cast<std::uint8_t>(flags);
}

// Calls `visit` with each field of the payload in wire order.
template <typename Visit>
void for_each_field(const ConnectView& connect, Visit visit) {
  visit(as_bytes(connect.client_id));
  if (connect.will) {
    visit(as_bytes(connect.will->topic));
    visit(connect.will->payload);
  }
  if (connect.user_name) visit(as_bytes(*connect.user_name));
  if (connect.password) visit(*connect.password);
}

std::size_t remaining_length(const ConnectView& connect) {
  std::size_t length = kVariableHeaderSize;
  for_each_field(connect, [&](Bytes field) { length += 2 + field.size(); });
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
  for_each_field(connect, [&](Bytes field) { fits = fits && field.size() <= kFieldBytesMax; });
  return fits ? size_with_fixed_header(remaining_length(connect)) : 0;
}

std::uint8_t* write_connect(std::uint8_t* out, const ConnectView& connect) {
  Writer writer(write_fixed_header(out, PacketType::kConnect, 0, remaining_length(connect)));
  writer.prefixed16(as_bytes(kProtocolName));
  writer.u8(static_cast<std::uint8_t>(connect.version));
  writer.u8(flags_of(connect));
  writer.u16(connect.keep_alive_s);
  for_each_field(connect, [&](Bytes field) { writer.prefixed16(field); });
  return writer.position();
}

}  // namespace hermod::mqtt
