// SPDX-License-Identifier: Apache-2.0
// A session with everything around it in a test's hands: the peer's datagrams, the clock, and what
// it sends and wants, as one line of text each.
//
//   script.sends({.path = "/ps/data/a"});
//   EXPECT_EQ(script.wants(), "Lookup a");
//   script.answers_value(0, value_of("a", "x"));
//   EXPECT_EQ(script.sent(), "ACK 2.05 #1 t:t 'x'");
//
// Message ids that the session chose are shown relative to the first one: #s0, #s1.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/assert.hpp"
#include "hermod/coap/codec/uri.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/session/session.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::coap::test {

/// What a session sends.
class Wire final : public session::DatagramSink {
 public:
  std::uint8_t* reserve(std::size_t count_max) override {
    room_.assign(count_max, 0xA5);
    reserved_max = std::max(reserved_max, count_max);
    return room_.data();
  }
  void commit(std::size_t count) override {
    HERMOD_ASSERT(count <= room_.size());
    sent.emplace_back(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::vector<std::vector<std::uint8_t>> sent;
  std::size_t reserved_max = 0;  ///< octets asked for at once

 private:
  std::vector<std::uint8_t> room_;
};

/// A message to send, with named parts.
struct Sends {
  Type type = Type::kCon;
  Code code = code::kGet;
  std::uint16_t id = 1;
  std::string_view token = "t";
  std::string path = "/ps/data/a";  // with its query; of requests
  std::optional<std::uint32_t> observe;
  std::vector<std::string> etags;
  std::optional<std::uint32_t> format;
  std::optional<std::uint32_t> max_age;
  std::optional<std::uint32_t> accept;
  std::string_view payload;
  std::optional<std::uint16_t> odd_option;  // above 17, with the value "x"
};

[[nodiscard]] inline std::vector<std::uint8_t> encode(const Sends& message) {
  using enum OptionNumber;
  std::vector<std::uint8_t> out(65'536);
  BodyWriter body(
      write_head(out.data(), message.type, message.code, message.id, as_bytes(message.token)));
  const Uri uri = parse_uri("coap://h" + message.path).value();
  for (const std::string& etag : message.etags) body.option(kETag, etag);
  if (message.observe) body.uint_option(kObserve, *message.observe);
  if (message.code.is_request()) {
    for (const std::string& segment : uri.path) body.option(kUriPath, segment);
  }
  if (message.format) body.uint_option(kContentFormat, *message.format);
  if (message.max_age) body.uint_option(kMaxAge, *message.max_age);
  for (const std::string& argument : uri.query) body.option(kUriQuery, argument);
  if (message.accept) body.uint_option(kAccept, *message.accept);
  if (message.odd_option) body.option(static_cast<OptionNumber>(*message.odd_option), "x");
  body.payload(as_bytes(message.payload));
  out.resize(static_cast<std::size_t>(body.position() - out.data()));
  return out;
}

class Script {
 public:
  /// Opens `session`, which outlives the script.
  explicit Script(session::Session& session) : session_(session) {
    run([&](session::Effects& effects) { session_.on_open(now, effects); });
  }

  // --- inputs ---

  void sends(const Sends& message) { datagram(encode(message)); }
  void datagram(std::vector<std::uint8_t> octets) {
    received_.push_back(std::move(octets));  // what effects borrow stays
    run([&](session::Effects& effects) { session_.on_datagram(received_.back(), now, effects); });
  }
  void octets(std::string_view notation) { datagram(testkit::octets(notation)); }
  /// An Empty message that answers the n-th message id of the session.
  void acknowledges(unsigned n) { empty(Type::kAck, n); }
  void resets(unsigned n) { empty(Type::kRst, n); }

  /// Answers the n-th effect that wants an answer, counted since before the last wants().
  void answers(std::size_t n, session::Answer answer) {
    answer.ticket = tickets_.at(n);
    run([&](session::Effects& effects) { session_.on_answers({&answer, 1}, now, effects); });
  }
  void answers(std::size_t n, model::Reason reason) {
    answers(n, session::Answer{.reason = reason});
  }
  void answers_value(std::size_t n, const model::Message& value) {
    answers(n, session::Answer{.value = &value});
  }
  void delivers(const model::Message& message, model::EncodeSlots* slots = nullptr) {
    const model::Delivery delivery{.message = &message};
    run([&](session::Effects& effects) {
      session_.on_deliveries({.items = {&delivery, 1}, .slots = slots}, now, effects);
    });
  }
  /// Moves the clock; calls on_deadline at every deadline on the way.
  void after(Duration duration) {
    const Instant end = now + duration;
    while (session_.next_deadline() <= end) {
      now = std::max(now, session_.next_deadline());
      run([&](session::Effects& effects) { session_.on_deadline(now, effects); });
    }
    now = end;
  }
  void closes(model::Reason reason) {
    run([&](session::Effects& effects) { session_.on_close(reason, now, effects); });
  }
  /// Any other input.
  template <typename Input>
  void run(Input input) {
    session::Effects effects({1, 1}, wire, list);
    input(effects);
  }

  // --- outputs ---

  /// The datagrams sent since the last call, separated by " | ".
  [[nodiscard]] std::string sent() {
    std::string out;
    for (const auto& octets : wire.sent) {
      if (!out.empty()) out += " | ";
      out += describe(octets);
    }
    wire.sent.clear();
    return out;
  }
  /// The effects since the last call, separated by " | ".
  [[nodiscard]] std::string wants() {
    std::string out;
    tickets_.clear();
    for (const session::EffectRecord& record : list) {
      if (!out.empty()) out += " | ";
      out += std::visit([&](const auto& effect) { return text(effect); }, record.effect);
    }
    list.clear();
    return out;
  }
  /// The n-th message id of the session.
  [[nodiscard]] std::uint16_t own_id(unsigned n) const {
    return static_cast<std::uint16_t>(base_.value() + n);
  }

  Instant now{std::chrono::hours{1}};
  Wire wire;
  session::EffectList list;
  std::vector<std::string> tokens;  ///< of the client role, in the order of their first use

 private:
  void empty(Type type, unsigned n) {
    std::vector<std::uint8_t> out(kHeaderSize);
    (void)write_head(out.data(), type, code::kEmpty, own_id(n), {});
    datagram(std::move(out));
  }

  std::string describe(Bytes octets) {
    static constexpr std::string_view kTypes[] = {"CON", "NON", "ACK", "RST"};
    const auto message = decode(octets);
    if (!message) return std::string("malformed by ") + message.error().statement;
    const bool own = message->type == Type::kCon || message->type == Type::kNon;
    if (own && !base_) base_ = message->message_id;
    std::string out{kTypes[static_cast<std::size_t>(message->type)]};
    out += ' ' + to_string(message->code);
    out += own ? fmt::format(" #s{}", static_cast<std::uint16_t>(message->message_id - *base_))
               : fmt::format(" #{}", message->message_id);
    if (!message->token.empty()) out += " t:" + token_text(message->token);
    for (const OptionView& option : message->options) out += describe(option);
    if (!message->payload.empty()) out += fmt::format(" '{}'", as_text(message->payload));
    return out;
  }
  static std::string describe(const OptionView& option) {
    const OptionRule* rule = find_rule(option.number);
    const std::string name = rule != nullptr ? std::string(rule->name)
                                             : std::to_string(static_cast<unsigned>(option.number));
    // a sequence number
    if (option.number == OptionNumber::kObserve && option.value.size() == 3) return " Observe:n";
    if (rule != nullptr && rule->format == OptionFormat::kUint) {
      return fmt::format(" {}:{}", name, uint_value(option.value).value());
    }
    if (option.number == OptionNumber::kETag) {
      std::string tag = testkit::hex(option.value);
      std::erase(tag, ' ');
      return " ETag:" + tag;
    }
    return fmt::format(" {}:'{}'", name, as_text(option.value));
  }
  // Tokens of the client role are random.
  std::string token_text(Bytes token) {
    const std::string text(as_text(token));
    if (token.size() != kTokenSizeUsual) return text;
    auto at = std::ranges::find(tokens, text);
    if (at == tokens.end()) at = tokens.insert(at, text);
    return std::to_string(at - tokens.begin());
  }

  std::string text(const session::Attach& e) { return asked(e.ticket, "Attach"); }
  std::string text(const session::Authenticate& e) { return asked(e.ticket, "Authenticate"); }
  std::string text(const session::Detach&) { return "Detach"; }
  std::string text(const session::Publish& e) {
    const model::Message& m = e.message;
    std::string out = fmt::format("Publish {}{} q{}", m.destination.address,
                                  m.retain ? " retain" : "", static_cast<int>(m.guarantee));
    if (m.properties != nullptr && !m.properties->content_type.empty()) {
      out += fmt::format(" ct:{}", m.properties->content_type);
    }
    if (m.expires_at != kNever) {
      out += fmt::format(
          " for:{}s", std::chrono::duration_cast<std::chrono::seconds>(m.expires_at - now).count());
    }
    out += fmt::format(" '{}'", as_text(m.payload));
    return e.ticket == 0 ? out : asked(e.ticket, out);
  }
  std::string text(const session::Subscribe& e) {
    return asked(e.ticket, "Subscribe " + std::string(e.filter));
  }
  std::string text(const session::Unsubscribe& e) {
    return asked(e.ticket, "Unsubscribe " + std::string(e.filter));
  }
  std::string text(const session::Credit& e) { return fmt::format("Credit {}", e.count); }
  std::string text(const session::Settle& e) {
    return fmt::format("Settle {}-{} {} +{}", e.first, e.last, static_cast<int>(e.outcome),
                       e.credit);
  }
  std::string text(const session::Lookup& e) {
    return asked(e.ticket, "Lookup " + std::string(e.topic));
  }
  std::string text(const session::Close& e) { return "Close " + std::string(to_text(e.reason)); }
  std::string text(const session::Opened&) { return "Opened"; }
  std::string text(const session::Completed& e) {
    std::string out =
        fmt::format("Completed {} {} {}", e.ticket, to_text(e.reason), to_string(Code{e.code}));
    if (e.value != nullptr) out += fmt::format(" '{}'", as_text(e.value->payload));
    return out;
  }
  std::string asked(session::Ticket ticket, std::string what) {
    tickets_.push_back(ticket);
    return what;
  }

  session::Session& session_;
  std::vector<std::vector<std::uint8_t>> received_;
  std::vector<session::Ticket> tickets_;
  std::optional<std::uint16_t> base_;
};

/// The retained message of a topic, for answers and deliveries. Borrows.
[[nodiscard]] inline model::Message value_of(std::string_view topic, std::string_view payload,
                                             std::uint64_t version = 0) {
  model::Message message;
  message.destination = model::Destination::topic(topic);
  message.payload = as_bytes(payload);
  message.version = version;
  message.retain = true;
  return message;
}

}  // namespace hermod::coap::test
