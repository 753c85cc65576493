// SPDX-License-Identifier: Apache-2.0
// What a simulated CoAP client knows of bodies in blocks (RFC 7959), of Echo and Request-Tag
// (RFC 9175). Each block that comes is compared with what the publisher of the value made.
#include <algorithm>

#include "coap_actor.hpp"

namespace hermod::sim {

namespace code = coap::code;
using coap::Block;

namespace {
constexpr std::size_t kBlocksMax = 200;  // of a body that is sent
constexpr unsigned kBeginningsMax = 10;  // of one transfer
constexpr std::uint8_t kLeastAsked = 3;  // 128 octets

Block next_of(const Block& block) {
  return {.number = block.number + 1, .size_exponent = block.size_exponent};
}
}  // namespace

// The next message of what `before` was one of.
void CoapActor::go_on(Exchange& before, std::optional<Block> block, Instant now) {
  const bool same_token =
      before.request.aim == Aim::kRegister || before.request.aim == Aim::kCancel;
  Exchange& exchange = add_exchange(before.request, same_token ? before.token : "");
  exchange.publication = before.publication;
  exchange.transfer = before.transfer;
  exchange.etags = before.etags;
  exchange.echo = before.echo;
  exchange.block = block;
  transmit(exchange, now);
}

// RFC 9175 §2.3: the same request once more, with what came. A server asks so for safe methods, and
// is satisfied with what it has given out.
bool CoapActor::on_challenge(Exchange& exchange, const CoapMessage& message, Instant now) {
  if (message.code != code::kUnauthorized) return false;
  const Options& options = world_.options();
  if (message.echo.empty() || exchange.publication || options.coap.amplification_max == 0) {
    object("message {} was answered 4.01", exchange.id);
    return true;
  }
  if (exchange.echo == message.echo) {
    object("asked again for the Echo that message {} has brought", exchange.id);
    return true;
  }
  ++counts_.challenged;
  exchange.echo = message.echo;
  go_on(exchange, exchange.block, now);
  return true;
}

// The whole of what an unproven address is sent is within the factor (RFC 9175 §2.3). A request
// that the network has repeated counts twice at the broker.
void CoapActor::check_amplification(std::size_t octets) {
  octets_in_ += octets;
  const Options& options = world_.options();
  if (proven_ || options.coap.amplification_max == 0) return;
  if (options.network.duplicate_permille > 0) return;
  const bool tight = options.sabotage == Sabotage::kTightLimits;
  if (octets_in_ <= (tight ? 1 : options.coap.amplification_max) * octets_out_) return;
  object("amplified: {} octets came, {} went", octets_in_, octets_out_);
}

// --- Block1 ---

// How a request begins: a body in blocks of which size, or a wish for small ones.
void CoapActor::choose_blocks(Exchange& exchange) {
  const Request& request = exchange.request;
  if (request.aim == Aim::kGet || request.aim == Aim::kRegister) {
    if (!chance(rng_, 250)) return;
    exchange.block = Block{.size_exponent = static_cast<std::uint8_t>(
                               between(rng_, kLeastAsked, Block::kExponentMax))};
  }
  if (request.aim != Aim::kPut) return;
  auto exponent = static_cast<std::uint8_t>(chance(rng_, 700) ? Block::kExponentMax
                                                              : rng_.below(Block::kExponentMax));
  while (request.size >> (exponent + 4) > kBlocksMax) ++exponent;
  const Block first{.more = true, .size_exponent = exponent};
  if (request.size <= first.size()) return;
  exchange.block = first;
  exchange.transfer = std::make_shared<Transfer>();
  exchange.transfer->says_size = chance(rng_, 500);
  if (chance(rng_, 500)) exchange.transfer->request_tag = fmt::to_string(exchange.id);
}

// A body acts when its last block comes, and not before: so long it is not published.
void CoapActor::compose_change(Exchange& exchange, CoapMessage& message) {
  const Request& request = exchange.request;
  const bool put = request.aim == Aim::kPut;
  message.code = put ? code::kPut : code::kDelete;
  if (!exchange.publication) {
    const auto guarantee =
        request.confirmable ? model::Guarantee::kAtLeastOnce : model::Guarantee::kAtMostOnce;
    exchange.publication = ledger_.draft({.producer = producer_,
                                          .topic = request.topic,
                                          .guarantee = guarantee,
                                          .retain = true,
                                          .size = request.size});
    world_.trace().remark("publication {}, {} octets", *exchange.publication, request.size);
  }
  const PublicationId id = *exchange.publication;
  if (!exchange.block) {
    message.payload = ledger_.payload_of(id);
    return ledger_.transmitted(id, producer_, exchange.begun);
  }
  Transfer& transfer = *exchange.transfer;
  if (transfer.body.empty()) transfer.body = ledger_.payload_of(id);
  Block& block = *exchange.block;
  const std::size_t end = std::min(block.offset() + block.size(), transfer.body.size());
  block.more = end < transfer.body.size();
  const auto at = [&](std::size_t offset) {
    return transfer.body.begin() + static_cast<std::ptrdiff_t>(offset);
  };
  message.payload.assign(at(block.offset()), at(end));
  message.block1 = block;
  message.request_tag = transfer.request_tag;
  if (block.number == 0 && transfer.says_size) {
    message.size1 = static_cast<std::uint32_t>(transfer.body.size());
  }
  if (!block.more && ledger_[id].positions.empty()) {
    ledger_.transmitted(id, producer_, exchange.begun);
  }
}

// True when the answer to a block is not that to the whole.
bool CoapActor::on_block_taken(Exchange& exchange, const CoapMessage& message, Instant now) {
  check_body_size(exchange, message.code);
  if (message.code == code::kRequestEntityTooLarge) {
    ++counts_.too_large;
    return true;
  }
  if (!exchange.block) return false;
  if (exchange.given_up && exchange.block->more) return true;  // a later body has begun
  if (message.code == code::kRequestEntityIncomplete) {
    begin_body_again(exchange, now);
    return true;
  }
  if (message.block1 != exchange.block) {  // RFC 7959 §2.3
    object("a block was answered {}, without its Block1", to_string(message.code));
  }
  if (!exchange.block->more) return false;
  if (message.code != code::kContinue) {
    object("a block that is not the last was answered {}", to_string(message.code));
    return true;
  }
  go_on(exchange, next_of(*exchange.block), now);
  return true;
}

// RFC 7959 §2.9.2. Nobody but a network that loses or repeats can be the reason.
void CoapActor::begin_body_again(Exchange& exchange, Instant now) {
  ++counts_.begun_again;
  if (exchange.reliable && exchange.request.confirmable) {
    object("a body without a gap was answered 4.08");
  }
  if (++exchange.transfer->beginnings > kBeginningsMax) return;
  go_on(exchange, Block{.more = true, .size_exponent = exchange.block->size_exponent}, now);
}

void CoapActor::check_body_size(const Exchange& exchange, coap::Code code) {
  const std::size_t most = world_.options().session.packet_bytes_max;
  const bool refused = code == code::kRequestEntityTooLarge;
  const bool done = code == code::kCreated || code == code::kChanged;
  if ((refused && exchange.request.size <= most) || (done && exchange.request.size > most)) {
    object("a body of {} octets was answered {}, {} are allowed", exchange.request.size,
           to_string(code), most);
  }
}

// --- Block2 ---

// False when the answer is a whole one, as if there were no blocks.
bool CoapActor::on_part(Exchange& exchange, const CoapMessage& message, Instant now) {
  if (message.observe) object("Observe in the answer to a GET");
  if (exchange.block && exchange.block->number > 0) {
    on_next_part(exchange, message, now);
    return true;
  }
  const auto known = exchange.transfer ? exchange.transfer->changed : std::string{};
  if (!known.empty() && !message.etags.empty() && message.etags.front() == known) {
    object("'{}' was said to have changed, and has not",
           ledger_.topics()[exchange.request.topic].name);
  }
  return on_first_part(exchange, message, now);
}

bool CoapActor::on_first_part(Exchange& exchange, const CoapMessage& message, Instant now) {
  if (message.code != code::kContent || !message.block2 || !message.block2->more) return false;
  if (exchange.block && message.block2->size_exponent > exchange.block->size_exponent) {
    object("a block of {} octets, larger than asked for", message.block2->size());
  }
  const auto value = value_of(exchange.request.topic, message, now);
  if (!value) return true;
  if (message.etags.empty()) {
    object("a block without an ETag");
    return true;
  }
  if (!exchange.transfer) exchange.transfer = std::make_shared<Transfer>();
  Transfer& transfer = *exchange.transfer;
  transfer.value = *value;
  transfer.body = ledger_.payload_of(value->id);
  transfer.etag = message.etags.front();
  add_read(exchange, *value);
  go_on(exchange, next_of(*message.block2), now);
  return true;
}

// The ETag tells whether a block belongs to those before it (RFC 7959 §2.4).
void CoapActor::on_next_part(Exchange& exchange, const CoapMessage& message, Instant now) {
  const Transfer& transfer = *exchange.transfer;
  const std::string& name = ledger_.topics()[exchange.request.topic].name;
  if (message.code == code::kNotFound) {  // cleared meanwhile
    add_read(exchange, Value{});
    found_[exchange.request.topic] = Value{};
    if (exchange.request.aim == Aim::kFetch) end_fetch(exchange);
    return;
  }
  if (message.code == code::kBadRequest) return on_changed(exchange, now);  // shorter than that
  if (message.code != code::kContent) {
    return object("a block of '{}' was answered {}", name, to_string(message.code));
  }
  if (message.etags.empty() || message.etags.front() != transfer.etag) {
    return on_changed(exchange, now);
  }
  const Octets& body = transfer.body;
  const std::size_t offset = exchange.block->offset();
  const bool fits = message.block2 && message.block2->offset() == offset &&
                    message.block2->size_exponent <= exchange.block->size_exponent &&
                    offset + message.payload.size() <= body.size();
  const bool ends = fits && offset + message.payload.size() == body.size();
  if (!fits || message.block2->more == ends ||
      (!ends && message.payload.size() != message.block2->size()) ||
      !std::equal(message.payload.begin(), message.payload.end(),
                  body.begin() + static_cast<std::ptrdiff_t>(offset))) {
    return object("corrupted: a block of '{}' that does not belong to the others", name);
  }
  add_read(exchange, transfer.value);
  if (ends) return on_complete(exchange);
  go_on(exchange, next_of(*message.block2), now);
}

// Another value has taken the place of the one that was being read.
void CoapActor::on_changed(Exchange& exchange, Instant now) {
  ++counts_.changed;
  if (exchange.request.aim == Aim::kFetch) return end_fetch(exchange);
  Transfer& transfer = *exchange.transfer;
  transfer.changed = transfer.etag;
  if (++transfer.beginnings <= kBeginningsMax) go_on(exchange, std::nullopt, now);
}

void CoapActor::on_complete(Exchange& exchange) {
  const Transfer& transfer = *exchange.transfer;
  const TopicId topic = exchange.request.topic;
  const bool fetches = exchange.request.aim == Aim::kFetch;
  ++counts_.bodies_read;
  if (ledger_[transfer.value.id].retain) {
    found_[topic] = transfer.value;
    etags_.insert_or_assign(topic, std::pair{transfer.etag, transfer.value});
  } else if (!fetches) {  // of what was notified the rest is kept for a while, retained or not
    return object("GET brought what is not retained: {}", describe(ledger_, transfer.value));
  }
  if (!fetches) return;
  Observation& observation = observations_.at(exchange.request.token);
  if (observation.etag == transfer.etag && !observation.whole) {
    observation.whole = true;
    ++counts_.bodies_told;
  }
  end_fetch(exchange);
}

// --- notifications of large values ---

// What the newest notification has brought: everything, or a block (RFC 7959 §2.6).
void CoapActor::hold(const std::string& token, Observation& observation,
                     const CoapMessage& message) {
  if (!message.block2 || !message.block2->more) {
    observation.whole = true;
    observation.etag.clear();
    return;
  }
  if (message.etags.empty()) return object("a notification of a block without an ETag");
  if (observation.etag != message.etags.front()) observation.whole = false;
  observation.etag = message.etags.front();
  observation.block_size = message.block2->size();
  if (!observation.whole) plan_fetch(token, observation, by_chance_confirmable());
}

void CoapActor::plan_fetch(const std::string& token, Observation& observation, bool confirmable) {
  if (world_.options().sabotage == Sabotage::kForgottenFetch) return;
  if (observation.fetching || observation.state != Observation::State::kActive) return;
  observation.fetching = true;
  plan({.aim = Aim::kFetch,
        .topic = observation.observer.topic(),
        .confirmable = confirmable,
        .token = token});
}

// False when there is nothing to fetch any more.
bool CoapActor::start_fetch(Exchange& exchange) {
  Observation& observation = observations_.at(exchange.request.token);
  const std::optional<Value>& value = observation.observer.value();
  if (observation.whole || observation.state != Observation::State::kActive || !value ||
      value->kind != Value::Kind::kMessage) {
    observation.fetching = false;
    return false;
  }
  exchange.transfer = std::make_shared<Transfer>(
      Transfer{.body = ledger_.payload_of(value->id), .value = *value, .etag = observation.etag});
  exchange.block = next_of(Block{.size_exponent = coap::size_exponent_for(observation.block_size)});
  return true;
}

// However it ended. What a newer notification has told is fetched next; what was lost, once more,
// and what cannot be had like that, by asking anew.
void CoapActor::end_fetch(const Exchange& exchange) {
  Observation& observation = observations_.at(exchange.request.token);
  observation.fetching = false;
  if (observation.whole || observation.state != Observation::State::kActive) return;
  if (observation.etag != exchange.transfer->etag) {
    plan_fetch(exchange.request.token, observation, by_chance_confirmable());
  } else if (!exchange.code && !exchange.request.confirmable) {
    plan_fetch(exchange.request.token, observation, true);
  } else if (!exchange.code) {
    observation.fresh_until = world_.now();
  }
}

}  // namespace hermod::sim
