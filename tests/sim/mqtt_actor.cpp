// SPDX-License-Identifier: Apache-2.0
// The connection of a simulated client and what comes and goes on it.
#include "mqtt_actor.hpp"

#include <algorithm>

namespace hermod::sim {

using model::Guarantee;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Will = Publication::Will;

namespace {

constexpr transport::Token kLink = 1;
constexpr std::string_view kMark = "sequence";  // the name of the user property

// What the producer has written beside the payload; empty when nothing.
std::string mark_of(const model::Message& message) {
  if (message.properties == nullptr) return {};
  const auto user = message.properties->user;
  if (user.size() != 1 || user[0].name != kMark) return "another property";
  const auto* text = std::get_if<std::string_view>(&user[0].value);
  return text != nullptr ? std::string{*text} : "no text";
}
// Numbers of connections: the client's own, with the client in front.
constexpr std::uint32_t kConnectionsPerClient = 10'000;
constexpr std::size_t kPastWillsMax = 64;

}  // namespace

MqttActor::MqttActor(World& world, Ledger& ledger, Jury& jury, MqttPlan plan, std::uint64_t seed)
    : world_(world),
      ledger_(ledger),
      jury_(jury),
      plan_(std::move(plan)),
      rng_(seed),
      reader_(plan_.name, ledger, world.trace(), world.shards(),
              seconds{30} * world.options().pauses),
      saboteur_(world.options().sabotage, ledger, [this](const Arrival& a) { hear(a); }),
      poller_(world.network()) {
  world.add(*this);
  jury.add(reader_);
  if (!plan_.group.empty()) reader_.share();
  if (world.kept() != nullptr) reader_.outlive_stops();
}

// --- Task ---

Instant MqttActor::due() const {
  const Instant now = world_.now();
  if (frozen_until_ > now) return frozen_until_;
  const bool over = link_ && link_->end() != MqttLink::End::kNone;
  if (kick_ || over || poller_.ready()) return Instant{};
  Instant due = link_ ? link_->due() : connect_at_;
  if (!unanswered_.empty()) due = std::min(due, answer_at_);
  for (const OldLink& old : old_links_) due = std::min(due, old.until);
  return due;
}

void MqttActor::run(Instant now) {
  if (frozen_until_ > now) return;
  kick_ = false;
  (void)poller_.wait(Duration::zero());  // there is one stream at most: look at it
  std::erase_if(old_links_, [now](const OldLink& old) { return old.until <= now; });
  if (!link_) {
    if (connect_at_ <= now) connect(now);
    return;
  }
  link_->on_ready(now);
  if (link_->odd_packets() > 0) {
    world_.trace().violation(now, "{}: QoS 0 with DUP [MQTT-3.3.1-2]", plan_.name);
  }
  subscribe_wanted();
  answer_some(now);
  send_outgoing(now);
  if (stage_ == Stage::kWiping && open_) link_->disconnect(now);
  if (link_->end() != MqttLink::End::kNone) lose_link(now);
}

void MqttActor::start() {
  stage_ = Stage::kRunning;
  connect_at_ = world_.now();
}

// --- begin and end ---

mqtt::ClientOptions MqttActor::client_options(bool clean) {
  mqtt::ClientOptions options{.client_id = plan_.name,
                              .clean_session = clean,
                              .keep_alive_s = world_.options().keep_alive_s,
                              .inflight_max = world_.options().session.inflight_max};
  options.version = plan_.version;
  if (plan_.version == mqtt::Version::kV5) {
    options.session_expiry_s = clean ? 0 : UINT32_MAX;
    options.receive_max = plan_.receive_max;
    options.topic_alias_max = plan_.alias_max;
    options.own_topic_alias_max = plan_.own_alias_max;
  }
  will_.reset();
  const bool wanted = stage_ == Stage::kRunning && !calm_ && plan_.will &&
                      chance(rng_, world_.options().will_permille);
  if (!wanted) return options;
  const auto guarantee = static_cast<Guarantee>(rng_.below(3));
  will_ = ledger_.draft_will({.producer = plan_.producer,
                              .topic = *plan_.will,
                              .guarantee = guarantee,
                              .retain = plan_.retain_will,
                              .size = between(rng_, kPayloadMin, 100)},
                             connection_, world_.moment());
  options.will = {.topic = ledger_.topics()[*plan_.will].name,
                  .payload = ledger_.payload_of(*will_),
                  .guarantee = guarantee,
                  .retain = plan_.retain_will};
  return options;
}

void MqttActor::connect(Instant now) {
  connect_at_ = kNever;
  connection_ = plan_.producer * kConnectionsPerClient + ++connections_;
  clean_ = stage_ == Stage::kWiping || !plan_.lasting;
  held_before_ = held_;
  stopped_.reset();
  // CONNECT may be obeyed even if its answer never comes.
  if (clean_ ? held_ == Held::kYes : held_ == Held::kNo) held_ = Held::kMaybe;
  if (world_.options().sabotage == Sabotage::kForgottenSession) inflight_ = {};
  auto stream = world_.network().connect(world_.mqtt_address());
  (void)poller_.add(*stream, kLink);
  world_.trace().note(now, "connect", {{"client", connection_}, {"clean", clean_}});
  link_ = std::make_unique<MqttLink>(std::move(stream), client_options(clean_),
                                     std::move(inflight_), *this);
  if (plan_.slow_reader && !calm_) {
    const auto octets = between(rng_, 10, 200);
    link_->read_slowly(octets, between(rng_, milliseconds{1}, milliseconds{200}));
  }
  link_->open(now);
}

void MqttActor::on_opened(const session::Opened& opened) {
  const Instant now = world_.now();
  if (opened.reason != model::Reason::kOk) return;
  world_.trace().note(now, "opened",
                      {{"client", connection_}, {"present", opened.session_present}});
  check_session_present(opened.session_present, now);
  held_ = clean_ ? Held::kNo : stopped_ ? Held::kMaybe : Held::kYes;
  open_ = true;
  opened_at_ = now;
  if (!opened.session_present) session_since_ = now;
  reader_.opened(!clean_, !opened.session_present, connection_, world_.moment());
  if (!opened.session_present) {
    for (Outgoing& out : outgoing_) {  // the broker has never heard of them
      if (out.again) ledger_[out.id].renewed = true;
      out.again = false;
    }
  }
  if (stage_ == Stage::kRunning && !opened.session_present) choose_subscriptions();
}

// A session is there when it was begun, was not wiped, and has not been alone for too long.
void MqttActor::check_session_present(bool present, Instant now) {
  const std::uint32_t expiry_s = world_.settings().core.expiry_s_max;
  Held expected = clean_ ? Held::kNo : held_before_;
  if (expected == Held::kYes && expiry_s != UINT32_MAX) {
    const auto patience = milliseconds{1500} * world_.options().keep_alive_s + seconds{30} +
                          seconds{30} * world_.options().pauses;
    const Duration expiry = seconds{expiry_s};
    if (now - opened_at_ >= expiry) {
      expected = now - ended_at_ > expiry + patience ? Held::kNo : Held::kMaybe;
    }
  }
  if (expected == Held::kMaybe && present) reader_.doubt(world_.moment());
  if (expected == Held::kMaybe || present == (expected == Held::kYes)) return;
  world_.trace().violation(now, "{}: session present is {}, should be {}", plan_.name, present,
                           !present);
}

// The connection is over for this side. Gives the link back: who connects twice leaves it open.
std::unique_ptr<MqttLink> MqttActor::lose_link(Instant now) {
  const MqttLink::End end = link_->end();
  world_.trace().note(now, "ended",
                      {{"client", connection_}, {"goodbye", end == MqttLink::End::kGoodbye}});
  settle_will(end);
  inflight_ = link_->take_inflight();
  open_ = false;
  ended_at_ = now;
  reader_.ended();
  credit_ = 0;
  unanswered_.clear();
  for (Outgoing& out : outgoing_) {
    out.settled = out.settled || (out.taken && clean_);  // nobody knows, nobody asks
    out.again = out.again || out.taken;
    out.taken = false;
  }
  forget_settled();
  if (stage_ == Stage::kWiping && end == MqttLink::End::kGoodbye && clean_) {
    stage_ = Stage::kRetired;
  } else {
    const Duration most = calm_ ? milliseconds{100} : milliseconds{4'000};
    connect_at_ = now + between(rng_, Duration{0}, most);
  }
  return std::move(link_);
}

// Only from the front: the others' tags must not move.
void MqttActor::forget_settled() {
  while (!outgoing_.empty() && outgoing_.front().settled) {
    outgoing_.pop_front();
    ++first_tag_;
  }
}

void MqttActor::settle_will(MqttLink::End end) {
  if (!will_) return;
  Will& will = ledger_[*will_].will;
  // A CONNECT that overtakes a DISCONNECT takes the session over first.
  const bool raced = std::ranges::any_of(old_links_, &OldLink::unanswered);
  past_wills_.push_back({*will_, open_ ? opened_at_ : kNever, world_.now()});
  if (past_wills_.size() > kPastWillsMax) past_wills_.pop_front();
  // A publication that cannot be kept may have ended the connection before the DISCONNECT came.
  const Kept& kept = world_.options().kept;
  const bool refused =
      kept.fills + kept.seals > 0 &&
      std::ranges::any_of(outgoing_, [](const Outgoing& out) { return out.taken && !out.settled; });
  if (end == MqttLink::End::kGoodbye && refused) {
    will = Will::kUnclear;
  } else if (end == MqttLink::End::kGoodbye && !raced) {
    will = Will::kForbidden;
  } else if (!open_ || link_->said_goodbye()) {
    will = Will::kUnclear;
  } else if (world_.options().sabotage == Sabotage::kFalseGoodbye) {
    will = Will::kForbidden;
  } else {
    will = Will::kDue;
  }
  will_.reset();
  if (stopped_) judge_will_anew(past_wills_.back(), *stopped_);
}

// --- effects ---

void MqttActor::on_effect(session::Effect& effect) {
  if (const auto* opened = std::get_if<session::Opened>(&effect)) return on_opened(*opened);
  if (const auto* publish = std::get_if<session::Publish>(&effect)) return on_publish(*publish);
  if (const auto* completed = std::get_if<session::Completed>(&effect)) {
    return on_completed(*completed);
  }
  if (const auto* credit = std::get_if<session::Credit>(&effect)) {
    credit_ += credit->count;
    return;
  }
  if (const auto* settle = std::get_if<session::Settle>(&effect)) {
    credit_ += settle->credit;
    for (model::Tag tag = settle->first; tag <= settle->last; ++tag) {
      Outgoing& out = outgoing_[tag - first_tag_];
      out.settled = true;
      if (settle->outcome == model::Outcome::kReject) continue;
      ledger_.accepted(out.id, world_.moment());
      world_.trace().note(world_.now(), "accepted", {{"client", connection_}, {"message", out.id}});
      jury_.acknowledged(out.id, world_.owner_of(plan_.name));
    }
    forget_settled();
  }
}

void MqttActor::on_publish(const session::Publish& publish) {
  Arrival arrival{.topic = std::string{publish.message.destination.address},
                  .payload = {publish.message.payload.begin(), publish.message.payload.end()},
                  .guarantee = publish.message.guarantee,
                  .retain = publish.message.retain,
                  .dup = link_->dup_of(publish.ticket)};
  if (plan_.version == mqtt::Version::kV5) arrival.mark = mark_of(publish.message);
  ++received_;
  saboteur_.pass(std::move(arrival), reader_.grants());
  if (publish.ticket == 0) return;
  if (world_.options().sabotage == Sabotage::kForgottenAck && !forgot_) {
    forgot_ = true;
    return;
  }
  if (unanswered_.empty()) {
    const bool slow = plan_.slow_answers && !calm_;
    const Duration most = slow ? milliseconds{500} : milliseconds{0};
    answer_at_ = world_.now() + between(rng_, Duration{0}, most);
  }
  unanswered_.push_back(publish.ticket);
}

void MqttActor::hear(const Arrival& arrival) {
  reader_.received(arrival, world_.moment());
  if (!arrival.retain) return;
  const auto label = read_payload(arrival.payload, arrival.topic);
  if (const auto id = label ? ledger_.find(*label) : std::nullopt) {
    retained_[label->topic] = *id;
  }
}

// Acknowledges the oldest messages, some or all of them.
void MqttActor::answer_some(Instant now) {
  if (unanswered_.empty() || answer_at_ > now || !open_) return;
  const std::size_t count = calm_ ? unanswered_.size() : between(rng_, 1, unanswered_.size());
  const auto end = unanswered_.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<session::Ticket> tickets(unanswered_.begin(), end);
  unanswered_.erase(unanswered_.begin(), end);
  answer_at_ = now;
  link_->answer(tickets, now);
}

void MqttActor::on_completed(const session::Completed& completed) {
  const auto found = requests_.find(completed.ticket);
  if (found == requests_.end()) return;
  const Request request = std::move(found->second);
  requests_.erase(found);
  const Instant now = world_.now();
  // MQTT 5 tells whether there was a subscription to end.
  const bool ok = completed.reason == model::Reason::kOk ||
                  (!request.grant && completed.reason == model::Reason::kNotFound);
  world_.trace().note(now, request.grant ? "suback" : "unsuback",
                      {{"client", connection_}, {"ok", ok}});
  if (!request.grant) {
    if (ok) reader_.left(request.filter, request.before, world_.moment());
  } else if (ok) {
    reader_.granted(*request.grant, completed.granted, world_.moment());
  } else if (completed.code != 0) {
    const core::Limits& limits = world_.settings().core;
    if (limits.subscriptions_max >= 100) {
      world_.trace().violation(now, "{}: refused '{}'", plan_.name, request.filter);
    }
    reader_.refused(*request.grant, world_.moment());
  }
}

// --- sending ---

void MqttActor::send_outgoing(Instant now) {
  while (open_ && link_->end() == MqttLink::End::kNone && !link_->said_goodbye()) {
    if (!send_batch(now)) return;
  }
}

// The next messages in order, as far as credit goes. False when there was none to send.
bool MqttActor::send_batch(Instant now) {
  std::size_t at = 0;
  while (at < outgoing_.size() && (outgoing_[at].taken || outgoing_[at].settled)) ++at;
  const model::Tag first = first_tag_ + at;
  const std::size_t most = between(rng_, 1, 16);
  std::vector<std::vector<std::uint8_t>> payloads;
  std::vector<model::Message> messages;
  std::vector<model::Delivery> items;
  std::deque<mqtt::MessageProperties> marks;
  std::deque<mqtt::HubProperties> properties;  // borrowed from marks
  payloads.reserve(most);
  messages.reserve(most);
  for (; at < outgoing_.size() && items.size() < most && !outgoing_[at].settled; ++at) {
    Outgoing& out = outgoing_[at];
    const Publication& publication = ledger_[out.id];
    const bool counted = publication.guarantee != Guarantee::kAtMostOnce;
    if (counted && credit_ == 0) break;
    if (counted) --credit_;
    payloads.push_back(ledger_.payload_of(out.id));
    messages.push_back(
        {.destination = model::Destination::topic(ledger_.topics()[publication.label.topic].name),
         .payload = payloads.back(),
         .guarantee = publication.guarantee,
         .retain = publication.retain});
    if (plan_.version == mqtt::Version::kV5) {
      marks.push_back({.user = {{std::string{kMark}, fmt::to_string(publication.label.sequence)}}});
      properties.emplace_back(marks.back());
      messages.back().properties = properties.back().get();
      ledger_[out.id].marked = true;
    }
    items.push_back({.message = &messages.back(),
                     .guarantee = publication.guarantee,
                     .retain = publication.retain,
                     .redelivered = out.again});
    out.taken = true;
    out.settled = !counted;
    ledger_.transmitted(out.id, connection_, world_.moment());
    world_.trace().note(now, "publish", {{"client", connection_}, {"message", out.id}});
    world_.trace().remark("{} on '{}' at level {}", publication.label.sequence,
                          ledger_.topics()[publication.label.topic].name,
                          static_cast<unsigned>(publication.guarantee));
  }
  if (items.empty()) return false;
  link_->deliver({.items = items, .first_tag = first}, now);
  forget_settled();
  return true;
}

bool MqttActor::settled() const {
  return stage_ != Stage::kRunning ||
         (open_ && outgoing_.empty() && requests_.empty() && unanswered_.empty() &&
          wanted_.empty() && old_links_.empty() && link_->idle());
}

std::string MqttActor::state() const {
  return fmt::format("{}: {}, {} to send, {} requests, {} to acknowledge", plan_.name,
                     open_ ? "connected" : "not connected", outgoing_.size(), requests_.size(),
                     unanswered_.size());
}

}  // namespace hermod::sim
