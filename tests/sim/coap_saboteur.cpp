// SPDX-License-Identifier: Apache-2.0
#include "coap_saboteur.hpp"

#include "hermod/coap/codec/writer.hpp"

namespace hermod::sim {

namespace code = coap::code;
using coap::Type;

std::vector<CoapMessage> CoapSaboteur::pass(CoapMessage message, const Subject& subject) {
  if (is_swallowed(message, subject)) return {};
  const bool notifies = message.observe && message.type != Type::kAck;
  if (notifies) notifications_.try_emplace(message.token, message);
  spoil(message, subject);
  std::vector<CoapMessage> out{message};
  if (kind_ == Sabotage::kTwoAnswers && subject.answers_change) {
    out.push_back(message);
    out.back().code = message.code == code::kChanged ? code::kCreated : code::kChanged;
  }
  if (kind_ == Sabotage::kGhost && subject.over && ghost_) {
    ghost_->id ^= 0x8000u;  // one that was not seen
    out.push_back(*ghost_);
    ghost_.reset();
  }
  return out;
}

bool CoapSaboteur::is_swallowed(const CoapMessage& message, const Subject& subject) {
  if (message.type == Type::kAck && secret_.contains(message.id)) return true;
  if (kind_ == Sabotage::kLostNotification) {
    return subject.calm && message.observe && message.type != Type::kAck;
  }
  if (kind_ != Sabotage::kLostAnswer || message.token.empty()) return false;
  if (!victim_ && (subject.answers_get || subject.answers_change)) victim_ = message.token;
  return victim_ == message.token;
}

void CoapSaboteur::spoil(CoapMessage& message, const Subject& subject) {
  const bool value = message.code == code::kContent && !message.payload.empty() && subject.topic;
  const bool notifies = message.observe && message.type != Type::kAck;
  const bool next_block = value && message.block2 && message.block2->number > 0;
  switch (kind_) {
    case Sabotage::kWrongToken:
      if (!message.token.empty()) message.token.back() ^= 1;
      break;
    case Sabotage::kStaleGet:
      if (value && subject.answers_get) replace_by_earlier(message, *subject.topic);
      break;
    case Sabotage::kStaleNotification:
      if (value && notifies) replace_by_earlier(message, *subject.topic);
      break;
    case Sabotage::kRevivedValue:
      if (message.code == code::kNotFound && subject.answers_get) revive(message, *subject.topic);
      break;
    case Sabotage::kStuckSequence:
      if (notifies) message.observe = notifications_.at(message.token).observe;
      break;
    case Sabotage::kDamagedBlock:
      if (next_block) message.payload.back() ^= 1;
      break;
    case Sabotage::kNothingNew:
      if (next_block) message.etags = {"other"};
      break;
    default:
      break;
  }
}

// The first value of the same publisher.
void CoapSaboteur::replace_by_earlier(CoapMessage& message, TopicId topic) const {
  const auto label = read_payload(message.payload, ledger_.topics()[topic].name);
  const auto id = label ? ledger_.find(*label) : std::nullopt;
  if (!id) return;
  const PublicationId first = ledger_.lane(ledger_[*id].lane).transmissions.front();
  if (first == *id || ledger_[first].clears || !ledger_[first].retain) return;
  message.payload = ledger_.payload_of(first);
  message.block2.reset();
  message.etags.clear();
}

// The value that was deleted last.
void CoapSaboteur::revive(CoapMessage& message, TopicId topic) const {
  for (PublicationId id = static_cast<PublicationId>(ledger_.size()); id-- > 0;) {
    const Publication& p = ledger_[id];
    if (p.label.topic != topic || p.clears || !p.retain || p.positions.empty()) continue;
    message.code = code::kContent;
    message.payload = ledger_.payload_of(id);
    return;
  }
}

// The same PUT once more, as a new request: a broker that does not know a repetition again.
std::optional<Octets> CoapSaboteur::beside(const Octets& request) {
  if (kind_ == Sabotage::kCutBody) return cut_body(request);
  if (kind_ != Sabotage::kRepeatedPut) return std::nullopt;
  const auto view = coap::decode(request);
  if (!view || view->code != code::kPut || view->type != Type::kCon) return std::nullopt;
  coap::MessageView again = *view;
  again.message_id = static_cast<std::uint16_t>(view->message_id ^ 0x8000u);
  secret_.insert(again.message_id);
  Octets out(coap::encoded_size(again));
  coap::encode(again, out.data());
  return out;
}

// A block as if it were the last: a broker that publishes what it has got so far.
std::optional<Octets> CoapSaboteur::cut_body(const Octets& request) {
  const auto view = coap::decode(request);
  if (!view || view->type != Type::kCon) return std::nullopt;
  Octets out = request;
  for (const coap::OptionView& option : view->options) {
    if (option.number != coap::OptionNumber::kBlock1 || option.value.empty()) continue;
    const auto at = static_cast<std::size_t>(&option.value.back() - request.data());
    constexpr std::uint8_t kMore = 8;
    if ((out[at] & kMore) == 0) return std::nullopt;
    out[at] ^= kMore;
    out[2] ^= 0x80;  // of the message id
    secret_.insert(static_cast<std::uint16_t>(view->message_id ^ 0x8000u));
    return out;
  }
  return std::nullopt;
}

void CoapSaboteur::cancelled(const std::string& token) {
  const auto known = notifications_.find(token);
  if (!ghost_ && known != notifications_.end()) ghost_ = known->second;
}

}  // namespace hermod::sim
