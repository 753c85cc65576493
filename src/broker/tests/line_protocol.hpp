// SPDX-License-Identifier: Apache-2.0
// A protocol for tests of the broker, a line a request, on streams and datagrams: whatever a
// session may want can be wanted by hand, and what it is told can be read.
//
//   attach ID [keep] [expiry=S] [user=U] [pass=P] [will=T=V] [rwill=T=V] [auth=METHOD:OCTETS]
//   ID "-": an assigned one
//   auth OCTETS (goes on) | again METHOD OCTETS (begins anew, while attached)
//   sub F [q1] [new] | unsub F | pub T V | hour T V (pub, for an hour) | pub1 T V | put T V | get T
//   swap T V (replaces the value that the last answer told of)
//   credit N | settle TAG | hold ID | ping | say N | wake MS | leave MS  replies: always read
//   declare T [WHAT..] | replace T [WHAT..] | patch T [WHAT..] | undeclare T | watch T | unwatch T
//   list F [N] [after=T] [declared|values]    these do not wait for the answers before them
//   WHAT: rt=, ct=, tt= TEXT, at=, max=, check= NUMBER; patched with nothing: taken back
//   bye (ends well) | close (ends with the will)
//
// Request n (attach, sub, unsub, pub1, put, get, declare.. count) is answered by "#n WORDS"; a
// message is "T=V", with " r" when retained, " q1 @TAG" when it is to be settled, " d" when
// repeated, " Ns" when it is of use for so long. What a topic is declared to be: " {WHAT..}"; a
// list: " T[d][v]..", declared, with a value, and " > T" when it goes on after T.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "hermod/session/protocol.hpp"

namespace hermod::broker {

class LineSession final : public session::Session {
 public:
  LineSession(const session::SessionLimits& limits, bool stream, int& sessions)
      : limits_(limits), stream_(stream), sessions_(sessions) {
    ++sessions_;
  }
  ~LineSession() override { --sessions_; }

  void on_open(Instant now, session::Effects&) override {
    if (stream_) deadline_ = now + std::chrono::seconds{limits_.connect_timeout_s};
  }
  std::size_t on_bytes(Bytes bytes, session::Intake intake, Instant now,
                       session::Effects& effects) override {
    std::size_t used = 0;
    while (!waits_ && !closed_) {
      const std::string_view rest = as_text(bytes).substr(used);
      const std::size_t end = rest.find('\n');
      if (std::min(end, rest.size()) > limits_.packet_bytes_max) {
        close(model::Reason::kTooLarge, effects);
      } else if (end == std::string_view::npos) {
        return used;
      } else {
        const bool takes = intake == session::Intake::kEverything && unanswered_ == 0;
        if (!takes && !is_reply(rest)) return used;
        used += end + 1;
        obey(rest.substr(0, end), now, effects);
      }
    }
    return closed_ ? bytes.size() : used;
  }
  void on_datagram(const session::Datagram& datagram, Instant now,
                   session::Effects& effects) override {
    obey(as_text(datagram.bytes), now, effects);
  }
  void on_deliveries(const model::DeliveryBatch& batch, Instant now,
                     session::Effects& effects) override {
    const std::size_t before = stream_ ? effects.output().size() : 0;
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      const model::Delivery& delivery = batch.items[i];
      const model::Message& message = *delivery.message;
      std::string after = delivery.retain ? " r" : "";
      if (delivery.guarantee != model::Guarantee::kAtMostOnce) {
        after += fmt::format(" q{} @{}", static_cast<int>(delivery.guarantee), batch.first_tag + i);
      }
      if (delivery.redelivered) after += " d";
      if (message.expires_at != kNever) {
        const auto left = std::chrono::ceil<std::chrono::seconds>(message.expires_at - now);
        after += fmt::format(" {}s", left.count());
      }
      const bool shared = message.owner != nullptr && message.owner->shared_payload();
      if (stream_ && shared) {
        effects.output().append(as_bytes(fmt::format("{}=", message.destination.address)));
        effects.output().append_shared(message.owner->shared_payload());
        write(after, effects);
      } else {
        write(fmt::format("{}={}{}", message.destination.address, as_text(message.payload), after),
              effects);
      }
    }
    if (stream_) effects.note_patient(effects.output().size() - before);
  }
  void on_answers(std::span<const session::Answer> answers, Instant,
                  session::Effects& effects) override {
    for (const session::Answer& answer : answers) {
      const bool done = answer.reason <= model::Reason::kNoMatch;  // for nobody is as good
      std::string text = fmt::format("#{} {}", answer.ticket, done ? "ok" : to_text(answer.reason));
      if (answer.ticket == attach_) {
        waits_ = false;
        if (answer.reason == model::Reason::kOk) {
          attached_ = true;
          deadline_ = kNever;
          inflight_ = std::move(*answer.inflight);
        }
        if (answer.session_present) text += " present";
        if (!answer.client_id.empty()) text += fmt::format(" {}", answer.client_id);
      }
      if (answer.granted != model::Guarantee::kAtMostOnce) {
        text += fmt::format(" q{}", static_cast<int>(answer.granted));
      }
      if (!answer.octets.empty()) text += fmt::format(" {}", as_text(answer.octets));
      seen_version_ = answer.value == nullptr ? 0 : answer.value->version;
      if (answer.value != nullptr) text += fmt::format(" {}", as_text(answer.value->payload));
      if (answer.declared != nullptr) text += " " + text_of(*answer.declared);
      if (answer.page != nullptr) text += text_of(*answer.page);
      write(text, effects);
      if (answer.ticket == unanswered_) unanswered_ = 0;
      const bool goes_on = answer.reason == model::Reason::kContinue;
      if (goes_on) exchange_ = answer.ticket;
      if (answer.ticket == attach_ && !attached_ && !goes_on) close(answer.reason, effects);
    }
  }
  void on_deadline(Instant now, session::Effects& effects) override {
    if (now < deadline_) return;
    deadline_ = kNever;
    if (leaving_) return close(model::Reason::kOk, effects);
    if (stream_ && !attached_) return close(model::Reason::kTimeout, effects);
    write("tick", effects);
  }
  void on_close(model::Reason reason, Instant, session::Effects& effects) override {
    if (reason != model::Reason::kPeerClosed && stream_) {
      write(fmt::format("end: {}", to_text(reason)), effects);
    }
    if (std::exchange(attached_, false)) effects.push(session::Detach{std::move(inflight_)});
  }
  [[nodiscard]] Instant next_deadline() const override { return deadline_; }

 private:
  static std::string_view word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view first = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return first;
  }
  static std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  static std::string text_of(const model::TopicProperties& declared) {
    std::string text;
    const auto say = [&](std::string_view name, const auto& value) {
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
    };
    if (declared.resource_type != "core.ps.data") say("rt", declared.resource_type);
    if (!declared.content_type.empty()) say("ct", declared.content_type);
    if (!declared.topic_type.empty()) say("tt", declared.topic_type);
    if (declared.expires_at_s) say("at", *declared.expires_at_s);
    if (declared.subscribers_max) say("max", *declared.subscribers_max);
    if (declared.observer_check_s) say("check", *declared.observer_check_s);
    return fmt::format("{{{}}}", text);
  }
  static std::string text_of(const session::TopicPage& page) {
    std::string text;
    for (const model::TopicEntry& entry : page.topics) {
      text += fmt::format(" {}[{}{}]", entry.topic, entry.declared ? "d" : "",
                          entry.has_value ? "v" : "");
    }
    if (!page.next.empty()) text += fmt::format(" > {}", page.next);
    return text;
  }
  static bool is_reply(std::string_view line) {
    for (const std::string_view verb : {"credit ", "settle ", "hold ", "ping", "say ", "wake "}) {
      if (line.starts_with(verb)) return true;
    }
    return false;
  }
  void close(model::Reason reason, session::Effects& effects) {
    closed_ = true;
    effects.close(reason);
  }
  void write(std::string_view text, session::Effects& effects) {
    if (stream_) {
      effects.output().append(as_bytes(text));
      effects.output().append(as_bytes("\n"));
      return;
    }
    std::memcpy(effects.datagrams().reserve(text.size()), text.data(), text.size());
    effects.datagrams().commit(text.size());
  }

  void obey(std::string_view line, Instant now, session::Effects& effects) {
    const std::string_view verb = word(line);
    if (verb == "attach") return attach(line, effects);
    if (verb == "auth" && exchange_ != 0) {
      waits_ = !attached_;
      return effects.push(session::Authenticate{exchange_, as_bytes(line)});
    }
    if (stream_ && !attached_) return close(model::Reason::kProtocolError, effects);
    if (verb == "ping") return write("pong", effects);
    if (verb == "say") return write(std::string(number(line), '.'), effects);
    if (verb == "credit") return effects.credit(static_cast<std::uint32_t>(number(line)));
    if (verb == "settle") return effects.accept(number(line), 1);
    if (verb == "wake") {
      deadline_ = now + std::chrono::milliseconds{number(line)};
    } else if (verb == "leave") {
      deadline_ = now + std::chrono::milliseconds{number(line)};
      leaving_ = true;
    } else if (verb == "hold") {
      const std::uint64_t id = number(line);
      (void)inflight_.note_incoming(static_cast<std::uint16_t>(id));
      model::Message message{.destination = model::Destination::topic("all/held"),
                             .guarantee = model::Guarantee::kExactlyOnce};
      message.origin.exchange = id;
      effects.publish(message, 0);
    } else if (verb == "close") {
      close(model::Reason::kProtocolError, effects);
    } else if (verb == "bye") {
      if (std::exchange(attached_, false))
        effects.push(session::Detach{std::move(inflight_), true});
      close(model::Reason::kOk, effects);
    } else {
      request(verb, line, now, effects);
    }
  }
  void attach(std::string_view line, session::Effects& effects) {
    session::Attach effect{.ticket = attach_ = ++requests_};
    effect.client_id = word(line);
    if (effect.client_id == "-") effect.client_id = {};
    while (!line.empty()) {
      std::string_view option = word(line);
      if (option == "keep") {
        effect.clean_start = false;
        effect.expiry_s = UINT32_MAX;
      } else if (option.starts_with("user=")) {
        effect.has_credentials = true;
        effect.username = option.substr(5);
      } else if (option.starts_with("pass=")) {
        effect.password = as_bytes(option.substr(5));
      } else if (option.starts_with("auth=")) {
        effect.auth_method = option.substr(5, option.find(':') - 5);
        effect.password = as_bytes(option.substr(option.find(':') + 1));
      } else if (option.starts_with("expiry=")) {
        effect.expiry_s = static_cast<std::uint32_t>(number(option.substr(7)));
      } else {
        const bool retain = option.starts_with('r');
        option.remove_prefix(option.find('=') + 1);
        const std::size_t equals = option.find('=');
        effect.will =
            model::Message{.destination = model::Destination::topic(option.substr(0, equals)),
                           .payload = as_bytes(option.substr(equals + 1)),
                           .retain = retain}
                .own();
      }
    }
    waits_ = true;
    effects.push(std::move(effect));
  }
  void request(std::string_view verb, std::string_view line, Instant now,
               session::Effects& effects) {
    const std::string_view name = word(line);
    if (verb == "sub") {
      session::Subscribe effect{.filter = name, .ticket = unanswered_ = ++requests_};
      while (!line.empty()) {
        const std::string_view option = word(line);
        if (option == "q1") effect.options.guarantee_max = model::Guarantee::kAtLeastOnce;
        if (option == "new") effect.options.retain_handling = model::RetainHandling::kIfNew;
      }
      effects.push(effect);
    } else if (verb == "unsub") {
      effects.push(session::Unsubscribe{name, unanswered_ = ++requests_});
    } else if (verb == "again") {
      effects.push(session::Authenticate{++requests_, as_bytes(line), name});
    } else if (verb == "declare" || verb == "replace" || verb == "patch") {
      declare(verb, name, line, effects);
    } else if (verb == "swap") {
      replacement_ = {.destination = model::Destination::topic(name),
                      .payload = as_bytes(line),
                      .guarantee = model::Guarantee::kAtLeastOnce,
                      .retain = true};
      effects.push(session::Replace{&replacement_, seen_version_, ++requests_});
    } else if (verb == "undeclare") {
      effects.push(session::Undeclare{++requests_, name});
    } else if (verb == "watch") {
      effects.push(session::Watch{++requests_, name});
    } else if (verb == "unwatch") {
      effects.push(session::Unwatch{name});
    } else if (verb == "list") {
      list(name, line, effects);
    } else if (verb == "get") {
      effects.push(session::Lookup{name, unanswered_ = ++requests_});
    } else {
      const bool for_an_hour = verb == "hour";
      const bool counted = verb != "pub" && !for_an_hour;
      effects.publish(
          {.destination = model::Destination::topic(name),
           .payload = as_bytes(line),
           .guarantee = counted ? model::Guarantee::kAtLeastOnce : model::Guarantee::kAtMostOnce,
           .retain = verb == "put",
           .expires_at = for_an_hour ? now + std::chrono::hours{1} : kNever},
          counted ? ++requests_ : 0);
    }
  }

  void declare(std::string_view verb, std::string_view topic, std::string_view line,
               session::Effects& effects) {
    using namespace model::topic_member;
    session::Declare effect{.ticket = ++requests_, .topic = topic};
    model::TopicProperties& said = declared_.emplace_back();
    while (!line.empty()) {
      const std::string_view option = word(line);
      const std::string_view name = option.substr(0, option.find('='));
      const std::string_view value = option.substr(name.size() + 1);
      std::optional<std::uint32_t> count;
      if (!value.empty()) count = static_cast<std::uint32_t>(number(value));
      if (name == "rt") said.resource_type = value, effect.members |= kResourceType;
      if (name == "ct") said.content_type = value, effect.members |= kContentType;
      if (name == "tt") said.topic_type = value, effect.members |= kTopicType;
      if (name == "at") said.expires_at_s = count, effect.members |= kExpiresAt;
      if (name == "max") said.subscribers_max = count, effect.members |= kSubscribersMax;
      if (name == "check") said.observer_check_s = count, effect.members |= kObserverCheck;
    }
    effect.properties = &said;
    if (verb == "replace") effect.mode = model::DeclareMode::kReplace;
    if (verb == "patch") effect.mode = model::DeclareMode::kPatch;
    effects.push(effect);
  }
  void list(std::string_view filter, std::string_view line, session::Effects& effects) {
    session::List effect{.ticket = ++requests_, .filter = filter, .count_max = 1'000};
    while (!line.empty()) {
      const std::string_view option = word(line);
      if (option.starts_with("after=")) {
        effect.after = option.substr(6);
      } else if (option == "declared") {
        effect.selection = model::TopicSelection::kDeclared;
      } else if (option == "values") {
        effect.selection = model::TopicSelection::kWithValue;
      } else {
        effect.count_max = static_cast<std::uint32_t>(number(option));
      }
    }
    effects.push(effect);
  }

  const session::SessionLimits& limits_;
  bool stream_;
  int& sessions_;
  session::Ticket requests_ = 0;
  std::uint64_t seen_version_ = 0;
  model::Message replacement_;
  session::Ticket attach_ = 0;
  session::Ticket exchange_ = 0;    ///< that goes on
  session::Ticket unanswered_ = 0;  ///< of sub, unsub, get: one at a time
  session::Inflight inflight_;
  std::deque<model::TopicProperties> declared_;  ///< all that were: effects borrow them
  Instant deadline_ = kNever;
  bool attached_ = false;
  bool waits_ = false;  // for the answer to attach
  bool closed_ = false;
  bool leaving_ = false;  // closes at the deadline
};

class LineProtocol final : public session::Protocol {
 public:
  explicit LineProtocol(session::Transport transport) : transport_(transport) {}
  [[nodiscard]] session::ProtocolId id() const override { return session::ProtocolId::kNone; }
  [[nodiscard]] std::string_view name() const override { return "lines"; }
  [[nodiscard]] std::uint16_t default_port() const override { return 1; }
  [[nodiscard]] session::Transport transport() const override { return transport_; }
  [[nodiscard]] session::Detection detect(Bytes) const override {
    return session::Detection::kMaybe;
  }
  [[nodiscard]] std::unique_ptr<session::Session> make_session(
      const session::SessionSetup& setup) const override {
    return std::make_unique<LineSession>(*setup.limits, transport_ == session::Transport::kStream,
                                         sessions_);
  }
  /// Sessions that live.
  [[nodiscard]] int sessions() const { return sessions_; }

 private:
  session::Transport transport_;
  mutable int sessions_ = 0;
};

}  // namespace hermod::broker
