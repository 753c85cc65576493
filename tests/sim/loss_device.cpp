// SPDX-License-Identifier: Apache-2.0
#include "loss_device.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "hermod/coap/session/resources.hpp"

namespace hermod::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr transport::Token kSocket = 1;
constexpr unsigned kHeldBackPermille = 100;

coap::ClientSettings settings_for(LossFault fault) {
  coap::ClientSettings settings{.response_timeout = seconds{4}};
  if (fault == LossFault::kFewerRepeats) settings.transmission.max_retransmit = 3;
  if (fault == LossFault::kSteadyPauses) settings.transmission.ack_random_factor = 1.0;
  return settings;
}

PathManners manners_for(PathManners manners, LossFault fault) {
  if (fault == LossFault::kMoreLoss) manners.loss_permille += 20;
  return manners;
}

}  // namespace

LossDevice::LossDevice(World& world, std::string name, const PathManners& manners, LossFault fault,
                       unsigned requests, std::uint64_t seed)
    : world_(world),
      path_(coap::path_of_topic("loss/" + name)),
      fault_(fault),
      rng_(seed),
      settings_(settings_for(fault)),
      session_(settings_, rng_),
      up_(manners_for(manners, fault), rng_.next()),
      down_(manners_for(manners, fault), rng_.next()),
      poller_(world.network()),
      start_at_(world.now()) {
  for (unsigned i = 0; i < 2 * requests; ++i) {
    requests_.push_back({.payload = fmt::format("{}/{}", name, i), .confirmable = i % 2 == 0});
  }
  socket_ = std::move(world_.network().bind(*transport::Address::literal("127.0.0.1", 0)).value());
  (void)poller_.add(*socket_, kSocket);
  with_session([&](session::Effects& effects) { session_.on_open(world_.now(), effects); });
  world_.add(*this);
}

Instant LossDevice::due() const {
  if (poller_.ready()) return Instant{};
  const Instant next = under_way_ || done() ? kNever : start_at_;
  return std::min({next, session_.next_deadline(), up_.due(), down_.due()});
}

void LossDevice::run(Instant now) {
  (void)poller_.wait(Duration::zero());
  carry(now);
  if (session_.next_deadline() <= now) {
    with_session([&](session::Effects& effects) { session_.on_deadline(now, effects); });
  }
  if (!under_way_ && !done() && start_at_ <= now) start_next(now);
  socket_->flush();
}

// Both paths: what has arrived goes on, and what the broker sent sets out.
void LossDevice::carry(Instant now) {
  while (const auto datagram = up_.receive(now)) put(*datagram);
  for (bool more = true; more;) {
    const auto batch = socket_->receive();
    for (const transport::Datagram& datagram : batch) {
      (void)down_.send({datagram.bytes.begin(), datagram.bytes.end()}, now);
    }
    more = batch.size() == transport::DatagramSocket::kBatch;
  }
  while (const auto datagram = down_.receive(now)) {
    with_session([&](session::Effects& effects) {
      session_.on_datagram({.bytes = *datagram}, now, effects);
    });
  }
}

void LossDevice::put(const Octets& datagram) {
  std::uint8_t* out = socket_->reserve(datagram.size());
  std::memcpy(out, datagram.data(), datagram.size());
  if (fault_ == LossFault::kTwoIds && last_put_ == datagram) out[2] ^= 0x80;
  socket_->commit(datagram.size(), world_.coap_address());
  last_put_ = datagram;
}

void LossDevice::start_next(Instant now) {
  LossRequest& request = requests_[current_];
  under_way_ = true;
  request.begun = now;
  with_session([&](session::Effects& effects) {
    const bool taken = session_.request({.method = coap::code::kPut,
                                         .path = path_,
                                         .payload = as_bytes(request.payload),
                                         .confirmable = request.confirmable},
                                        current_, now, effects);
    if (!taken) world_.trace().violation(now, "the client takes no request");
  });
}

template <typename Input>
void LossDevice::with_session(Input&& input) {
  session::EffectList list;
  session::Effects effects({1, 1}, static_cast<session::DatagramSink&>(*this), list);
  input(effects);
  for (const session::EffectRecord& record : list) {
    const auto* completed = std::get_if<session::Completed>(&record.effect);
    if (completed == nullptr) continue;
    finish(requests_.at(completed->ticket), completed->reason);
  }
}

void LossDevice::finish(LossRequest& request, model::Reason reason) {
  request.over = true;
  request.reason = reason;
  request.acknowledged = reason == model::Reason::kOk;
  under_way_ = false;
  ++current_;
  start_at_ = world_.now() + between(rng_, milliseconds{20}, milliseconds{500});
  // What is over may come once more, long after; but not for the first time.
  if (request.arrivals == 0 || !chance(rng_, kHeldBackPermille)) return;
  up_.hold_back(request_, request.begun + between(rng_, seconds{1}, kMaxLatency));
}

std::uint8_t* LossDevice::reserve(std::size_t count_max) {
  room_.resize(count_max);
  return room_.data();
}

void LossDevice::commit(std::size_t count) {
  const Bytes datagram{room_.data(), count};
  const auto header = coap::read_header(datagram);
  const bool requests = header && header->code.is_request();
  const unsigned arrivals = up_.send({datagram.begin(), datagram.end()}, world_.now());
  if (!requests) return;
  request_.assign(datagram.begin(), datagram.end());
  LossRequest& request = requests_[current_];
  if (request.arrivals == 0) request.waited = world_.now() - request.begun;
  ++request.transmissions;
  if (request.transmissions > 1) {  // RFC 7252 §4.2: each pause is twice the one before
    request.timeout = (world_.now() - request.sent) / (1 << (request.transmissions - 2));
  }
  request.sent = world_.now();
  request.arrivals += arrivals;
  world_.trace().note(world_.now(), "put",
                      {{"request", current_}, {"id", header->message_id}, {"arrives", arrivals}});
  if (fault_ == LossFault::kFalseAck && request.arrivals == 0 && request.transmissions == 3) {
    forge_acknowledgement(datagram, world_.now());
  }
}

// The request with another type and code is the response that the broker would have sent.
void LossDevice::forge_acknowledgement(Bytes request, Instant now) {
  const auto message = coap::decode(request);
  CoapMessage answer{.type = coap::Type::kAck,
                     .code = coap::code::kChanged,
                     .id = message->message_id,
                     .token = std::string{as_text(message->token)}};
  (void)down_.send(encode(answer), now);
}

}  // namespace hermod::sim
