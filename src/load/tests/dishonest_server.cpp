// SPDX-License-Identifier: Apache-2.0
#include "dishonest_server.hpp"

#include <array>

#include "hermod/base/assert.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/packet.hpp"

namespace hermod::load {
namespace {

constexpr transport::Token kListenerToken = 1u << 20;
constexpr auto kVersion = mqtt::Version::kV311;

}  // namespace

DishonestServer::DishonestServer(std::function<Fate(std::uint64_t)> fate) : fate_(std::move(fate)) {
  poller_ = *transport::EpollPoller::open();
  listener_ = *transport::listen_tcp(transport::Address::v4({127, 0, 0, 1}, 0), {});
  HERMOD_ASSERT(poller_->add(*listener_, kListenerToken));
}

void DishonestServer::stop() {
  stopping_ = true;
  poller_->wake();
}

void DishonestServer::run() {
  while (!stopping_) {
    for (const transport::Event& event : poller_->wait(Duration::max())) {
      if (event.token == kListenerToken) {
        accept_all();
      } else if (event.readable) {
        read_all(*peers_[event.token]);
      }
    }
  }
}

void DishonestServer::accept_all() {
  int error = 0;
  while (auto stream = listener_->accept(error)) {
    peers_.push_back(std::make_unique<Peer>(std::move(stream)));
    HERMOD_ASSERT(poller_->add(*peers_.back()->stream, peers_.size() - 1));
  }
}

void DishonestServer::read_all(Peer& peer) {
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    const transport::IoResult result = peer.stream->read(buffer);
    if (result.status != transport::IoResult::Status::kDone) return;
    peer.input.insert(peer.input.end(), buffer.begin(), buffer.begin() + result.count);
    std::size_t used = 0;
    for (;;) {
      const auto header = mqtt::read_fixed_header(Bytes(peer.input).subspan(used), kVersion);
      if (!header || peer.input.size() - used < header->packet_size()) break;
      on_packet(peer, Bytes(peer.input).subspan(used, header->packet_size()));
      used += header->packet_size();
    }
    peer.input.erase(peer.input.begin(), peer.input.begin() + static_cast<std::ptrdiff_t>(used));
  }
}

void DishonestServer::on_packet(Peer& peer, Bytes packet) {
  const auto read = mqtt::read_packet(packet, kVersion);
  HERMOD_ASSERT(read.has_value());
  std::array<std::uint8_t, 16> out{};
  if (std::holds_alternative<mqtt::ConnectView>(read->packet)) {
    const std::uint8_t* const end = mqtt::write_connack(out.data(), {}, kVersion);
    send(peer, {out.data(), end});
  } else if (const auto* subscribe = std::get_if<mqtt::SubscribeView>(&read->packet)) {
    constexpr std::uint8_t kGranted = 0;
    const std::uint8_t* const end = mqtt::write_packet(
        out.data(), mqtt::SubackView{subscribe->packet_id, {&kGranted, 1}}, kVersion);
    send(peer, {out.data(), end});
    subscriber_ = &peer;
  } else if (std::holds_alternative<mqtt::PublishView>(read->packet)) {
    on_publish(packet);
  }
}

void DishonestServer::on_publish(Bytes packet) {
  const Fate fate = fate_(count_++);
  if (fate == Fate::kSwapWithNext) {
    held_.assign(packet.begin(), packet.end());
    return;
  }
  if (fate != Fate::kDrop) send(*subscriber_, packet);
  if (fate == Fate::kDouble) send(*subscriber_, packet);
  if (!held_.empty()) send(*subscriber_, held_);
  held_.clear();
}

void DishonestServer::send(Peer& peer, Bytes bytes) {
  // A test's few octets always fit in the socket's buffer.
  HERMOD_ASSERT(peer.stream->write({&bytes, 1}).count == bytes.size());
}

}  // namespace hermod::load
