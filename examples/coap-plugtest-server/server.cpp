// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <csignal>

namespace plugtest {

namespace asio = boost::asio;
using boost::system::error_code;
using hermod::Instant;

Server::Server(asio::io_context& io, const ServerOptions& options, Shared& shared)
    : options_(options),
      shared_(shared),
      socket_(io, options.bind),
      timer_(io),
      signals_(io, SIGINT, SIGTERM),
      next_tick_(clock_.now() + options.period) {
  socket_.non_blocking(true);
  stop_at_signal();
  receive();
  arm(clock_.now());
}

void Server::receive() {
  socket_.async_receive_from(asio::buffer(buffer_), from_, [this](error_code error, std::size_t n) {
    if (!socket_.is_open()) return;
    const Instant now = clock_.now();
    // An error is about a datagram that was sent long ago: UDP promises nothing.
    Peer* sender = error ? nullptr : peer(from_, now);
    if (sender != nullptr) sender->on_datagram({buffer_.data(), n}, now);
    go_on();
    receive();
  });
}

void Server::stop_at_signal() {
  signals_.async_wait([this](error_code error, int) {
    if (error) return;
    for (const auto& [address, peer] : peers_) peer->say_goodbye(clock_.now());
    timer_.cancel();
    socket_.close();
  });
}

// Who has sent this; nullptr when there are too many peers.
Peer* Server::peer(const Endpoint& from, Instant now) {
  const auto known = peers_.find(from);
  if (known != peers_.end()) return known->second.get();
  if (peers_.size() >= options_.peers_max && !make_room()) return nullptr;
  const auto send = [this, from](hermod::Bytes datagram) {
    error_code lost;  // what cannot be sent is lost, as on a network
    socket_.send_to(asio::buffer(datagram.data(), datagram.size()), from, 0, lost);
  };
  auto& place = peers_[from];
  place = std::make_unique<Peer>(shared_, send, now);
  return place.get();
}

// Forgets some peer that observes nothing: anybody can fill the table from many ports.
bool Server::make_room() {
  const auto idle =
      std::ranges::find_if(peers_, [](const auto& entry) { return !entry.second->observes(); });
  if (idle == peers_.end()) return false;
  peers_.erase(idle);
  return true;
}

// After each input: time for whom it has come, changes for all, and the next time.
void Server::go_on() {
  const Instant now = clock_.now();
  if (now >= next_tick_) {
    next_tick_ = now + options_.period;
    shared_.tree.tick();
  }
  for (const auto& [address, peer] : peers_) {
    if (now >= peer->next_deadline()) peer->on_deadline(now);
  }
  tell_changes(now);
  std::erase_if(peers_, [now](const auto& entry) { return entry.second->forget_at(now) <= now; });
  arm(now);
}

void Server::tell_changes(Instant now) {
  for (const std::string& path : shared_.tree.take_changes()) {
    for (const auto& [address, peer] : peers_) peer->on_change(path, now);
  }
}

void Server::arm(Instant now) {
  Instant due = next_tick_;
  for (const auto& [address, peer] : peers_) {
    due = std::min({due, peer->next_deadline(), peer->forget_at(now)});
  }
  timer_.expires_after(std::max(due - now, hermod::Duration{0}));
  timer_.async_wait([this](error_code error) {
    if (!error && socket_.is_open()) go_on();
  });
}

}  // namespace plugtest
