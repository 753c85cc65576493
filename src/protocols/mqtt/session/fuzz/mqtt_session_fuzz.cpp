// SPDX-License-Identifier: Apache-2.0
// A session of either role under any octets, answers, deliveries and pauses. Whatever comes, what
// it writes is a stream of well-formed packets that its role may send, it settles what it was given
// and nothing else, asks for no more than its limit, and says nothing after it has closed.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "hermod/mqtt/codec/packet.hpp"
#include "hermod/mqtt/session/client_session.hpp"
#include "hermod/mqtt/session/server_session.hpp"
#include "hermod/testkit/host.hpp"
#include "session_ops.hpp"

namespace hermod::mqtt::fuzz {
namespace {

using model::Guarantee;
using model::Reason;
using model::Tag;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Takes the input apart; zeros when it is over.
class Choices {
 public:
  explicit Choices(Bytes bytes) : rest_(bytes) {}
  [[nodiscard]] bool over() const { return rest_.empty(); }
  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  Bytes octets(std::size_t count) {
    const Bytes out = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }
  Reason reason() { return static_cast<Reason>(octet() % (static_cast<int>(Reason::kNoRoom) + 1)); }

 private:
  Bytes rest_;
};

constexpr std::uint16_t kInflightMax = 5;
constexpr std::uint16_t kReleasedTags = 2;
constexpr Tag kResumedTags = 4;
constexpr Duration kExpiry = std::chrono::seconds{5};
constexpr std::array<std::uint32_t, 2> kSubscriptionIds{7, 300};
constexpr std::array kUserProperties{model::UserProperty{"k", std::string_view("v")}};
constexpr model::Properties kMessageProperties{
    .content_type = "text/plain", .reply_to = "r", .text = true, .user = kUserProperties};

// What an earlier connection left: two released exchanges, two that wait for their first answer.
model::Inflight left_over() {
  model::Inflight inflight;
  for (Tag tag = 1; tag <= kResumedTags; ++tag) {
    const std::uint16_t id = inflight.take(tag, Guarantee::kExactlyOnce);
    if (tag <= kReleasedTags) inflight.release(*inflight.find(id));
  }
  (void)inflight.note_incoming(1);
  return inflight;
}

session::SessionLimits limits_for(std::uint8_t setup) {
  session::SessionLimits limits;
  limits.inflight_max = kInflightMax;
  if ((setup & kTightLimits) == 0) return limits;
  limits.packet_bytes_max = 64;
  limits.connect_bytes_max = 40;
  limits.keep_alive_s_max = 10;
  limits.topic_levels_max = 3;
  limits.guarantee_max = Guarantee::kAtLeastOnce;
  return limits;
}

/// Says something, and believes whoever says as much.
class Talker final : public Authenticator {
 public:
  std::string_view method() const override { return "M"; }
  std::expected<std::string, std::string> first() override { return "first"; }
  std::expected<std::string, std::string> step(Bytes challenge) override {
    if (challenge.size() > 4) return std::unexpected("too much");
    return "step";
  }
  std::expected<void, std::string> finish(Bytes octets) override {
    if (octets.empty()) return std::unexpected("too little");
    return {};
  }
};

ClientOptions options_for(std::uint8_t setup) {
  ClientOptions options{
      .client_id = "fuzz", .clean_session = (setup & kResumed) == 0, .inflight_max = kInflightMax};
  if ((setup & kTightLimits) != 0) options.packet_bytes_max = 64;
  if ((setup & kAuthenticated) != 0) options.authenticator = std::make_shared<Talker>();
  if ((setup & kClientV5) == 0) return options;
  options.version = Version::kV5;
  options.session_expiry_s = (setup & kResumed) != 0 ? 60 : 0;
  options.receive_max = kInflightMax;
  options.topic_alias_max = 2;
  options.own_topic_alias_max = 2;
  return options;
}

class Run {
 public:
  explicit Run(std::uint8_t setup)
      : client_role_((setup & kClientRole) != 0),
        resumed_((setup & kResumed) != 0),
        limits_(limits_for(setup)),
        lent_(resumed_ ? left_over() : model::Inflight{}),
        server_(limits_),
        client_(options_for(setup), client_role_ ? std::move(lent_) : model::Inflight{}),
        version_(client_role_ ? options_for(setup).version : Version::kV311),
        host_(client_role_ ? static_cast<session::Session&>(client_) : server_, clock_) {
    host_.open();
    check();
  }

  void step(Choices& choices) {
    switch (static_cast<Step>(choices.octet() % kSteps)) {
      case Step::kOffer: {
        const std::size_t length = choices.octet();
        const Bytes octets = choices.octets(length);
        if (!greeted_) offered_.insert(offered_.end(), octets.begin(), octets.end());
        host_.offer(octets);
        break;
      }
      case Step::kAnswer:
        answer(choices.reason());
        break;
      case Step::kDeliver: {
        const std::size_t count = 1 + choices.octet() % 8;
        deliver(count, choices.octet());
        break;
      }
      case Step::kRedeliver:
        redeliver();
        break;
      case Step::kAdvance:
        host_.advance_to(clock_.now() + std::chrono::seconds(choices.octet()));
        break;
      case Step::kIntake:
        host_.set_intake(choices.octet() % 2 == 0 ? session::Intake::kRepliesOnly
                                                  : session::Intake::kEverything);
        host_.offer_again();
        break;
      case Step::kRequest:
        request(choices.octet());
        break;
      case Step::kEnd:
        host_.close(choices.reason());
        break;
    }
    check();
  }

  [[nodiscard]] bool over() const { return host_.closed(); }
  void end() {
    host_.close(Reason::kPeerClosed);
    check();
    require(!attached_, "a subscriber is not detached");
    require(written_.empty(), "half a packet was written");
  }

 private:
  void answer(Reason reason) {
    if (tickets_.empty() || host_.closed()) return;
    session::Answer answer{.ticket = tickets_.front(), .reason = reason};
    tickets_.pop_front();
    if (reason == Reason::kContinue || reason == Reason::kOk) answer.octets = as_bytes("octets");
    if (attaching_ && answer.ticket == attach_ticket_) {
      attaching_ = false;
      authenticating_ = reason == Reason::kContinue;
      attached_ = reason == Reason::kOk;
      answer.session_present = resumed_;
      answer.inflight = &lent_;
    }
    host_.answer({&answer, 1});
  }

  [[nodiscard]] bool open() const { return (attached_ || opened_) && !closing_ && !host_.closed(); }

  void deliver(std::size_t count, std::uint8_t flags) {
    const auto guarantee = static_cast<Guarantee>((flags & 3) % 3);
    const bool counted = guarantee != Guarantee::kAtMostOnce || (flags & kMixed) != 0;
    if (!open() || (counted && credit_ < count)) return;
    const std::string payload((flags & kLarge) != 0 ? 2000 : 3, 'p');
    model::Message message;
    message.destination.address = "f/z";
    message.payload = as_bytes(payload);
    if ((flags & kProperties) != 0) {
      message.properties = &kMessageProperties;
      message.expires_at = clock_.now() + kExpiry;
    }
    const model::MessageRef owned = message.own();
    std::array<model::Delivery, 8> items;
    const Tag first = next_tag_;
    for (std::size_t i = 0; i < count; ++i) {
      items[i] = {.message = &*owned, .guarantee = guarantee, .retain = (flags & kRetain) != 0};
      if ((flags & kIds) != 0) items[i].subscription_ids = kSubscriptionIds;
      if ((flags & kMixed) != 0 && i % 2 == 1) items[i].guarantee = Guarantee::kAtLeastOnce;
      const Tag tag = next_tag_++;
      if (items[i].guarantee == Guarantee::kAtMostOnce) continue;
      unsettled_[tag] = items[i].guarantee;
      --credit_;
    }
    model::EncodeSlots slots;
    host_.deliver({.items = std::span(items).first(count),
                   .first_tag = first,
                   .slots = (flags & kShared) != 0 ? &slots : nullptr});
  }

  void redeliver() {
    if (!resumed_ || redelivered_ || !open() || credit_ < kResumedTags - kReleasedTags) return;
    redelivered_ = true;
    model::Message message;
    message.destination.address = "f/z";
    std::array<model::Delivery, kResumedTags - kReleasedTags> items;
    for (std::size_t i = 0; i < items.size(); ++i) {
      items[i] = {.message = &message, .guarantee = Guarantee::kExactlyOnce, .redelivered = true};
      --credit_;
    }
    host_.deliver({.items = items, .first_tag = kReleasedTags + 1});
  }

  void request(std::uint8_t which) {
    if (!client_role_ || host_.closed()) return;
    host_.run([&](session::Effects& effects) {
      constexpr std::array kEntries{SubscribeEntry{"a/+", 1}, SubscribeEntry{"#", 2}};
      constexpr std::array<std::string_view, 2> kFilters{"a/+", "#"};
      if (which % 3 == 0) (void)client_.subscribe(kEntries, 1, clock_.now(), effects);
      if (which % 3 == 1) (void)client_.unsubscribe(kFilters, 2, clock_.now(), effects);
      if (which % 3 == 2) client_.disconnect(clock_.now(), effects);
      if (which % 7 == 6) (void)client_.reauthenticate(1, clock_.now(), effects);
    });
  }

  void check() {
    check_output();
    while (!host_.effects().empty()) {
      const session::Effect effect = std::move(host_.effects().front());
      host_.effects().pop_front();
      std::visit([this](const auto& e) { take(e); }, effect);
    }
    if (!resumed_) require(credit_ <= kInflightMax, "more credit than may be in flight");
  }

  void check_output() {
    const std::vector<std::uint8_t> more = host_.take_output();
    require(more.empty() || !silent_, "octets after the end");
    silent_ = closing_ || host_.close_wanted().has_value();
    if (client_role_) packet_bytes_max_ = client_.terms().packet_bytes_max;
    if (!greeted_ && !more.empty() && !client_role_) read_connect_offered();
    written_.insert(written_.end(), more.begin(), more.end());
    std::size_t at = 0;
    while (at < written_.size()) {
      const auto packet = read_packet(Bytes(written_).subspan(at), version_);
      if (!packet && packet.error().incomplete()) break;
      require(packet.has_value(), "a malformed packet was written");
      require(std::visit([this](const auto& p) { return may_send(p); }, packet->packet),
              "a packet that this role does not send, or too early");
      require(packet->size <= packet_bytes_max_ || std::exchange(refusing_, false),
              "a packet larger than the peer takes");
      at += packet->size;
    }
    written_.erase(written_.begin(), written_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // The version that the server answers in, and the packets that its client takes.
  void read_connect_offered() {
    const auto packet = read_packet(offered_, Version::kV311);
    if (!packet) {
      const auto code = static_cast<ReasonCode>(packet.error().code);
      const bool known = code != ReasonCode::kUnsupportedProtocolVersion;
      if (is_failure(code) && known) version_ = Version::kV5;
    } else if (const auto* connect = std::get_if<ConnectView>(&packet->packet)) {
      version_ = connect->version;
      packet_bytes_max_ = connect->properties.number_or(PropertyId::kMaximumPacketSize, UINT32_MAX);
    }
  }

  bool may_send(const ConnectView&) { return client_role_ && !std::exchange(greeted_, true); }
  bool may_send(const ConnackView& connack) {
    refusing_ = is_failure(connack.reason);  // as short as it can be said
    return !client_role_ && !std::exchange(greeted_, true);
  }
  [[nodiscard]] bool may_send(const PublishView&) const { return greeted_; }
  [[nodiscard]] bool may_send(const AckView&) const { return greeted_; }
  [[nodiscard]] bool may_send(const SubscribeView&) const { return client_role_ && greeted_; }
  [[nodiscard]] bool may_send(const UnsubscribeView&) const { return client_role_ && greeted_; }
  [[nodiscard]] bool may_send(const Pingreq&) const { return client_role_ && greeted_; }
  [[nodiscard]] bool may_send(const DisconnectView&) const {
    return greeted_ && (client_role_ || version_ == Version::kV5);
  }
  [[nodiscard]] bool may_send(const AuthView& auth) const {
    if (client_role_) return greeted_ && auth.reason != ReasonCode::kSuccess;
    const bool before = auth.reason == ReasonCode::kContinueAuthentication;
    return auth.reason != ReasonCode::kReauthenticate && (greeted_ || before);
  }
  [[nodiscard]] bool may_send(const SubackView&) const { return !client_role_ && greeted_; }
  [[nodiscard]] bool may_send(const UnsubackView&) const { return !client_role_ && greeted_; }
  [[nodiscard]] bool may_send(const Pingresp&) const { return !client_role_ && greeted_; }

  void take(const session::Attach& attach) {
    require(!client_role_ && !greeted_ && !attached_ && !attaching_, "Attach comes once");
    attaching_ = true;
    attach_ticket_ = attach.ticket;
    tickets_.push_back(attach.ticket);
  }
  void take(const session::Authenticate& again) {
    require(!client_role_, "a server asks");
    if (authenticating_) {
      require(again.method.empty() && again.ticket == attach_ticket_, "the exchange of Attach");
      attaching_ = true;
      authenticating_ = false;
    } else {
      require(attached_, "another exchange while attached");
    }
    tickets_.push_back(again.ticket);
  }
  void take(const session::Detach&) {
    require(attached_, "Detach without Attach");
    attached_ = false;
  }
  void take(const session::Publish& publish) {
    require(!publish.message.destination.address.empty(), "a topic");
    require((publish.ticket != 0) == (publish.message.guarantee != Guarantee::kAtMostOnce),
            "a ticket above QoS 0");
    if (publish.ticket != 0) tickets_.push_back(publish.ticket);
  }
  void take(const session::Subscribe& subscribe) { tickets_.push_back(subscribe.ticket); }
  void take(const session::Unsubscribe& unsubscribe) { tickets_.push_back(unsubscribe.ticket); }
  void take(const session::Credit& credit) { credit_ += credit.count; }
  void take(const session::Settle& settle) {
    credit_ += settle.credit;
    for (Tag tag = settle.first; tag <= settle.last; ++tag) {
      const bool earlier = tag <= kResumedTags && resumed_;
      require(unsettled_.erase(tag) == 1 || earlier, "a tag that was not to be settled");
    }
  }
  void take(const session::Close&) {
    require(!closing_, "Close comes once");
    closing_ = true;
  }
  void take(const session::Opened& opened) {
    require(client_role_ && !opened_, "Opened comes once");
    opened_ = opened.reason == Reason::kOk;
  }
  void take(const session::Completed& completed) {
    require(client_role_ && (completed.ticket == 1 || completed.ticket == 2), "a request's ticket");
  }
  // Lookup, Declare, Watch and their like.
  template <typename Effect>
  void take(const Effect&) {
    require(false, "an effect that MQTT has no use for");
  }

  bool client_role_;
  bool resumed_;
  session::SessionLimits limits_;
  model::Inflight lent_;
  ServerSession server_;
  ClientSession client_;
  Version version_;
  testkit::FakeClock clock_;
  testkit::Host host_;

  std::deque<session::Ticket> tickets_;
  session::Ticket attach_ticket_ = 0;
  std::vector<std::uint8_t> offered_;  // until the session has answered
  std::vector<std::uint8_t> written_;
  std::uint32_t packet_bytes_max_ = UINT32_MAX;
  bool refusing_ = false;
  std::map<Tag, Guarantee> unsettled_;
  Tag next_tag_ = kResumedTags + 1;
  std::uint64_t credit_ = 0;
  bool attaching_ = false;
  bool authenticating_ = false;  // CONNECT has been answered with a question
  bool attached_ = false;
  bool opened_ = false;
  bool greeted_ = false;
  bool closing_ = false;
  bool silent_ = false;
  bool redelivered_ = false;
};

}  // namespace
}  // namespace hermod::mqtt::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hermod::mqtt::fuzz::Choices choices({data, size});
  hermod::mqtt::fuzz::Run run(choices.octet());
  while (!choices.over() && !run.over()) run.step(choices);
  run.end();
  return 0;
}
