// SPDX-License-Identifier: Apache-2.0
// Octets of streams: one read a turn into the shard's buffer, one write a turn from the output.
#include <algorithm>
#include <array>
#include <cstring>

#include "shard_session.hpp"

namespace hermod::broker {

session::Intake Shard::intake(const Connection& connection) {
  const bool congested = connection.congested && !connection.peer_ended;
  return congested || !outbox_.has_room() || !has_room_to_keep() ? session::Intake::kRepliesOnly
                                                                 : session::Intake::kEverything;
}

// Reads once if there may be something and if it could be kept, and lets the session have it.
void Shard::read(Connection& connection) {
  const std::size_t waiting = connection.output ? connection.output->size() : 0;
  if (waiting >= settings_.connections.output_hard_bytes) return;  // drained() comes back
  const std::size_t held = connection.rest ? connection.rest->size() : 0;
  if (connection.paused && held >= kParkedMax) return;  // resume_paused() or drained() come back
  std::span<std::uint8_t> into;
  if (held <= kReadBuffer / 2) {
    if (held > 0) std::memcpy(buffer_.get(), connection.rest->data(), held);
    into = {buffer_.get() + held, kReadBuffer - held};
  } else {  // a large packet: read to where it is kept
    connection.rest->resize(held + kReadBuffer);
    into = std::span{*connection.rest}.subspan(held);
  }
  // What the session may not take stays in `rest`: no more than that of each connection.
  if (intake(connection) == session::Intake::kRepliesOnly) {
    into = into.first(std::min(into.size(), kParkedMax));
  }
  const transport::IoResult result = connection.stream->read(into);
  const std::size_t count = result.status == transport::IoResult::Status::kDone ? result.count : 0;
  counters_.bytes_received += count;
  connection.unread = count == into.size() || connection.hung_up;
  if (held > kReadBuffer / 2) {
    connection.rest->resize(held + count);
    if (!connection.attached()) unattached_bytes_ += count;
  }
  if (result.status == transport::IoResult::Status::kClosed ||
      result.status == transport::IoResult::Status::kFailed) {
    return on_peer_end(connection);
  }
  if (held + count == 0) return;
  if (held > kReadBuffer / 2) return process(connection, *connection.rest);
  process(connection, {buffer_.get(), held + count});
}

void Shard::process(Connection& connection, Bytes bytes) {
  const session::ConnectionId id = id_of(connection);
  const bool listed = connection.paused;  // in paused_, unless congestion paused it
  std::size_t used = 0;
  bool paused = false;
  bool asked = false;  // the session left octets until it has an answer, which it has had by now
  while (used < bytes.size() && !connection.closing) {
    const session::Intake allowed = intake(connection);
    std::size_t count = 0;
    input_ = bytes.subspan(used);
    connection.answered = false;
    with_session(connection, effects_, [&](session::Session& session, session::Effects& effects) {
      count = session.on_bytes(bytes.subspan(used), allowed, now_, effects);
    });
    execute();
    if (find(id) == nullptr) return;  // ended, or gone to another shard
    used += count;
    paused = allowed == session::Intake::kRepliesOnly;
    if (count == 0) {
      asked = connection.answered;
      break;
    }
  }
  if (connection.closing) used = bytes.size();
  connection.paused = paused && used < bytes.size();
  if (connection.paused && !connection.congested && !listed) paused_.push_back(id);
  const bool over = connection.peer_ended && used == bytes.size() && !connection.closing;
  keep_rest(connection, bytes.subspan(used));
  if (asked && find(id) != nullptr && connection.rest && !connection.ready) {
    connection.ready = true;
    ready_.push_back(id);
  }
  if (over && find(id) != nullptr) end(connection, model::Reason::kPeerClosed);
}

// The peer has ended, or the stream broke. Whatever came before is still obeyed when something
// holds it up: a DISCONNECT whose turn has not come must not become a will.
void Shard::on_peer_end(Connection& connection) {
  connection.unread = false;
  if (connection.closing) return end(connection, connection.close_reason);
  if (!connection.rest) return end(connection, model::Reason::kPeerClosed);
  if (connection.peer_ended) return;
  connection.peer_ended = true;
  connection.armed = now_ + kCloseGrace;  // half a packet is never completed
  wheel_.arm(connection, connection.armed);
  if (connection.ready) return;  // its output holds nothing up any more: see intake()
  connection.ready = true;
  ready_.push_back(id_of(connection));
}

// What the session left: whole packets that it may not read yet, or the begin of one.
void Shard::keep_rest(Connection& connection, Bytes rest) {
  if (!connection.rest && rest.empty()) return;
  const std::size_t before = connection.rest ? connection.rest->size() : 0;
  if (rest.empty()) {
    connection.rest.reset();
  } else if (!connection.rest) {
    connection.rest = std::make_unique<std::vector<std::uint8_t>>(rest.begin(), rest.end());
  } else if (rest.data() >= connection.rest->data() &&
             rest.data() < connection.rest->data() + connection.rest->size()) {
    const auto skipped = rest.data() - connection.rest->data();
    connection.rest->erase(connection.rest->begin(), connection.rest->begin() + skipped);
  } else {
    connection.rest->assign(rest.begin(), rest.end());
  }
  if (connection.attached()) return;
  unattached_bytes_ += rest.size() - before;
  (void)within_unattached_bytes(connection);
}

// What went over the limit goes.
bool Shard::within_unattached_bytes(Connection& connection) {
  if (unattached_bytes_ <= settings_.connections.unattached_bytes_max) return true;
  parts_.log.print(LogLevel::kWarning,
                   "Connections that have not logged in hold {} octets: closing one of them.",
                   unattached_bytes_);
  end(connection, model::Reason::kQuotaExceeded);
  return false;
}

// Goes on with a connection that something held up: first what was read, then what was not.
void Shard::go_on(Connection& connection) {
  connection.ready = false;
  if (!connection.stream) return;
  const session::ConnectionId id = id_of(connection);
  if (connection.peer_ended) connection.unread = false;
  if (connection.rest && !connection.unread) {
    // The session gets the octets where they are; keep_rest() knows them.
    process(connection, *connection.rest);
  } else if (connection.unread) {
    read(connection);
  }
  Connection* still = find(id);
  if (still == nullptr || !still->unread || still->ready) return;
  const std::size_t waiting = still->output ? still->output->size() : 0;
  if (still->paused || waiting >= settings_.connections.output_hard_bytes) return;
  still->ready = true;  // more is there: others have their turn first
  ready_.push_back(id);
}

void Shard::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(id_of(connection));
}

void Shard::let_linger(Connection& connection) {
  if (connection.dirty) return;
  if (connection.lingers) {
    connection.gathers = true;
    return;
  }
  if (!patience_.pays()) {
    patience_.note(false);
    return mark_dirty(connection);
  }
  connection.lingers = true;
  connection.gathers = false;
  lingering_.push_back(id_of(connection));
}

// While more comes in, a part of the outputs that may wait is written each turn, so that the others
// gather what comes meanwhile: a write costs the same for one message and for a hundred. An output
// waits kLingerTurns at most, and not at all when there is nothing else to do.
void Shard::flush_lingering() {
  lingering_most_ = std::max(lingering_most_, lingering_.size());
  std::size_t count = lingering_most_ / kLingerTurns + kLingerFlushes;
  if (!busy_) count = std::max(count, kIdleFlushes);
  for (count = std::min(count, lingering_.size()); count > 0; --count) {
    Connection* connection = find(lingering_.front());
    lingering_.pop_front();
    if (connection == nullptr) continue;
    connection->lingers = false;
    patience_.note(connection->gathers);
    if (!connection->blocked && !connection->dirty) flush(*connection);
  }
  if (lingering_.empty()) lingering_most_ = 0;
}

void Shard::flush_outputs() {
  // Draining may open a subscriber, which gets what waits for it, which fills the output again.
  for (std::size_t pass = 0; pass < kFlushPasses && !dirty_.empty(); ++pass) {
    for (const session::ConnectionId id : std::exchange(dirty_, {})) {
      Connection* connection = find(id);
      if (connection == nullptr) continue;
      connection->dirty = false;
      if (!connection->blocked) flush(*connection);
    }
  }
  if (!lingering_.empty()) flush_lingering();
  for (Socket& socket : sockets_) {
    if (socket.dirty) socket.socket->flush();
    socket.dirty = false;
  }
}

void Shard::flush(Connection& connection) {
  while (connection.output && !connection.output->empty()) {
    std::array<Bytes, 64> pieces;
    const std::size_t count = connection.output->gather(pieces);
    const transport::IoResult result = connection.stream->write(std::span{pieces}.first(count));
    if (result.status == transport::IoResult::Status::kAgain) {
      connection.blocked = true;
      break;
    }
    if (result.status != transport::IoResult::Status::kDone) {
      connection.output->clear();
      return on_peer_end(connection);
    }
    counters_.bytes_sent += result.count;
    connection.output->consume(result.count);
  }
  const bool empty = !connection.output || connection.output->empty();
  if (empty && connection.output) outputs_.give(std::move(connection.output));
  if (empty && connection.closing) return end(connection, connection.close_reason);
  drained(connection);
}

// The output has shrunk: what was held up by it goes on.
void Shard::drained(Connection& connection) {
  const std::size_t waiting = connection.output ? connection.output->size() : 0;
  if (waiting > settings_.connections.output_soft_bytes / 2) return;
  const session::ConnectionId id = id_of(connection);
  if (connection.congested) {
    connection.congested = false;
    if (connection.attached()) {
      core_.set_open(connection.subscriber, true);
      continue_reading(connection);
      execute();
    }
  }
  Connection* still = find(id);
  if (still != nullptr && (still->paused || still->unread) && !still->ready) {
    still->paused = false;
    still->ready = true;
    ready_.push_back(id);
  }
}

void Shard::deliver(core::ConnectionKey key, const model::DeliveryBatch& batch) {
  Connection* connection = find(key);
  if (connection == nullptr || connection->closing) return;
  if (connection->guarded) return deliver_checked(*connection, batch);
  pass_on(*connection, batch);
}

void Shard::pass_on(Connection& connection, const model::DeliveryBatch& batch) {
  with_session(connection, effects_, [&](session::Session& session, session::Effects& effects) {
    session.on_deliveries(batch, now_, effects);
  });
}

void Shard::forward(const model::Message& message, core::ShardSet interested,
                    core::ShardSet retained_owner) {
  // A publication of this shard, wills included, whose topic another one owns: a page of that one
  // may hold an older value. What this shard owns it reads itself, and always the newest.
  if (retained_owner != 0 && subscribing_.reading()) subscribing_.note_live(message);
  for (std::uint16_t to = 0; to < parts_.mailroom.shards(); ++to) {
    const bool for_subscribers = (interested >> to & 1) != 0;
    const bool for_retained = (retained_owner >> to & 1) != 0;
    if (for_subscribers || for_retained) {
      outbox_.add_forward(to, message, for_subscribers, for_retained);
      if (keeps_ && Forward::is_awaited(message, for_retained)) promises_.note_sent(to);
    }
  }
}

}  // namespace hermod::broker
