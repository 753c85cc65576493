// SPDX-License-Identifier: Apache-2.0
#include "memory_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace hermod::transport {

MemoryStream::MemoryStream(Wire& wire, const Address& local, const Address& peer)
    : Endpoint(wire), local_(local), peer_(peer) {}

MemoryStream::~MemoryStream() {
  if (!inbox_.empty() && error_ == 0) {  // RFC 9293 §3.6.1: a close with data unread is a reset
    after_delay_in_order([&wire = wire_, to = other_] {
      if (auto* stream = find(wire, to)) stream->fail(ECONNRESET);
    });
  } else {
    shutdown_write();
  }
}

MemoryStream* MemoryStream::find(Wire& wire, int number) {
  return dynamic_cast<MemoryStream*>(wire.find(number));
}

MemoryStream* MemoryStream::other() const {
  return find(wire_, other_);
}

/// Runs `action` when what is sent now arrives; nothing overtakes what was sent before. What a
/// silent connection sends never arrives.
template <typename Action>
void MemoryStream::after_delay_in_order(Action action) {
  if (silent_) return;
  last_arrival_ = std::max(last_arrival_, wire_.now() + wire_.stream_delay());
  wire_.at(last_arrival_, std::move(action));
}

void MemoryStream::begin() {
  after_delay_in_order([&wire = wire_, from = number()] {
    auto* client = find(wire, from);
    if (client == nullptr) return;
    const int to = Wire::route(wire.listeners, client->peer_, client->local_);
    auto* listener = dynamic_cast<MemoryListener*>(wire.find(to));
    if (listener != nullptr && listener->take(*client)) return;
    wire.at(wire.now() + wire.stream_delay(), [&wire, from] {
      if (auto* refused = find(wire, from)) refused->fail(ECONNREFUSED);
    });
  });
}

void MemoryStream::connected(int other) {
  other_ = other;
  notify();
}

void MemoryStream::fail(int error) {
  if (!silent_) break_with(error);
}

void MemoryStream::break_with(int error) {
  if (error_ != 0) return;
  error_ = error;
  notify();
}

void MemoryStream::reset() {
  after_delay_in_order([&wire = wire_, to = other_] {
    if (auto* stream = find(wire, to)) stream->fail(ECONNRESET);
  });
  break_with(ECONNRESET);
}

void MemoryStream::silence() {
  silent_ = true;
  if (auto* stream = other()) stream->silent_ = true;
}

IoResult MemoryStream::read(std::span<std::uint8_t> into) {
  if (into.empty()) return {};
  if (inbox_.empty()) {
    if (error_ != 0) return {.status = IoResult::Status::kFailed, .error = error_};
    if (peer_ended_) return {.status = IoResult::Status::kClosed};
    return {.status = IoResult::Status::kAgain};
  }
  const std::size_t count = std::min(into.size(), inbox_.size());
  const auto end = inbox_.begin() + static_cast<std::ptrdiff_t>(count);
  std::copy(inbox_.begin(), end, into.begin());
  inbox_.erase(inbox_.begin(), end);
  if (auto* sender = other(); sender != nullptr && !silent_) sender->on_room(count);
  return {.count = count};
}

IoResult MemoryStream::write(std::span<const Bytes> pieces) {
  if (error_ == 0 && other_ != 0 && !ended_) {
    if (wire_.chance(wire_.options.reset_permille)) reset();
    if (wire_.chance(wire_.options.silent_permille)) silence();
  }
  if (error_ != 0) return {.status = IoResult::Status::kFailed, .error = error_};
  if (ended_) return {.status = IoResult::Status::kFailed, .error = EPIPE};

  std::size_t total = 0;
  for (const Bytes piece : pieces) total += piece.size();
  if (total == 0) return {};
  std::size_t count = 0;
  if (other_ != 0 && !stalled_) {
    count = std::min(total, wire_.options.stream_buffer_bytes - occupied_);
  }
  if (count > 1 && wire_.chance(wire_.options.partial_write_permille)) {
    count = wire_.some(count - 1);
    stalled_ = true;
  }
  wants_room_ = wants_room_ || count < total;
  if (count == 0) return {.status = IoResult::Status::kAgain};
  send(pieces, count);
  if (stalled_) {
    wire_.at(wire_.now() + wire_.stream_delay(), [&wire = wire_, from = number()] {
      if (auto* stream = find(wire, from)) stream->end_stall();
    });
  }
  return {.count = count};
}

/// Puts the first `count` octets of the pieces on the way, cut as the options say.
void MemoryStream::send(std::span<const Bytes> pieces, std::size_t count) {
  std::vector<std::uint8_t> octets;
  octets.reserve(count);
  for (const Bytes piece : pieces) {
    const auto part = piece.first(std::min(piece.size(), count - octets.size()));
    octets.insert(octets.end(), part.begin(), part.end());
  }
  occupied_ += count;
  const std::size_t most = wire_.options.segment_bytes_max;
  for (auto from = octets.begin(); from != octets.end();) {
    const auto left = static_cast<std::size_t>(octets.end() - from);
    const std::size_t size = most == 0 ? left : std::min(left, wire_.some(most));
    const auto end = from + static_cast<std::ptrdiff_t>(size);
    after_delay_in_order([&wire = wire_, to = other_, back = number(),
                          segment = std::vector<std::uint8_t>(from, end)] {
      if (auto* receiver = find(wire, to)) {
        receiver->arrive(segment);
      } else if (auto* sender = find(wire, back)) {  // nobody there any more answers with a reset
        wire.at(wire.now() + wire.stream_delay(), [&wire, number = sender->number()] {
          if (auto* stream = find(wire, number)) stream->fail(ECONNRESET);
        });
      }
    });
    from = end;
  }
}

void MemoryStream::arrive(const std::vector<std::uint8_t>& octets) {
  if (silent_ || error_ != 0) return;
  inbox_.insert(inbox_.end(), octets.begin(), octets.end());
  notify();
}

void MemoryStream::shutdown_write() {
  if (ended_ || other_ == 0 || error_ != 0) return;
  ended_ = true;
  after_delay_in_order([&wire = wire_, to = other_] {
    if (auto* receiver = find(wire, to)) receiver->on_peer_end();
  });
}

void MemoryStream::on_peer_end() {
  if (silent_ || error_ != 0) return;
  peer_ended_ = true;
  notify();
  if (auto* sender = other()) sender->notify();  // TCP tells when its end is acknowledged
}

bool MemoryStream::is_readable() const {
  return !inbox_.empty() || is_ended();
}

/// A third must be free, as for the kernel: else a slow reader would cost an edge per octet.
bool MemoryStream::has_room() const {
  const std::size_t buffer = wire_.options.stream_buffer_bytes;
  return error_ != 0 || ended_ || (other_ != 0 && !stalled_ && (buffer - occupied_) * 3 >= buffer);
}

bool MemoryStream::poll_writable() {
  if (has_room()) return true;
  wants_room_ = true;
  return false;
}

void MemoryStream::on_room(std::size_t count) {
  occupied_ -= count;
  if (!wants_room_ || !has_room()) return;
  wants_room_ = false;
  notify();
}

void MemoryStream::end_stall() {
  stalled_ = false;
  on_room(0);
}

MemoryListener::~MemoryListener() {
  Wire::give_back(wire_.listeners, local_, number());
  for (const auto& stream : waiting_) stream->reset();
}

std::unique_ptr<Stream> MemoryListener::accept(int& error) {
  error = 0;
  if (waiting_.empty()) return nullptr;
  auto out = std::move(waiting_.front());
  waiting_.pop_front();
  return out;
}

bool MemoryListener::take(MemoryStream& client) {
  if (waiting_.size() >= wire_.options.backlog) return false;
  auto server = std::make_unique<MemoryStream>(wire_, client.peer_, client.local_);
  server->connected(client.number());
  server->silent_ = client.silent_;
  server->after_delay_in_order([&wire = wire_, to = client.number(), back = server->number()] {
    if (auto* stream = MemoryStream::find(wire, to)) {
      stream->connected(back);
    } else if (auto* orphan = MemoryStream::find(wire, back)) {
      orphan->fail(ECONNRESET);
    }
  });
  waiting_.push_back(std::move(server));
  notify();
  return true;
}

}  // namespace hermod::transport
