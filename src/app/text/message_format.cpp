// SPDX-License-Identifier: Apache-2.0
// mosquitto_sub's output formats: reading a format string, and printing messages with it.
#include "text/message_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "text/json.hpp"

namespace hermod::app {
namespace {

constexpr std::string_view kFields = "ACDEFIJPRSUXjlmpqrtx%";
constexpr std::size_t kWidthMax = 10'000;

/// strftime of the local time; an empty text when it yields none.
std::string time_text(const std::timespec& time, const char* format) {
  std::tm local{};
  localtime_r(&time.tv_sec, &local);
  std::array<char, 256> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &local)};
}

std::string hexadecimal(Bytes payload, bool capitals) {
  constexpr std::string_view kSmall = "0123456789abcdef";
  constexpr std::string_view kCapital = "0123456789ABCDEF";
  const std::string_view digits = capitals ? kCapital : kSmall;
  std::string out;
  out.reserve(payload.size() * 2);
  for (const std::uint8_t octet : payload) {
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
  return out;
}

/// "properties":{...}, as mosquitto_sub prints them; nothing when there are none.
void append_json_properties(std::string& out, const Printable& message) {
  if (message.properties == nullptr) return;
  const mqtt::MessageProperties& properties = *message.properties;
  if (properties.empty() && message.subscription_ids.empty()) return;
  out += ",\"properties\":{";
  const auto name = [&out](std::string_view text) {
    if (out.back() != '{') out += ',';
    append_json_string(out, text);
    out += ':';
  };
  const auto number = [&](std::string_view text, std::uint32_t value) {
    name(text);
    fmt::format_to(std::back_inserter(out), "{}", value);
  };
  const auto text = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    name(key);
    append_json_string(out, value);
  };
  if (properties.text) number("payload-format-indicator", 1);
  if (properties.expiry_s) number("message-expiry-interval", *properties.expiry_s);
  text("content-type", properties.content_type);
  text("response-topic", properties.response_topic);
  text("correlation-data", properties.correlation_data);
  for (const std::uint32_t id : message.subscription_ids) number("subscription-identifier", id);
  if (!properties.user.empty()) {
    name("user-properties");
    out += '{';
    for (const auto& [key, value] : properties.user) {
      name(key);
      append_json_string(out, value);
    }
    out += '}';
  }
  out += '}';
}

/// What a field of MQTT 5 shows.
std::string property_text(char letter, const Printable& message) {
  if (letter == 'S') {
    return message.subscription_ids.empty() ? "" : fmt::format("{}", message.subscription_ids[0]);
  }
  if (message.properties == nullptr) return {};
  const mqtt::MessageProperties& properties = *message.properties;
  switch (letter) {
    case 'C':
      return properties.content_type;
    case 'D':
      return properties.correlation_data;
    case 'E':
      return properties.expiry_s ? fmt::format("{}", *properties.expiry_s) : "";
    case 'F':
      return properties.text ? "1" : "";
    case 'P': {
      std::string out;
      for (const auto& [name, value] : properties.user) {
        if (!out.empty()) out += ' ';
        out.append(name).append(":").append(value);
      }
      return out;
    }
    case 'R':
      return properties.response_topic;
    default:
      return {};
  }
}

bool append_json(std::string& out, const Printable& message, bool payload_is_json,
                 Dialect dialect) {
  const std::size_t before = out.size();
  // As mosquitto_sub(1) documents it: 2020-05-06T22:12:00.000000+0100
  fmt::format_to(std::back_inserter(out), R"({{"tst":"{}.{:06}{}{}","topic":)",
                 time_text(message.received, "%Y-%m-%dT%H:%M:%S"), message.received.tv_nsec / 1000,
                 dialect == Dialect::kMosquitto ? "Z" : "", time_text(message.received, "%z"));
  append_json_string(out, message.topic);
  fmt::format_to(std::back_inserter(out), R"(,"qos":{},"retain":{},"payloadlen":{})", message.qos,
                 message.retain ? 1 : 0, message.payload.size());
  if (message.qos > 0) fmt::format_to(std::back_inserter(out), R"(,"mid":{})", message.packet_id);
  append_json_properties(out, message);
  out += ",\"payload\":";
  if (message.payload.empty()) {
    out += "null";
  } else if (!payload_is_json) {
    append_json_string(out, as_text(message.payload));
  } else if (!append_compact_json(out, as_text(message.payload))) {
    out.resize(before);
    return false;
  }
  out += '}';
  return true;
}

/// What a field shows, before it is cut and padded.
std::string field_text(char letter, const Printable& message) {
  switch (letter) {
    case 't':
      return std::string(message.topic);
    case 'p':
      return std::string(as_text(message.payload));
    case 'x':
      return hexadecimal(message.payload, false);
    case 'X':
      return hexadecimal(message.payload, true);
    case 'l':
      return fmt::format("{}", message.payload.size());
    case 'm':
      return fmt::format("{}", message.packet_id);
    case 'q':
      return fmt::format("{}", message.qos);
    case 'r':
      return message.retain ? "1" : "0";
    case 'I':
      return time_text(message.received, "%Y-%m-%dT%H:%M:%S%z");
    case 'U':
      return fmt::format("{}.{:09}", message.received.tv_sec, message.received.tv_nsec);
    case '%':
      return "%";
    default:
      return property_text(letter, message);
  }
}

bool is_among(char letter, std::string_view letters) {
  return letters.find(letter) != std::string_view::npos;
}

}  // namespace

/// Reads a format string piece by piece.
class MessageFormat::Parser {
 public:
  Parser(std::string_view text, std::vector<Piece>& pieces) : text_(text), pieces_(pieces) {}

  /// An error in words; empty when all is well.
  std::string parse() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      std::string error;
      if (c == '%') {
        error = field();
      } else if (c == '@') {
        error = time();
      } else if (c == '\\') {
        error = escape();
      } else {
        literal(c);
      }
      if (!error.empty()) return error;
    }
    return {};
  }

 private:
  void literal(char c) {
    if (pieces_.empty() || pieces_.back().kind != 'L') pieces_.push_back({});
    pieces_.back().literal += c;
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::size_t number() {
    std::size_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = std::min(value * 10 + static_cast<std::size_t>(text_[at_] - '0'), kWidthMax + 1);
    }
    return value;
  }

  std::string field() {
    const std::size_t begin = at_ - 1;
    Piece piece{.kind = '%'};
    piece.left = take('-');
    piece.zeros = take('0');
    piece.width = number();
    if (take('.')) piece.width_max = number();
    if (at_ == text_.size())
      return "the % at its end is not followed by a letter. %% is a percent sign.";
    piece.letter = text_[at_++];
    if (!is_among(piece.letter, kFields)) {
      return fmt::format(
          "\"{}\" is not a field. Fields are %t %p %x %X %l %q %r %m %I %U %j %J; %% "
          "is a percent sign.",
          text_.substr(begin, at_ - begin));
    }
    if (piece.width > kWidthMax) return fmt::format("a field is at most {} wide.", kWidthMax);
    pieces_.push_back(std::move(piece));
    return {};
  }

  std::string time() {
    if (at_ == text_.size())
      return "the @ at its end is not followed by a letter. @@ is an at sign.";
    pieces_.push_back({.kind = '@', .letter = text_[at_++]});
    return {};
  }

  std::string escape() {
    if (at_ == text_.size())
      return "the \\ at its end is not followed by a letter. \\\\ is a backslash.";
    const char c = text_[at_++];
    switch (c) {
      case '\\':
        literal('\\');
        return {};
      case '0':
        literal('\0');
        return {};
      case 'a':
        literal('\a');
        return {};
      case 'e':
        literal('\033');
        return {};
      case 'n':
        literal('\n');
        return {};
      case 'r':
        literal('\r');
        return {};
      case 't':
        literal('\t');
        return {};
      case 'v':
        literal('\v');
        return {};
      default:
        return fmt::format(
            "\"\\{}\" is not an escape. Escapes are \\n \\t \\r \\v \\a \\e \\0 \\\\", c);
    }
  }

  std::string_view text_;
  std::vector<Piece>& pieces_;
  std::size_t at_ = 0;
};

MessageFormat MessageFormat::plain(bool topic) {
  MessageFormat format;
  format.style_ = topic ? Style::kTopicAndPayload : Style::kPayload;
  return format;
}

std::expected<MessageFormat, std::string> MessageFormat::parse(std::string_view text, bool pretty,
                                                               Dialect dialect) {
  MessageFormat format;
  format.dialect_ = dialect;
  format.pretty_ = pretty;
  format.style_ = Style::kFormat;
  const std::string error = Parser(text, format.pieces_).parse();
  if (!error.empty()) return std::unexpected(fmt::format("format \"{}\": {}", text, error));
  return format;
}

bool MessageFormat::append(std::string& out, const Printable& message, std::string_view end) const {
  const std::size_t before = out.size();
  switch (style_) {
    case Style::kPayload:
      if (message.payload.empty()) return true;
      out += as_text(message.payload);
      break;
    case Style::kTopicAndPayload:
      out += message.topic;
      out += ' ';
      out += message.payload.empty() ? "(null)" : as_text(message.payload);
      break;
    case Style::kFormat:
      for (const Piece& piece : pieces_) {
        if (append_piece(out, piece, message)) continue;
        out.resize(before);
        if (dialect_ == Dialect::kMosquitto) out += end;
        return false;
      }
      break;
  }
  out += end;
  return true;
}

bool MessageFormat::append_piece(std::string& out, const Piece& piece,
                                 const Printable& message) const {
  if (piece.kind == 'L') {
    out += piece.literal;
    return true;
  }
  if (piece.kind == '@') {
    if (piece.letter == '@') {
      out += '@';
    } else if (piece.letter == 'N') {
      fmt::format_to(std::back_inserter(out), "{:09}", message.received.tv_nsec);
    } else {
      const std::array<char, 3> format{'%', piece.letter, '\0'};
      out += time_text(message.received, format.data());
    }
    return true;
  }
  if (piece.letter == 'j' || piece.letter == 'J') {
    if (!pretty_) return append_json(out, message, piece.letter == 'J', dialect_);
    std::string compact;
    if (!append_json(compact, message, piece.letter == 'J', dialect_)) return false;
    append_pretty_json(out, compact);
    return true;
  }
  std::string text = field_text(piece.letter, message);
  if (is_among(piece.letter, "CIRt")) text = text.substr(0, piece.width_max);
  if (dialect_ == Dialect::kMosquitto && piece.width > 0 && is_among(piece.letter, "pXx")) {
    const std::size_t kept = std::min(message.payload.size(), piece.width);
    text.resize(piece.letter == 'p' ? kept : kept / 2 * 2);  // in hexadecimal half as many octets
  }
  const bool pads = is_among(piece.letter, "ACEFIlmpRStxX");
  const std::size_t missing = pads && text.size() < piece.width ? piece.width - text.size() : 0;
  const bool zeros = piece.zeros && !piece.left && is_among(piece.letter, "AEFlmpSXx");
  if (!piece.left) out.append(missing, zeros ? '0' : ' ');
  out += text;
  if (piece.left) out.append(missing, ' ');
  return true;
}

}  // namespace hermod::app
