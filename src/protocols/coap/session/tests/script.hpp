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
#include <utility>
#include <vector>

#include "hermod/base/assert.hpp"
#include "hermod/coap/codec/block.hpp"
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
  std::optional<std::uint16_t> odd_option;  // with the value "x"
  std::optional<Block> block1;
  std::optional<Block> block2;
  std::optional<std::uint32_t> size1;
  bool size2 = false;
  std::vector<std::string> if_match;
  bool if_none_match = false;
  std::optional<std::uint32_t> no_response;
  std::string_view echo;
  std::string_view request_tag;
  std::optional<std::uint8_t> hop_limit;
};

[[nodiscard]] inline std::vector<std::uint8_t> encode(const Sends& message) {
  using enum OptionNumber;
  std::vector<std::pair<OptionNumber, std::string>> options;
  const auto text = [&](OptionNumber number, std::string_view value) {
    options.emplace_back(number, value);
  };
  const auto number = [&](OptionNumber option, const std::optional<std::uint32_t>& value) {
    if (!value) return;
    std::string octets;
    for (std::uint32_t rest = *value; rest != 0; rest >>= 8) {
      octets.insert(octets.begin(), static_cast<char>(rest & 0xff));
    }
    options.emplace_back(option, octets);
  };
  const Uri uri = parse_uri("coap://h" + message.path).value();
  for (const std::string& etag : message.if_match) text(kIfMatch, etag);
  for (const std::string& etag : message.etags) text(kETag, etag);
  if (message.if_none_match) text(kIfNoneMatch, "");
  number(kObserve, message.observe);
  if (message.code.is_request()) {
    for (const std::string& segment : uri.path) text(kUriPath, segment);
  }
  number(kContentFormat, message.format);
  number(kMaxAge, message.max_age);
  for (const std::string& argument : uri.query) text(kUriQuery, argument);
  if (message.hop_limit) text(kHopLimit, std::string(1, static_cast<char>(*message.hop_limit)));
  number(kAccept, message.accept);
  if (message.block2) number(kBlock2, message.block2->value());
  if (message.block1) number(kBlock1, message.block1->value());
  if (message.size2) text(kSize2, "");
  number(kSize1, message.size1);
  if (!message.echo.empty()) text(kEcho, message.echo);
  number(kNoResponse, message.no_response);
  if (!message.request_tag.empty()) text(kRequestTag, message.request_tag);
  if (message.odd_option) text(static_cast<OptionNumber>(*message.odd_option), "x");
  std::ranges::stable_sort(options, {}, [](const auto& option) { return option.first; });

  std::vector<std::uint8_t> out(65'536);
  BodyWriter body(
      write_head(out.data(), message.type, message.code, message.id, as_bytes(message.token)));
  for (const auto& [option, value] : options) body.option(option, value);
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
  void datagram(std::vector<std::uint8_t> octets, bool whole = true) {
    received_.push_back(std::move(octets));  // what effects borrow stays
    run([&](session::Effects& effects) {
      session_.on_datagram({.bytes = received_.back(), .whole = whole}, now, effects);
    });
  }
  void octets(std::string_view notation) { datagram(testkit::octets(notation)); }
  /// An Empty message that answers the n-th message id of the session.
  void acknowledges(unsigned n) { empty(Type::kAck, n); }
  void resets(unsigned n) { empty(Type::kRst, n); }

  /// Answers the n-th effect that wants an answer, counted since before the last wants().
  void answers(std::size_t n, session::Answer answer) {
    last_ticket_ = tickets_.at(n);
    answers_ticket(last_ticket_, answer);
  }
  /// Answers a ticket, maybe once more.
  void answers_ticket(session::Ticket ticket, session::Answer answer) {
    answer.ticket = ticket;
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
  /// The peer asks for a value, waits for it, and confirms a separate response: its address is its
  /// own. The session's message ids from the second on are free.
  void proves_itself() {
    sends({.id = 60'000, .path = "/ps/data/proof"});
    HERMOD_ASSERT(wants() == "Lookup proof");
    after(std::chrono::seconds{1});
    answers(0, model::Reason::kNotFound);
    HERMOD_ASSERT(sent() == "ACK 0.00 #60000 | CON 4.04 #s0 t:t");
    acknowledges(0);
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
  /// The ticket that was answered last.
  [[nodiscard]] session::Ticket last_ticket() const { return last_ticket_; }
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
    if (option.number == OptionNumber::kBlock1 || option.number == OptionNumber::kBlock2) {
      const Block block = read_block(option.value).value();
      return fmt::format(" {}:{}{}/{}", name, block.number, block.more ? "+" : "", block.size());
    }
    if (rule != nullptr && rule->format == OptionFormat::kUint) {
      return fmt::format(" {}:{}", name, uint_value(option.value).value());
    }
    if (option.number == OptionNumber::kETag || option.number == OptionNumber::kEcho) {
      std::string tag = testkit::hex(option.value);
      std::erase(tag, ' ');
      return fmt::format(" {}:{}", name, tag);
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
    const std::string out = text("Publish", e.message);
    return e.ticket == 0 ? out : asked(e.ticket, out);
  }
  std::string text(const session::Replace& e) {
    return asked(e.ticket, text(fmt::format("Replace {}", e.instead_of), *e.message));
  }
  std::string text(std::string_view verb, const model::Message& m) {
    std::string out = fmt::format("{} {}{} q{}", verb, m.destination.address,
                                  m.retain ? " retain" : "", static_cast<int>(m.guarantee));
    if (m.properties != nullptr && !m.properties->content_type.empty()) {
      out += fmt::format(" ct:{}", m.properties->content_type);
    }
    if (m.expires_at != kNever) {
      out += fmt::format(
          " for:{}s", std::chrono::duration_cast<std::chrono::seconds>(m.expires_at - now).count());
    }
    if (m.properties != nullptr) {
      for (const model::UserProperty& property : m.properties->user) {
        out += fmt::format(" {}={}", property.name, std::get<std::string_view>(property.value));
      }
    }
    return out + fmt::format(" '{}'", as_text(m.payload));
  }
  std::string text(const session::Subscribe& e) {
    const bool all = e.options.retain_handling == model::RetainHandling::kAlways;
    return asked(e.ticket, fmt::format("Subscribe {}{}", e.filter, all ? " all" : ""));
  }
  std::string text(const session::Unsubscribe& e) {
    return asked(e.ticket, "Unsubscribe " + std::string(e.filter));
  }
  std::string text(const session::Credit& e) { return fmt::format("Credit {}", e.count); }
  std::string text(const session::Settle& e) {
    return fmt::format("Settle {}-{} {} +{}", e.first, e.last, static_cast<int>(e.outcome),
                       e.credit);
  }
  std::string text(const session::Release& e) {
    return asked(e.ticket, fmt::format("Release {}", e.tag));
  }
  std::string text(const session::EndExchange& e) {
    return asked(e.ticket, fmt::format("EndExchange {}", e.packet_id));
  }
  std::string text(const session::Lookup& e) {
    return asked(e.ticket, "Lookup " + std::string(e.topic));
  }
  std::string text(const session::Declare& e) {
    static constexpr std::string_view kModes[] = {"create", "replace", "patch"};
    return asked(
        e.ticket,
        fmt::format("Declare {} {} ct:{} max:{}", e.topic, kModes[static_cast<std::size_t>(e.mode)],
                    e.properties->content_type, e.properties->subscribers_max.value_or(0)));
  }
  std::string text(const session::Undeclare& e) {
    return asked(e.ticket, "Undeclare " + std::string(e.topic));
  }
  std::string text(const session::List& e) {
    return asked(e.ticket, fmt::format("List {} after '{}'", e.filter, e.after));
  }
  std::string text(const session::Watch& e) {
    return asked(e.ticket, "Watch " + std::string(e.topic));
  }
  std::string text(const session::Unwatch& e) { return "Unwatch " + std::string(e.topic); }
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
  session::Ticket last_ticket_ = 0;
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
