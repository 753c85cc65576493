// SPDX-License-Identifier: Apache-2.0
// The octets of a connection: resolving, connecting, reading, writing, time, closing.
#include "mqtt_connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstring>
#include <utility>

#include "hermod/mqtt/codec/fixed_header.hpp"
#include "mqtt_run.hpp"

namespace hermod::client {

namespace asio = boost::asio;

namespace {
constexpr std::size_t kReadMin = 64 * 1024;      // room for one read
constexpr std::size_t kOutputKept = 256 * 1024;  // memory that an idle connection keeps
constexpr auto kLinger = std::chrono::seconds(1);
}  // namespace

MqttConnection::MqttConnection(asio::any_io_executor executor, MqttOptions options,
                               MqttUnfinished unfinished)
    : options_(std::move(options)),
      session_(options_.session, std::move(unfinished.inflight)),
      socket_(executor),
      timer_(executor),
      outgoing_(std::move(unfinished.outgoing)),
      first_tag_(unfinished.first_tag),
      next_tag_(unfinished.first_tag),
      sent_until_(unfinished.sent_until),
      released_(std::move(unfinished.released)),
      incoming_(std::move(unfinished.incoming)),
      receive_handler_(std::move(unfinished.receive_handler)) {}

void MqttConnection::connect(Handler<void(error_code, bool)> handler) {
  if (state_ != State::kIdle) return handler(Error::kAlreadyConnected, false);
  state_ = State::kConnecting;
  connect_handler_ = std::move(handler);
  connect_until_ = clock_.now() + std::chrono::seconds(options_.session.connect_timeout_s);
  arm_timer();
  dialer_ = std::make_shared<Dialer>(
      executor(), options_, [self = weak_from_this()](error_code error, Dialer::Socket socket) {
        if (const auto connection = self.lock()) connection->on_dialed(error, std::move(socket));
      });
  dialer_->start();
}

void MqttConnection::on_dialed(error_code error, Dialer::Socket socket) {
  if (state_ != State::kConnecting) return;
  socket_ = std::move(socket);
  on_connected(error);
}

void MqttConnection::on_connected(error_code error) {
  if (error) return finish(error, model::Reason::kPeerClosed);
  connect_until_ = kNever;  // from here on the session looks at the clock
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  run([this](Instant now, session::Effects& effects) { session_.on_open(now, effects); });
  read();
}

bool MqttConnection::paused() const {
  constexpr std::size_t kIncomingMax = 256;
  return incoming_.size() >= kIncomingMax;
}

void MqttConnection::read() {
  const bool waiting = paused() && input_size_ > 0;  // for somebody who receives
  if (reading_ || waiting || (state_ != State::kConnecting && state_ != State::kOpen)) return;
  if (input_.size() - input_size_ < kReadMin) {
    input_.resize(std::max(input_size_ + kReadMin, input_.size() * 2));
  }
  reading_ = true;
  read_at_ = input_size_;
  socket_.async_read_some(asio::buffer(input_.data() + input_size_, input_.size() - input_size_),
                          [self = shared_from_this()](error_code failed, std::size_t count) {
                            self->reading_ = false;
                            self->on_read(failed, count);
                          });
}

void MqttConnection::on_read(error_code error, std::size_t count) {
  if (state_ == State::kClosed) return;
  if (state_ == State::kClosing) {  // the octets count for nothing any more
    if (error) return finish({}, model::Reason::kOk);
    return linger();
  }
  // What lay before it may have been consumed while it was under way.
  if (input_size_ != read_at_) {
    std::memmove(input_.data() + input_size_, input_.data() + read_at_, count);
  }
  input_size_ += count;
  offer();
  if (error == asio::error::eof) error = Error::kClosedByServer;
  if (error) return finish(error, model::Reason::kPeerClosed);
  read();
}

/// Gives the session what was read and not consumed.
void MqttConnection::offer() {
  if (input_size_ == 0 || (state_ != State::kConnecting && state_ != State::kOpen)) return;
  std::size_t consumed = 0;
  const auto intake = paused() ? session::Intake::kRepliesOnly : session::Intake::kEverything;
  run([&](Instant now, session::Effects& effects) {
    consumed = session_.on_bytes({input_.data(), input_size_}, intake, now, effects);
  });
  if (options_.on_packet) static_cast<void>(trace(false, {input_.data(), consumed}));
  input_size_ -= consumed;
  if (consumed > 0) std::memmove(input_.data(), input_.data() + consumed, input_size_);
}

/// Writes after what is ready to run has run, so that small packets leave together.
void MqttConnection::flush_soon() {
  if (flush_posted_ || write_pending_ || filling_.empty()) return;
  flush_posted_ = true;
  asio::post(executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void MqttConnection::flush() {
  if (write_pending_ || state_ == State::kClosed) return;
  if (writing_.empty()) {
    writing_.shrink(kOutputKept);
    std::swap(writing_, filling_);
  }
  if (writing_.empty()) {
    if (state_ == State::kClosing) linger();
    return;
  }
  std::array<Bytes, 16> pieces;
  const std::size_t used = writing_.gather(pieces);
  std::array<asio::const_buffer, 16> buffers;
  for (std::size_t i = 0; i < used; ++i) {
    buffers[i] = asio::const_buffer(pieces[i].data(), pieces[i].size());
  }
  write_pending_ = true;
  socket_.async_write_some(buffers,
                           [self = shared_from_this()](error_code error, std::size_t count) {
                             self->write_pending_ = false;
                             self->on_written(error, count);
                           });
}

/// Shows the whole packets at the begin of `octets`; how many octets they have.
std::size_t MqttConnection::trace(bool sent, Bytes octets) const {
  std::size_t shown = 0;
  while (shown < octets.size()) {
    const Bytes rest = octets.subspan(shown);
    const auto header = mqtt::read_fixed_header(rest, options_.session.version);
    if (!header || header->packet_size() > rest.size()) break;
    options_.on_packet(sent, rest.first(header->packet_size()));
    shown += header->packet_size();
  }
  return shown;
}

/// The first `count` octets of `writing_` have left.
void MqttConnection::trace_sent(std::size_t count) {
  std::array<Bytes, 16> pieces;
  const std::size_t used = writing_.gather(pieces);
  for (std::size_t i = 0; i < used && count > 0; ++i) {
    const Bytes piece = pieces[i].first(std::min(count, pieces[i].size()));
    untraced_.insert(untraced_.end(), piece.begin(), piece.end());
    count -= piece.size();
  }
  const std::size_t shown = trace(true, untraced_);
  untraced_.erase(untraced_.begin(), untraced_.begin() + static_cast<std::ptrdiff_t>(shown));
}

/// The messages of QoS 0 whose octets have left.
void MqttConnection::complete_written() {
  while (!unwritten_.empty() && unwritten_.front().mark <= octets_written_) {
    unwritten_.front().handler({});
    unwritten_.pop_front();
  }
}

void MqttConnection::on_written(error_code error, std::size_t count) {
  if (state_ == State::kClosed) return;
  if (options_.on_packet) trace_sent(count);
  writing_.consume(count);
  octets_written_ += count;
  complete_written();
  // What the server said before it closed counts more than that it closed: the reader reports it.
  if (error && reading_ && state_ != State::kClosing) return;
  if (error) return finish(error, model::Reason::kPeerClosed);
  flush();
}

/// This side ends the connection at once: what the session said of it (MQTT 5) leaves if it can.
void MqttConnection::write_last_words() {
  if (write_pending_ || filling_.empty()) return;
  std::array<Bytes, 16> pieces;
  const std::size_t used = filling_.gather(pieces);
  std::array<asio::const_buffer, 16> buffers;
  for (std::size_t i = 0; i < used; ++i) {
    buffers[i] = asio::const_buffer(pieces[i].data(), pieces[i].size());
  }
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.write_some(buffers, ignored);
}

/// Everything is written: says so to the server and waits for it to close its side. Closing at once
/// with unread input would reset the connection and could take DISCONNECT with it.
void MqttConnection::linger() {
  if (write_pending_ || !writing_.empty() || !filling_.empty()) return;
  if (linger_until_ == kNever) {
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    linger_until_ = clock_.now() + kLinger;
    arm_timer();
  }
  if (reading_) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(input_),
                          [self = shared_from_this()](error_code error, std::size_t count) {
                            self->reading_ = false;
                            self->on_read(error, count);
                          });
}

Instant MqttConnection::deadline() const {
  switch (state_) {
    case State::kConnecting:
      return std::min(connect_until_, session_.next_deadline());
    case State::kOpen:
      return session_.next_deadline();
    case State::kClosing:
      return linger_until_;
    default:
      return kNever;
  }
}

void MqttConnection::arm_timer() {
  const Instant until = deadline();
  if (until >= armed_for_) return;  // the wait under way comes first, and looks again
  armed_for_ = until;
  timer_.expires_after(std::max(until - clock_.now(), Duration::zero()));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error) return;  // replaced by an earlier one, or closed
    self->armed_for_ = kNever;
    self->on_timer();
  });
}

void MqttConnection::on_timer() {
  const Instant now = clock_.now();
  if (now >= connect_until_) return finish(Error::kTimeout, model::Reason::kTimeout);
  if (now >= linger_until_) return finish({}, model::Reason::kOk);
  if ((state_ == State::kConnecting || state_ == State::kOpen) && now >= deadline()) {
    run([this](Instant at, session::Effects& effects) { session_.on_deadline(at, effects); });
  }
  arm_timer();
}

void MqttConnection::finish(error_code error, model::Reason reason) {
  if (state_ == State::kClosed) return;
  const bool asked = state_ == State::kClosing && !error;
  state_ = State::kClosed;
  ended_ = asked ? make_error_code(Error::kClosed) : refused_ ? refused_ : error;
  connect_until_ = linger_until_ = kNever;
  if (dialer_) dialer_->cancel();
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  session::Effects effects({}, filling_, effects_);
  session_.on_close(reason, clock_.now(), effects);
  effects_.clear();
  if (disconnect_handler_) disconnect_handler_(asked ? error_code() : ended_);
  if (on_end_) return leave_operations(ended_);
  fail_operations(ended_);
}

}  // namespace hermod::client
