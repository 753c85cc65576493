// SPDX-License-Identifier: Apache-2.0
#include "link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "hermod/mqtt/codec/fixed_header.hpp"

namespace hermod::durability {

using model::Reason;
using transport::IoResult;

namespace {
constexpr std::size_t kReadMax = 65'536;
}

Link::Link(std::unique_ptr<transport::TcpStream> stream, mqtt::ClientOptions options,
           session::Inflight inflight, Owner& owner)
    : stream_(std::move(stream)),
      session_(options, std::move(inflight)),
      owner_(owner),
      version_(options.version),
      read_max_(kReadMax) {}

template <typename Input>
void Link::with_session(const Input& input) {
  session::EffectList list = std::exchange(effects_, {});
  session::Effects effects({1, 1}, output_, list);
  input(effects);
  for (const session::EffectRecord& record : list) {
    if (const auto* close = std::get_if<session::Close>(&record.effect)) {
      closing_ = true;
      if (!leaving_) gave_up_ = close->reason;
    } else {
      owner_.on_effect(record.effect);
    }
  }
  list.clear();
  effects_ = std::move(list);
}

void Link::on_event(const transport::Event& event, Instant now) {
  if (over_) return;
  if (!connected_) {
    const int error = transport::connect_error(*stream_);
    if (error == EINPROGRESS) return;
    if (error != 0) return finish(now);
    connected_ = true;
    with_session([&](session::Effects& effects) { session_.on_open(now, effects); });
  }
  if (event.readable) unread_ = true;
  read(now);
  flush(now);
}

void Link::on_time(Instant now) {
  if (over_ || !connected_) return;
  if (session_.next_deadline() <= now) {
    with_session([&](session::Effects& effects) { session_.on_deadline(now, effects); });
  }
  read(now);
  flush(now);
}

Instant Link::due() const {
  if (over_ || !connected_) return kNever;
  const Instant reading = unread_ && pause_ > Duration::zero() ? read_at_ : kNever;
  return std::min(session_.next_deadline(), reading);
}

// What the broker sent before it was killed counts: the end is only heeded behind it.
void Link::read(Instant now) {
  static thread_local std::array<std::uint8_t, kReadMax> buffer;
  while (unread_ && !over_ && read_at_ <= now) {
    const IoResult result = stream_->read(std::span(buffer).first(read_max_));
    if (result.status == IoResult::Status::kAgain) {
      unread_ = false;
    } else if (result.status == IoResult::Status::kDone) {
      rest_.insert(rest_.end(), buffer.data(), buffer.data() + result.count);
      offer(now);
      if (pause_ > Duration::zero()) read_at_ = now + pause_;
    } else {
      finish(now);
    }
  }
}

void Link::offer(Instant now) {
  std::size_t used = 0;
  while (!over_ && !closing_) {
    std::size_t count = 0;
    with_session([&](session::Effects& effects) {
      count =
          session_.on_bytes(Bytes{rest_}.subspan(used), session::Intake::kEverything, now, effects);
    });
    used += count;
    if (count == 0 || used == rest_.size()) break;
  }
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(used));
}

void Link::flush(Instant now) {
  while (connected_ && !over_ && !output_.empty()) {
    std::array<Bytes, 16> pieces;
    const std::size_t count = output_.gather(pieces);
    const IoResult result = stream_->write(std::span(pieces).first(count));
    if (result.status == IoResult::Status::kAgain) return;
    if (result.status != IoResult::Status::kDone) {
      // Whatever came before the end is still to be read.
      output_.clear();
      unread_ = true;
      pause_ = {};
      read_at_ = now;
      read_max_ = kReadMax;
      read(now);
      return finish(now);
    }
    output_.consume(result.count);
  }
  if (closing_ && output_.empty()) finish(now);
}

void Link::finish(Instant now) {
  if (over_) return;
  over_ = true;
  stream_.reset();
  with_session([&](session::Effects& effects) {
    session_.on_close(closing_ ? Reason::kOk : Reason::kPeerClosed, now, effects);
  });
}

bool Link::subscribe(std::span<const mqtt::SubscribeEntry> entries, session::Ticket ticket,
                     Instant now) {
  bool sent = false;
  with_session(
      [&](session::Effects& effects) { sent = session_.subscribe(entries, ticket, now, effects); });
  flush(now);
  return sent;
}

void Link::deliver(const model::DeliveryBatch& batch, Instant now) {
  with_session([&](session::Effects& effects) { session_.on_deliveries(batch, now, effects); });
  flush(now);
}

void Link::answer(std::span<const session::Ticket> tickets, Instant now) {
  std::vector<session::Answer> answers;
  answers.reserve(tickets.size());
  for (const session::Ticket ticket : tickets) answers.push_back({.ticket = ticket});
  with_session([&](session::Effects& effects) { session_.on_answers(answers, now, effects); });
  if (!rest_.empty()) offer(now);
  flush(now);
}

void Link::disconnect(Instant now) {
  leaving_ = true;
  with_session([&](session::Effects& effects) { session_.disconnect(now, effects); });
  flush(now);
}

void Link::drop(Instant now) {
  finish(now);
}

void Link::read_slowly(std::size_t bytes, Duration pause) {
  read_max_ = std::clamp<std::size_t>(bytes, 1, kReadMax);
  pause_ = pause;
  if (pause == Duration::zero()) read_at_ = {};
}

}  // namespace hermod::durability
