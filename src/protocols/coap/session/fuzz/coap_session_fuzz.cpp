// SPDX-License-Identifier: Apache-2.0
// Any sequence of datagrams, answers, deliveries and time, against either role. Whatever comes:
// what is sent is well-formed and fits its type, nothing is answered twice, a deadline that was met
// lies behind, and what a session keeps is bounded. Of a group, a server sends nothing but lists.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "hermod/base/assert.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/client_session.hpp"
#include "hermod/coap/session/resources.hpp"
#include "hermod/coap/session/server_session.hpp"
#include "session_ops.hpp"

namespace {

using namespace hermod;
using namespace hermod::coap;
using test::Op;

constexpr std::array<std::string_view, 4> kTopics{"a", "b", "c/d", "x"};
constexpr std::array<std::uint64_t, 6> kMilliseconds{0, 10, 1000, 3100, 20'000, 100'000};

// Operands, one after the other; 0 when there are no more.
class Operands {
 public:
  explicit Operands(Bytes octets) : octets_(octets) {}
  [[nodiscard]] bool empty() const { return octets_.empty(); }
  std::uint8_t next() {
    if (octets_.empty()) return 0;
    const std::uint8_t octet = octets_[0];
    octets_ = octets_.subspan(1);
    return octet;
  }
  Bytes text() {
    const std::size_t size = std::min<std::size_t>(next(), octets_.size());
    const Bytes out = octets_.first(size);
    octets_ = octets_.subspan(size);
    return out;
  }

 private:
  Bytes octets_;
};

class Wire final : public session::DatagramSink {
 public:
  std::uint8_t* reserve(std::size_t count_max) override {
    HERMOD_ASSERT(count_max <= 4096 + 64);
    room_.assign(count_max, 0);
    room_.shrink_to_fit();
    return room_.data();
  }
  void commit(std::size_t count) override {
    HERMOD_ASSERT(count <= room_.size());
    const auto message = decode({room_.data(), count});
    HERMOD_ASSERT(message && fits(message->type, message->code));
    const bool is_list = message->type == Type::kNon && message->code == code::kContent;
    HERMOD_ASSERT(!of_group || (is_list && !message->payload.empty()));  // RFC 7252 §8
    ++sent_;
    if (message->type == Type::kAck || message->type == Type::kRst) ++answered_;
    if (message->type == Type::kCon || message->type == Type::kNon) {
      ids_.push_back(message->message_id);
      if (message->code.is_request()) {
        tokens_.emplace_back(message->token.begin(), message->token.end());
      }
    }
  }
  [[nodiscard]] std::uint16_t id(std::size_t back) const {
    return back < ids_.size() ? ids_[ids_.size() - 1 - back] : static_cast<std::uint16_t>(back);
  }
  [[nodiscard]] std::vector<std::uint8_t> token(std::size_t back) const {
    return back < tokens_.size() ? tokens_[tokens_.size() - 1 - back] : std::vector<std::uint8_t>{};
  }
  bool of_group = false;
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;  // Acknowledgements and Resets

 private:
  std::vector<std::uint8_t> room_;
  std::vector<std::uint16_t> ids_;
  std::vector<std::vector<std::uint8_t>> tokens_;
};

class Run {
 public:
  Run(bool client, bool group) : is_client_(client) {
    settings_.by_multicast = wire_.of_group = group && !client;
    input([&](session::Effects& effects) { session().on_open(now_, effects); });
  }

  void step(Operands& in) {
    switch (static_cast<Op>(in.next() % static_cast<std::uint8_t>(Op::kCount))) {
      case Op::kDatagram: {
        const Bytes octets = in.text();
        return datagram({octets.begin(), octets.end()});
      }
      case Op::kMessage:
        return message(in);
      case Op::kEmpty: {
        std::vector<std::uint8_t> out(kHeaderSize);
        const auto type = static_cast<Type>(in.next() % 4);
        (void)write_head(out.data(), type, code::kEmpty, wire_.id(in.next()), {});
        return datagram(std::move(out));
      }
      case Op::kAnswer:
        return answer(in);
      case Op::kDeliver:
        return deliver(in);
      case Op::kAdvance:
        return advance(std::chrono::milliseconds{kMilliseconds[in.next() % kMilliseconds.size()]});
      case Op::kRequest:
        return request(in);
      case Op::kCancel: {
        const session::Ticket ticket = in.next();
        if (!is_client_) return;
        return input(
            [&](session::Effects& effects) { (void)client_.cancel(ticket, now_, effects); });
      }
      case Op::kRespond:
        return respond(in);
      case Op::kRespondBlock:
        return respond_block(in);
      case Op::kCount:
        return;
    }
  }

  void close() {
    input([&](session::Effects& effects) {
      session().on_close(model::Reason::kShutdown, now_, effects);
    });
    HERMOD_ASSERT(!is_client_ || client_.open() == 0);
  }

 private:
  session::Session& session() {
    return is_client_ ? static_cast<session::Session&>(client_) : server_;
  }

  template <typename Call>
  void input(Call call) {
    session::EffectList list;
    session::Effects effects({1, 1}, wire_, list);
    call(effects);
    for (const session::EffectRecord& record : list) {
      std::visit(
          [&](const auto& effect) {
            if constexpr (
                requires { effect.ticket; } &&
                (requires { effect.filter; } || requires { effect.topic; } ||
                 requires { effect.client_id; })) {
              asked_.push_back(effect.ticket);
            }
          },
          record.effect);
      if (const auto* publish = std::get_if<session::Publish>(&record.effect)) {
        HERMOD_ASSERT(!publish->message.destination.address.empty());
        if (publish->ticket != 0) asked_.push_back(publish->ticket);
      }
    }
    // what waits for answers is bounded by the limits; the test answers rarely, and forgets
    if (asked_.size() > 512) asked_.erase(asked_.begin(), asked_.begin() + 256);
  }

  void datagram(std::vector<std::uint8_t> octets) {
    const std::size_t before = wire_.answered_;
    received_.push_back(std::move(octets));
    input([&](session::Effects& effects) {
      session().on_datagram({.bytes = received_.back()}, now_, effects);
    });
    HERMOD_ASSERT(wire_.answered_ - before <= 1);  // RFC 7252 §4.2: one answer a message
  }

  void message(Operands& in) {
    using enum OptionNumber;
    std::vector<std::uint8_t> out(1024);
    const auto type = static_cast<Type>(in.next() % 4);
    const Code code{in.next()};
    const std::uint16_t id = in.next();
    const std::uint8_t token = in.next();
    BodyWriter body(write_head(out.data(), type, code, id, Bytes{&token, 1u}.first(token % 2)));
    const std::uint8_t path = in.next();
    const std::uint8_t observe = in.next();
    if (observe % 3 != 0) body.uint_option(kObserve, observe % 3 - 1u);
    if (path % 8 == 3) {
      body.option(kUriPath, ".well-known");
      body.option(kUriPath, "core");
    } else {
      for (const std::string& segment : path_of_topic(kTopics[path % kTopics.size()])) {
        body.option(kUriPath, segment);
      }
    }
    if ((path & 0x10) != 0) body.uint_option(kContentFormat, path);
    if ((path & 0x20) != 0) body.uint_option(kMaxAge, path);
    if ((path & 0x40) != 0) body.uint_option(kAccept, path & 0x10u ? path : 0u);
    body.payload(in.text());
    out.resize(static_cast<std::size_t>(body.position() - out.data()));
    datagram(std::move(out));
  }

  void answer(Operands& in) {
    const std::uint8_t which = in.next();
    const std::uint8_t reason = in.next();
    if (asked_.empty()) return;
    const std::size_t at = which % asked_.size();
    const session::Ticket ticket = asked_[at];
    if (reason < 128) asked_.erase(asked_.begin() + static_cast<std::ptrdiff_t>(at));
    model::Message value = topic_value(which, "value");
    value.version = reason;
    session::Answer answer{.ticket = ticket,
                           .reason = static_cast<model::Reason>(
                               reason % (static_cast<int>(model::Reason::kShutdown) + 1))};
    if (answer.reason == model::Reason::kOk && which % 2 == 0) answer.value = &value;
    static const std::array<model::TopicEntry, 1> kEntries{model::TopicEntry{.topic = "a"}};
    const session::TopicPage page{.topics = kEntries, .next = {}};
    if (answer.reason == model::Reason::kOk && which % 4 < 2) answer.page = &page;
    input([&](session::Effects& effects) { session().on_answers({&answer, 1}, now_, effects); });
  }

  static model::Message topic_value(std::uint8_t topic, std::string_view payload) {
    model::Message message;
    message.destination = model::Destination::topic(kTopics[topic % kTopics.size()]);
    message.payload = as_bytes(payload);
    return message;
  }

  void deliver(Operands& in) {
    const std::uint8_t topic = in.next();
    const std::uint8_t flags = in.next();
    const Bytes payload = in.text();
    static const model::Properties kJson{.content_type = "application/json"};
    model::Message message = topic_value(topic, as_text(payload));
    message.guarantee = static_cast<model::Guarantee>(flags % 3);
    message.retain = (flags & 4) != 0;
    if ((flags & 8) != 0) message.properties = &kJson;
    if ((flags & 16) != 0) message.expires_at = now_ + std::chrono::seconds{1};
    const std::string large(5000, 'x');
    if ((flags & 32) != 0) message.payload = as_bytes(large);
    const std::array<model::Delivery, 2> items{
        model::Delivery{.message = &message, .guarantee = message.guarantee},
        model::Delivery{.message = &message}};
    model::EncodeSlots slots;
    const model::DeliveryBatch batch{.items = std::span{items}.first(flags & 64 ? 2 : 1),
                                     .first_tag = 1,
                                     .slots = flags & 128 ? &slots : nullptr};
    input([&](session::Effects& effects) { session().on_deliveries(batch, now_, effects); });
  }

  void advance(Duration duration) {
    const Instant end = now_ + duration;
    for (int rounds = 0; session().next_deadline() <= end && rounds < 10'000; ++rounds) {
      now_ = std::max(now_, session().next_deadline());
      input([&](session::Effects& effects) { session().on_deadline(now_, effects); });
      HERMOD_ASSERT(session().next_deadline() > now_);
    }
    now_ = end;
  }

  void request(Operands& in) {
    const std::uint8_t method = in.next();
    const std::uint8_t topic = in.next();
    const std::uint8_t flags = in.next();
    const std::vector<std::uint8_t> payload(in.next(), 'p');
    if (!is_client_) return;
    const std::vector<std::string> path = path_of_topic(kTopics[topic % kTopics.size()]);
    const Code code = Code::of(0, 1 + method % 31u);
    const ClientRequest what{.method = code,
                             .path = path,
                             .payload = payload,
                             .confirmable = (flags & 1) != 0,
                             .observe = (flags & 2) != 0 && code == code::kGet};
    input([&](session::Effects& effects) { (void)client_.request(what, topic, now_, effects); });
    HERMOD_ASSERT(client_.open() <= client_settings_.requests_max);
  }

  void respond(Operands& in) {
    const std::uint8_t which = in.next();
    const auto type = static_cast<Type>(in.next() % 4);
    const Code code{in.next()};
    const std::uint8_t observe = in.next();
    std::vector<std::uint8_t> out(1024);
    const std::uint16_t id = type == Type::kAck ? wire_.id(which) : which;
    BodyWriter body(write_head(out.data(), type, code, id, wire_.token(which)));
    if (observe != 0) body.uint_option(OptionNumber::kObserve, observe);
    if (observe > 100) body.uint_option(OptionNumber::kContentFormat, observe);
    body.payload(in.text());
    out.resize(static_cast<std::size_t>(body.position() - out.data()));
    datagram(std::move(out));
  }

  void respond_block(Operands& in) {
    using enum OptionNumber;
    const std::uint8_t which = in.next();
    const auto type = static_cast<Type>(in.next() % 4);
    const Code code{in.next()};
    const std::uint8_t flags = in.next();
    std::vector<std::uint8_t> out(1024);
    const std::uint16_t id = type == Type::kAck ? wire_.id(which) : which;
    BodyWriter body(write_head(out.data(), type, code, id, wire_.token(which)));
    if ((flags & 1) != 0) body.uint_option(kETag, 1 + (flags >> 6));
    if ((flags & 2) != 0) body.uint_option(kObserve, ++observed_);
    if ((flags & 4) != 0) body.uint_option(kBlock2, in.next());
    if ((flags & 8) != 0) body.uint_option(kBlock1, in.next());
    if ((flags & 16) != 0) body.uint_option(kSize2, flags);
    if ((flags & 32) != 0) body.uint_option(kEcho, 1 + (flags >> 6));
    body.payload(in.text());
    out.resize(static_cast<std::size_t>(body.position() - out.data()));
    datagram(std::move(out));
  }

  bool is_client_;
  Settings settings_{.requests_max = 8,
                     .confirmables_waiting_max = 4,
                     .seen_max = 16,
                     .observations_max = 4,
                     .observations_unproven_max = 2,
                     .unconfirmed_max = 3};
  session::SessionLimits limits_{.packet_bytes_max = 200};
  // small blocks and bodies, so that their limits are met
  ClientSettings client_settings_{.requests_max = 8, .block_exponent = 0, .body_bytes_max = 128};
  std::uint32_t observed_ = 0;
  SeededRng rng_{1};
  ServerSession server_{settings_, {.limits = &limits_, .rng = &rng_}};
  ClientSession client_{client_settings_, rng_};
  Wire wire_;
  Instant now_{std::chrono::hours{1}};
  std::vector<session::Ticket> asked_;
  std::vector<std::vector<std::uint8_t>> received_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Operands in({data, size});
  const std::uint8_t role = in.next();
  Run run((role & 1) != 0, (role & 2) != 0);
  for (int steps = 0; !in.empty() && steps < 200; ++steps) run.step(in);
  run.close();
  return 0;
}
