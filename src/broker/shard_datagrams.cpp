// SPDX-License-Identifier: Apache-2.0
// Datagram peers: one session an address, made when its first datagram comes.
#include <algorithm>

#include "shard_session.hpp"

namespace hermod::broker {

void Shard::receive_unread() {
  const auto count = static_cast<std::uint16_t>(sockets_.size());
  for (std::uint16_t index = 0; index < count; ++index) {
    if (sockets_[index].unread) receive(index);
  }
}

void Shard::receive(std::uint16_t index) {
  Socket& socket = sockets_[index];
  for (std::size_t round = 0; round < kReceiveRounds; ++round) {
    const std::span<const transport::Datagram> batch = socket.socket->receive();
    for (const transport::Datagram& datagram : batch) {
      Connection* connection = peer_connection(index, datagram);
      if (connection == nullptr) continue;
      ++counters_.datagrams;
      counters_.bytes_received += datagram.bytes.size();
      with_session(
          *connection, effects_, [&](session::Session& session, session::Effects& effects) {
            session.on_datagram({.bytes = datagram.bytes, .whole = datagram.whole}, now_, effects);
          });
    }
    execute();
    socket.unread = batch.size() == transport::DatagramSocket::kBatch;
    if (!socket.unread) return;
    // Answers leave before more is read: the kernel's buffer is the queue, not this process.
    outbox_.send();
    socket.socket->flush();
  }
}

Connection* Shard::peer_connection(std::uint16_t socket, const transport::Datagram& datagram) {
  const PeerKey key{datagram.from, socket};
  const auto found = peers_.find(key);
  if (found != peers_.end()) {
    Connection& known = connections_[found->second];
    if (!known.closing) return &known;
    // What comes after the goodbye is for a new session: this one would forget it at once.
    const session::ConnectionId id = id_of(known);
    execute();  // what others asked for before
    if (Connection* still = find(id)) end(*still, still->close_reason);
  }
  if (peers_.size() >= settings_.connections.peers_max && !evict_peer()) {
    ++counters_.datagrams_dropped;
    return nullptr;
  }
  Connection& connection = make_connection(sockets_[socket].settings);
  connection.peer = std::make_unique<Peer>(Peer{datagram.from, datagram.local, socket});
  peers_.emplace(key, connection.index);
  with_session(connection, effects_, [this](session::Session& session, session::Effects& effects) {
    session.on_open(now_, effects);
  });
  return &connection;
}

// Makes room by forgetting some peer that observes nothing: any address can fill the table, so that
// being in it is worth little. False when a few looks, spread over the table, find none.
bool Shard::evict_peer() {
  constexpr std::uint32_t kLooks = 64;
  execute();  // what was asked for before: who has just begun to observe stays
  const std::uint32_t places = connections_.places();
  const std::uint32_t step = std::max(places / kLooks, 1u);
  auto index = static_cast<std::uint32_t>(parts_.rng.below(places));
  for (std::uint32_t look = 0; look < kLooks; ++look, index = (index + step) % places) {
    if (!connections_.holds(index)) continue;
    Connection& connection = connections_[index];
    if (!connection.peer || connection.attached()) continue;
    end(connection, model::Reason::kQuotaExceeded);
    return true;
  }
  return false;
}

std::uint8_t* Shard::reserve(std::size_t count_max) {
  return sockets_[sending_->peer->socket].socket->reserve(count_max);
}

void Shard::commit(std::size_t count) {
  const Peer& peer = *sending_->peer;
  Socket& socket = sockets_[peer.socket];
  socket.socket->commit(count, peer.address, peer.local);
  socket.dirty = true;
  ++counters_.datagrams_sent;
  counters_.bytes_sent += count;
}

}  // namespace hermod::broker
