// SPDX-License-Identifier: Apache-2.0
// How a received message is printed: mosquitto_sub's output formats. The format string is read
// once, then appended for each message. It knows no terminal and no client.
//   %t topic     %p payload   %x %X payload in hexadecimal   %l payload length   %q QoS   %r
//   retained %m packet id %I local time, ISO 8601   %U seconds and nanoseconds since 1970  %% a
//   percent sign %j JSON with the payload as a string   %J JSON with the payload as JSON
//   of MQTT 5, empty when not there: %C content type   %D correlation data   %E what is left of the
//   expiry   %F payload format   %P user properties   %R response topic   %S subscription
//   identifier %A topic alias: always empty, as the client resolves it
//   @X strftime's %X   @N nanoseconds   @@ an at sign   \n \t \r \a \e \0 \\ as in C
// %-10t, %010l, %10.5t: left-aligned, zero-padded, width and greatest width, as in printf.
#pragma once

#include <cstdint>
#include <ctime>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/mqtt/session/client_options.hpp"

namespace hermod::app {

/// What can be printed of a message.
struct Printable {
  std::string_view topic;
  Bytes payload;
  std::uint8_t qos = 0;
  bool retain = false;
  std::uint16_t packet_id = 0;                          ///< 0 with QoS 0
  std::timespec received{};                             ///< wall clock
  const mqtt::MessageProperties* properties = nullptr;  ///< of MQTT 5; nullptr: none
  std::span<const std::uint32_t> subscription_ids;
};

/// mosquitto_sub cuts payloads to the width of their field, ends an empty line where %J meets no
/// JSON, and puts a Z before the offset in "tst".
enum class Dialect : std::uint8_t { kHermod, kMosquitto };

class MessageFormat {
 public:
  /// The payload, or with `topic` the topic, a blank and the payload.
  [[nodiscard]] static MessageFormat plain(bool topic);
  /// A format string; the error says which part of it is wrong. `pretty`: JSON on several lines.
  [[nodiscard]] static std::expected<MessageFormat, std::string> parse(
      std::string_view format, bool pretty = false, Dialect dialect = Dialect::kHermod);

  /// Appends `message`, and `end` when something is to be printed: a plain empty payload prints
  /// nothing, as with mosquitto_sub. False, and nothing but perhaps `end` appended, when %J meets a
  /// payload that is not JSON.
  [[nodiscard]] bool append(std::string& out, const Printable& message, std::string_view end) const;

 private:
  struct Piece {
    char kind = 'L';  // 'L' literal, '%' field, '@' time
    char letter = '\0';
    bool left = false;
    bool zeros = false;
    std::size_t width = 0;
    std::size_t width_max = std::string::npos;
    std::string literal;
  };
  class Parser;
  [[nodiscard]] bool append_piece(std::string& out, const Piece& piece,
                                  const Printable& message) const;

  enum class Style : std::uint8_t { kPayload, kTopicAndPayload, kFormat };
  Style style_ = Style::kPayload;
  bool pretty_ = false;
  Dialect dialect_ = Dialect::kHermod;
  std::vector<Piece> pieces_;
};

}  // namespace hermod::app
